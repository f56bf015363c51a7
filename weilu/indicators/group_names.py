"""What a machine and a reader call the groups of a figure."""

from typing import Any

from weilu.lib.indicators import Breakdown
from weilu.orgs.attribution import counting, naming
from weilu.orgs.models import Level, Place


def names_beside(related: Any, name: str, keys: list[Any]) -> dict[Any, tuple[str, str]]:
    """Return key and name of what stands beside rows, by its own key."""
    found = related._base_manager.filter(pk__in=keys).values_list("pk", name)
    return {pk: (str(value or ""), str(value or "")) for pk, value in found}


def names_of(way: Breakdown, keys: list[Any]) -> dict[Any, str]:
    """Return what a reader calls the groups of a breakdown."""
    if way.choices:
        labels = way.choices()
        return {key: str(labels.get(key, key)) for key in keys}
    return {key: str(key) for key in keys}


def named_by_code(keys: list[Any], level: Level) -> dict[Any, tuple[str, str]]:
    """Return code and name of the place in which what stands at each code is counted today."""
    found = {key: (key, name) for key, name in code_names(keys).items()}
    if gone := [key for key in keys if key not in found]:
        found |= named_gone(level, gone)
    return found


def named_gone(level: Level, codes: list[Any] | None = None) -> dict[Any, tuple[str, str]]:
    """Return what names the place in which codes are counted that no place has any more: all such, or ``codes``."""
    there = Place.objects.filter(level=level, valid_to=None).values("code")
    ended = Place.objects.filter(level=level, valid_to__isnull=False).exclude(code__in=there).order_by("valid_to")
    last = dict((ended.filter(code__in=codes) if codes is not None else ended).values_list("code", "pk"))
    counted = counting(last.values())
    return {code: naming(counted[pk]) for code, pk in last.items()}


def named_places(keys: list[Any]) -> dict[Any, tuple[str, str]]:
    """Return code and name of the place in which each is counted today; what was split is a line of its own."""
    return {key: naming(place) for key, place in counting(keys).items()}


def code_names(keys: list[Any]) -> dict[Any, str]:
    """Return the names of places by their codes."""
    return dict(
        Place.objects.filter(code__in=[key for key in keys if key], valid_to=None).values_list("code", "short_name")
    )
