"""Set-up of the app."""

from django.apps import AppConfig, apps


class IndicatorsConfig(AppConfig):
    """Figures: they keep themselves by what is written."""

    name = "weilu.indicators"

    def ready(self) -> None:
        from weilu.indicators.touching import watch_all

        watch_all(model for model in apps.get_models() if model.__module__.startswith("weilu."))
