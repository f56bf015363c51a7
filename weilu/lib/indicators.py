"""What an indicator is. Each is defined once, beside the records it counts; :mod:`weilu.indicators` reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Measure(StrEnum):
    """How rows become a value."""

    COUNT = "count"
    PEOPLE = "people"  # distinct values of a column: who comes twice counts once
    SUM = "sum"
    SHARE = "share"  # rows that fulfil a condition among all rows, in per cent
    RATIO = "ratio"  # sum of an expression over the number of rows


class Adds(StrEnum):
    """Over what values may be added up."""

    PLACES_AND_TIME = "places_and_time"
    PLACES = "places"  # a stock at a date: two months of it are not twice as much
    NOTHING = "nothing"  # shares, ratios, distinct people


@dataclass(frozen=True)
class Breakdown:
    """A way to take a figure apart.

    Attributes:
        code: as commands and addresses name it.
        label: what the reader sees.
        key: column whose values name the groups.
        name: column with the groups' names; by default the key itself.
        choices: labels of the keys, where the column has a fixed set of values.
    """

    code: str
    label: str | Promise
    key: str
    name: str = ""
    choices: Callable[[], dict[Any, Any]] | None = None


@dataclass(frozen=True)
class Indicator:
    """A figure: which rows, measured how, where and when.

    Attributes:
        code: stable name, such as ``matters.settled``.
        name: what it is called.
        scope: which rows count and which do not (口径), in words.
        unit: 件, 人, %, 天 …
        mechanism: id of the mechanism whose records it counts.
        rows: the rows, without place and time.
        visible: those of the rows that a reader may open.
        version: raised whenever the same rows would give another value than before.
        figures: published figures that it yields.
        measure: see :class:`Measure`.
        value: column that is summed or whose distinct values count; an expression for a ratio.
        part: the condition of a share.
        part_names: what a reader calls the rows that fulfil it, and the others.
        at: column of the time that places a row in a period; empty for a stock.
        since, until: for a stock: columns of the first day or moment that a row counts and of the first that it no
            longer does.
        place: ``""`` where the rows have place columns themselves, the path to them with ``__`` behind it, or the
            column of a place's path where it ends in ``path``.
        breakdowns: ways to take it apart besides places and months.
        columns: what the list of rows shows: label and attribute.
        opens: the permission by whose grant at a place every row of the place may be opened; empty where that
            hangs on more than the place.
        open_to_all: whether everybody with an account may open every row.
        by_now: whether which rows count hangs on the moment at which it is asked: it is always read from the records.
        people: whether it counts people: small numbers are then kept from the public.
    """

    code: str
    name: str | Promise
    scope: str | Promise
    unit: str | Promise
    mechanism: str
    rows: Callable[[], QuerySet]
    visible: Callable[[QuerySet, Any], QuerySet]
    version: int = 1
    figures: tuple[str, ...] = ()
    measure: Measure = Measure.COUNT
    value: str | Combinable = "pk"
    part: Q | None = None
    part_names: tuple[str | Promise, str | Promise] = (_("counted"), _("not counted"))
    at: str = ""
    since: str = ""
    until: str = ""
    place: str = ""
    breakdowns: tuple[Breakdown, ...] = ()
    columns: tuple[tuple[str | Promise, str], ...] = ()
    opens: str = ""
    open_to_all: bool = False
    by_now: bool = False
    people: bool = False

    def __post_init__(self) -> None:
        if bool(self.at) == bool(self.since):
            raise ValueError(f"{self.code}: either `at` or `since`")
        if (self.measure is Measure.SHARE) != (self.part is not None):
            raise ValueError(f"{self.code}: a share, and only a share, has a `part`")

    @property
    def stock(self) -> bool:
        """Whether it is read at a date, not over a time."""
        return bool(self.since)

    @property
    def adds(self) -> Adds:
        """How values of it may be added up."""
        if self.measure in (Measure.SHARE, Measure.RATIO, Measure.PEOPLE):
            return Adds.NOTHING
        return Adds.PLACES if self.stock else Adds.PLACES_AND_TIME

    @property
    def is_fraction(self) -> bool:
        """Whether it has a numerator and a denominator."""
        return self.measure in (Measure.SHARE, Measure.RATIO)
