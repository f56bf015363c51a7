"""What a chart shows, as plain data that the page's script draws; the table beside it says the same."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from weilu.indicators.reading import Part
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period

MOST_BARS = 40
MOST_PAIRS = 20


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def size_of(count: int) -> str:
    """Return the class of a chart of bars that leaves room for them before they are drawn."""
    return next((name for most, name in ((2, "xs"), (6, "s"), (12, "m"), (22, "l")) if count <= most), "xl")


def bars(
    indicator: Indicator,
    rows: Sequence[tuple[str, Part, str]],
    median: float | None = None,
    marked: str = "",
    most: int = MOST_BARS,
) -> dict[str, Any]:
    """Return a chart of one figure by groups, the largest first, with the median as a line.

    Args:
        rows: name, figure and address of each group; of more than ``most`` the first and the last are shown.
        marked: name of the group that stands out.
    """
    known = [row for row in rows if row[1].value is not None]
    shown = sorted(known, key=lambda row: -(row[1].value or 0))
    if len(shown) > most:
        shown = shown[: most // 2] + shown[-(most // 2) :]
    return {
        "kind": "bars",
        "unit": str(indicator.unit),
        "labels": [name for name, _part, _link in shown],
        "marked": marked,
        "median": _rounded(median),
        "medianName": _("Median"),
        "size": size_of(len(shown)),
        "left": len(known) - len(shown),
        "series": [
            {
                "name": str(indicator.name),
                "values": [_rounded(part.value) for _name, part, _link in shown],
                "links": [link for _name, _part, link in shown],
            }
        ],
    }


def series(indicator: Indicator, parts: Sequence[Part | None], links: Sequence[str], name: str = "") -> dict[str, Any]:
    """Return one line of figures of a chart over time or groups."""
    return {
        "name": name or str(indicator.name),
        "values": [_rounded(part.value) if part else None for part in parts],
        "links": list(links),
    }


def columns(unit: object, labels: Sequence[str], lines: Sequence[dict[str, Any]], *, line: bool = False) -> dict:
    """Return a chart of upright bars side by side, or of lines."""
    return {"kind": "lines" if line else "columns", "unit": str(unit), "labels": list(labels), "series": list(lines)}


def month_labels(months: Sequence[Period]) -> list[str]:
    """Return the months' names, short; the year stands where it begins."""
    return [
        f"{month.start.year}-{month.start.month:02d}"
        if at == 0 or month.start.month == 1
        else f"{month.start.month:02d}"
        for at, month in enumerate(months)
    ]
