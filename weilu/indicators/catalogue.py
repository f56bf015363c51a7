"""The catalogue: all indicators, gathered from the apps whose records they count."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from weilu.lib.indicators import Indicator


@cache
def catalogue() -> dict[str, Indicator]:
    """Return the indicators by code, in the order of the apps and of their definitions.

    Raises:
        ValueError: two have the same code.
    """
    found: dict[str, Indicator] = {}
    for config in apps.get_app_configs():
        name = f"{config.name}.indicators"
        if not config.name.startswith("weilu.") or config.name == "weilu.indicators" or find_spec(name) is None:
            continue
        for item in getattr(import_module(name), "INDICATORS", ()):
            if item.code in found:
                raise ValueError(f"two indicators are called {item.code}")
            found[item.code] = item
    return found
