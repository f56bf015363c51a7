"""A figure beside another: of two periods, of two places, of a place and the median of its siblings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from weilu.indicators.asked import Asked
from weilu.indicators.below import can_compare, middle, nothing, parts_of, places_of
from weilu.indicators.catalogue import catalogue
from weilu.indicators.choose import NotThere, place_of
from weilu.indicators.dashboard import COMPARED
from weilu.indicators.reading import LEVELS, Part, Reading, read
from weilu.indicators.words import less_is_better, period_words
from weilu.lib.indicators import Indicator, Measure
from weilu.lib.period import Period
from weilu.orgs.models import Level, Place

# With fewer siblings a median would tell a neighbour's figure to somebody who does not see it.
FEWEST = 3


@dataclass(frozen=True)
class Line:
    """A group with two figures and what lies between them; each opens into its rows."""

    name: str
    first: Part
    second: Part
    links: tuple[str, str] = ("", "")
    unit: str = ""

    @property
    def difference(self) -> float | None:
        """The first less the second; None where one has no value."""
        if self.first.value is None or self.second.value is None:
            return None
        return self.first.value - self.second.value

    @property
    def per_cent(self) -> float | None:
        """The difference in per cent of the second; None where that is nothing."""
        if self.difference is None or not self.second.value:
            return None
        return 100 * self.difference / self.second.value


@dataclass(frozen=True)
class Compared:
    """Two sides of a figure, whole and by groups.

    Attributes:
        heads: what the two sides are called.
        by: the way in which the lines are groups; empty where they are figures.
    """

    indicator: Indicator
    heads: tuple[str, str]
    whole: Line
    lines: list[Line] = field(default_factory=list)
    by: str = ""

    @property
    def apart(self) -> str:
        """The unit of the difference: two shares lie percentage points apart."""
        return _("percentage points") if self.indicator.measure is Measure.SHARE else str(self.indicator.unit)

    @property
    def answer(self) -> str:
        """The difference in a sentence; empty where there is none to tell."""
        change, ratio = self.whole.difference, self.whole.per_cent
        if change is None:
            return ""
        if not round(change, 1):
            return _("%(first)s is level with %(second)s") % {"first": self.heads[0], "second": self.heads[1]}
        if self.indicator.is_fraction or ratio is None:
            by = f"{abs(change):,.1f} {self.apart}"
        else:
            by = f"{abs(ratio):,.1f} %"
        words = _("%(first)s is %(by)s above %(second)s") if change > 0 else _("%(first)s is %(by)s below %(second)s")
        return words % {"first": self.heads[0], "second": self.heads[1], "by": by}

    @property
    def tone(self) -> str:
        """``better`` or ``worse`` where less is plainly better; else nothing."""
        if not self.whole.difference or not (less_is_better(self.indicator) or self.indicator.is_fraction):
            return ""
        return "better" if (self.whole.difference > 0) != less_is_better(self.indicator) else "worse"


def place_named(text: str, reach: Q) -> Place:
    """Return a place by its code or its name.

    Raises:
        NotThere: there is none in reach, or several of that name; the message says what to do.
    """
    text = text.strip()
    if text.replace("-", "").isdigit():
        return place_of(text, reach)
    found = list(Place.objects.filter(reach, Q(name=text) | Q(short_name=text), valid_to=None).order_by("level")[:3])
    if not found:
        raise NotThere(_("There is no place “%(text)s” within your reach.") % {"text": text})
    if len(found) > 1 and found[0].level == found[1].level:
        raise NotThere(_("Several places are called “%(text)s”. Write the code.") % {"text": text})
    return found[0]


def _rows(asked: Asked, indicator: Indicator, place: Place, period: Period, **group: str) -> str:
    query = asked.link(place=place.code, period=period.text, **group)
    return reverse("figure_rows", args=[indicator.code]) + query


def _lines(first: Reading, second: Reading, links: tuple) -> list[Line]:
    """Return the groups of both sides, in the order of the first."""
    other = {part.key: part for part in second.parts}
    pairs = [(part, other.pop(part.key, None)) for part in first.parts]
    pairs += [(nothing(first.indicator, part.key, part.name), part) for part in other.values()]
    return [
        Line(
            part.name,
            part,
            there or nothing(first.indicator, part.key, part.name),
            tuple(each(part.key) for each in links),  # type: ignore[arg-type]
            str(first.indicator.unit),
        )
        for part, there in pairs
    ]


def two(asked: Asked, indicator: Indicator, sides: Sequence[tuple[Place, Period]], heads: tuple, by: str) -> Compared:
    """Compare a figure of two places or periods, by groups that both have."""
    counted = asked.counted(indicator)
    readings = [read(counted, place, period, by) for place, period in sides]
    wholes = tuple(_rows(asked, indicator, place, period) for place, period in sides)
    links = tuple(
        lambda key, place=place, period=period: _rows(asked, indicator, place, period, by=by, key=key)
        for place, period in sides
    )
    whole = Line("", readings[0].whole, readings[1].whole, wholes, str(indicator.unit))  # type: ignore[arg-type]
    return Compared(indicator, heads, whole, _lines(readings[0], readings[1], links) if by else [], by)  # type: ignore[arg-type]


def periods(asked: Asked, indicator: Indicator, other: Period, by: str) -> Compared:
    """Compare a figure of two periods."""
    sides = [(asked.place, asked.period), (asked.place, other)]
    return two(asked, indicator, sides, (period_words(asked.period), period_words(other)), by)


def places(asked: Asked, indicator: Indicator, other: Place, by: str) -> Compared:
    """Compare a figure of two places; groups below them are not the same and are left out."""
    sides = [(asked.place, asked.period), (other, asked.period)]
    return two(asked, indicator, sides, (str(asked.place), str(other)), "" if by in LEVELS else by)


@dataclass(frozen=True)
class Siblings:
    """A place among those of the same parent.

    Attributes:
        count: how many others there are.
        rank: where the place stands, 1 for the best; 0 where it has no value.
        parts: each with its figure and address, where the reader reads the parent's figures.
    """

    compared: Compared
    parent: Place
    count: int
    rank: int
    parts: list[tuple[str, Part, str]]


def _median_line(asked: Asked, indicator: Indicator, parent: Place, around: Sequence[Place]) -> tuple[Line, list[Part]]:
    by = next(name for name, level in LEVELS.items() if level == asked.place.level)
    parts = parts_of(read(asked.counted(indicator), parent, asked.period, by), around)
    mine = next(part for part in parts if part.key == asked.place.code)
    others = [part for part in parts if part.key and part.key != asked.place.code]
    median = Part("", _("Median"), middle(others), None, None, len(others))
    return Line(str(indicator.name), mine, median, (_rows(asked, indicator, asked.place, asked.period), ""),
                str(indicator.unit)), parts  # fmt: skip


def siblings(asked: Asked, indicator: Indicator, reach: Q) -> Siblings | None:
    """Set a place beside the median of the others of its parent; None where there are too few, no parent, or the
    place has ended.

    Args:
        reach: the places whose figures the reader reads; siblings outside of it are only part of the median.
    """
    parent = asked.place.parent
    if parent is None or asked.place.valid_to is not None:  # among those of today stands what goes on from it
        return None
    around = places_of(parent, Level(asked.place.level))
    open_to_reader = Place.objects.filter(reach, pk=parent.pk).exists()
    others = [place for place in around if place.code != asked.place.code]
    if len(others) == len(around) or len(others) < (1 if open_to_reader else FEWEST):
        return None
    whole, parts = _median_line(asked, indicator, parent, around)
    codes = [code for code in COMPARED if code != indicator.code and can_compare(catalogue()[code], parent)]
    lines = [whole, *(_median_line(asked, catalogue()[code], parent, around)[0] for code in codes)]
    heads = (str(asked.place), _("Median of the others"))
    named = [
        (part.name, part, _rows(asked, indicator, parent, asked.period, by=_level_of(asked.place), key=part.key))
        for part in parts
        if part.key
    ]
    rank = _rank(indicator, whole.first, parts)
    return Siblings(
        Compared(indicator, heads, whole, lines), parent, len(others), rank, named if open_to_reader else []
    )


def _level_of(place: Place) -> str:
    return next(name for name, level in LEVELS.items() if level == place.level)


def _rank(indicator: Indicator, mine: Part, parts: Sequence[Part]) -> int:
    if mine.value is None:
        return 0
    values = [part.value for part in parts if part.key and part.value is not None]
    if less_is_better(indicator):
        return 1 + sum(value < mine.value for value in values)
    return 1 + sum(value > mine.value for value in values)
