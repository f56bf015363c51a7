"""Small numbers about people are kept from the public, and so is what would give them away."""

from collections.abc import Mapping
from typing import TypeVar

from weilu.lib.indicators import Indicator

# Of fewer one may know who is meant.
SMALL = 5

Key = TypeVar("Key")


def is_small(count: float | None) -> bool:
    """Tell whether a number of people is so small that it is not shown; nobody is no one who could be known."""
    return count is not None and 0 < count < SMALL


def suppressed(counts: Mapping[Key, float | None]) -> set[Key]:
    """Return the groups whose number is not shown to the public, where their total may be known.

    Every small number is kept back. If together those that are kept back are fewer than two groups or fewer than
    :data:`SMALL` people, the total less the groups that are shown would give them away: then the smallest of the
    others is kept back too. Groups without anybody are always shown.
    """
    known = {key: count for key, count in counts.items() if count}
    kept = {key for key, count in known.items() if is_small(count)}
    others = sorted((key for key in known if key not in kept), key=lambda key: known[key])
    while kept and others and (len(kept) < 2 or sum(known[key] for key in kept) < SMALL):
        kept.add(others.pop(0))
    return kept


def counted_people(indicator: Indicator, value: Mapping) -> float | None:
    """Return how many people stand behind a value; None where an indicator counts none."""
    if not indicator.people:
        return None
    return value["rows"] if indicator.is_fraction else value["value"]
