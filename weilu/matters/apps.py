"""Set-up of the app."""

from django.apps import AppConfig


class MattersConfig(AppConfig):
    """Residents' matters."""

    name = "weilu.matters"

    def ready(self) -> None:
        from weilu.matters.import_matters import KIND
        from weilu.matters.models import Category, Module
        from weilu.orgs.imports.kinds import register
        from weilu.orgs.memory import forget_when_changed
        from weilu.orgs.models import Organisation, Place

        register(KIND)
        forget_when_changed(Category, Module, Organisation, Place)
