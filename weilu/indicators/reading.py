"""Reading an indicator: county and below from the records, above it from cells and what is not folded into them yet."""

from weilu.indicators.cells import read_cells
from weilu.indicators.live import (
    LEVELS,
    TIMES,
    Part,
    Reading,
    UnknownBreakdown,
    check_way,
    narrowed,
    read_live,
    rows_of,
    seen_by,
    ways,
)
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.lib.prepared import planned_by_values
from weilu.orgs.models import Level, Place

__all__ = [
    "LEVELS", "TIMES", "Part", "Reading", "UnknownBreakdown", "check_way", "narrowed", "read", "rows_of", "seen_by",
    "ways",
]  # fmt: skip


def read(indicator: Indicator, place: Place, period: Period, by: str = "") -> Reading:
    """Read an indicator, the same value whatever it is read from.

    Args:
        by: a way of :func:`ways`, to take the figure apart; empty for the whole only.

    Raises:
        UnknownBreakdown: it cannot be taken apart so.
    """
    if by:
        check_way(indicator, place, by)
    with planned_by_values():
        if place.level < Level.COUNTY and (found := read_cells(indicator, place, period, by)):
            return found
        return read_live(indicator, place, period, by)
