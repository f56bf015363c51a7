"""Tags of the pages of figures."""

from django import template

from weilu.indicators.words import period_words
from weilu.lib.period import Period

register = template.Library()


@register.filter
def in_words(period: Period | str) -> str:
    """A period as one says it."""
    return period_words(Period.of(period) if isinstance(period, str) else period)


@register.filter
def signed(number: float | None) -> str:
    """A difference: ``+12``, ``-3.4``, ``0``, or a dash where there is nothing to compare."""
    if number is None:
        return "–"
    number = round(number, 1)
    if not number:
        return "0"
    return f"{number:+,}" if isinstance(number, int) else f"{number:+,.1f}"


@register.filter
def whole(text: str) -> bool:
    """Tell whether a cell is read as one: a number, a day, a person's name. Its line is not broken."""
    return text.isascii() or len(text) <= 5
