"""Tags of every template: icons, clocks and times in plain words."""

import datetime as dt
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weilu.records.models import Record

register = template.Library()


@register.simple_tag
@lru_cache(1000)
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite; decoration only, the words beside it say the same."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false" width="24" height="24"><use href="{}#{}"/></svg>',
        size,
        static("vendor/icons.svg"),
        name,
    )


def _span(seconds: float) -> str:
    """Return a length of time in the one unit that says enough."""
    if seconds >= 86400:
        days = round(seconds / 86400)
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    if seconds >= 3600:
        hours = round(seconds / 3600)
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    minutes = max(1, round(seconds / 60))
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}


def short_date(moment: dt.datetime) -> str:
    """Return the day, with the year only where it is not this one."""
    local = timezone.localtime(moment)
    this_year = local.year == timezone.localtime().year
    # Translators: Django date formats; the first for this year, the second for other years.
    return date_format(local, _("j M") if this_year else _("j M Y"))


@register.simple_tag
def clock(record: Record) -> SafeString:
    """A badge that says until when something is owed: colour and words together."""
    now = timezone.now()
    if record.clock_left is not None:
        return format_html('<span class="clock clock-wait">{}{}</span>', icon("clock-pause"), _("clock stands"))
    if record.due_at is None:
        return SafeString("")
    left = (record.due_at - now).total_seconds()
    if left < 0:
        text, tone = _("%(span)s late") % {"span": _span(-left)}, "late"
    else:
        text, tone = _("%(span)s left") % {"span": _span(left)}, "soon" if left < 86400 else "run"
    moment = exact(record.due_at)
    name = "alert-triangle" if tone == "late" else "clock"
    return format_html('<span class="clock clock-{}" title="{}">{}{}</span>', tone, moment, icon(name), text)


TONES = {
    "raised": "wait",
    "ordered": "wait",
    "dispatched": "run",
    "under_way": "run",
    "asked": "wait",
    "settled": "done",
    "rated": "done",
    "unrated": "done",
    "declined": "off",
    "merged": "off",
    "wanted": "wait",
    "confirmed": "done",
}


@register.simple_tag
def state(record: Record) -> SafeString:
    """The record's state as a badge."""
    return format_html(
        '<span class="state state-{}">{}</span>',
        TONES.get(record.state, "off"),
        type(record).workflow.states(record.state).label,  # type: ignore[attr-defined]
    )


@register.simple_tag
def ago(moment: dt.datetime | None) -> SafeString:
    """How long ago, with the exact time on hover and for machines."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment)
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 60:
        text = _("just now")
    elif seconds < 7 * 86400:
        text = _("%(span)s ago") % {"span": _span(seconds)}
    else:
        text = short_date(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="minutes"), exact(moment), text
    )


@register.simple_tag
def took(record) -> str:
    """How long a settled record took, in words."""
    if not record.settled_at:
        return ""
    return _("took %(span)s") % {"span": _span((record.settled_at - record.created_at).total_seconds())}


@register.simple_tag
def distance(metres: float) -> str:
    """``350 m`` or ``2.4 km``."""
    return f"{round(metres, -1):.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


@register.filter
def unlocalize_number(number: float) -> str:
    """A number for a machine: a point, no grouping."""
    return repr(number)


@register.filter
def exact(moment: dt.datetime | None) -> str:
    """``2026-11-22 09:32``, Beijing time."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""


@register.filter
def on_day(moment: dt.datetime | None) -> str:
    """The day, short."""
    return short_date(moment) if moment else ""


@register.filter
def thousands(number: float | None) -> str:
    """``12,345``."""
    return "" if number in (None, "") else f"{number:,.0f}"


@register.filter
def amount(number: float | None) -> str:
    """A figure's value: ``12,345``, ``88.3``, or a dash where there is nothing to judge."""
    if number is None:
        return "–"
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"


@register.filter
def plain(value: object) -> str:
    """A cell of a list of rows: times and days short, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, dt.datetime):
        return exact(value)
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else str(value)


@register.filter
def capped(number: int) -> str:
    """A count that may have stopped at its limit of 1,000: ``1,000+``."""
    return f"{number - 1:,}+" if number == 1_001 else f"{number:,}"


@register.filter
def one_decimal(number: float | None) -> str:
    """``3.4``; a dash where there is nothing."""
    return "–" if number in (None, "") else f"{number:.1f}"


@register.filter
def times(count: int) -> range:
    """``1 … count``, to repeat something."""
    return range(1, int(count or 0) + 1)


@register.filter
def get(mapping: dict, key: str):
    """A value of a mapping."""
    return mapping.get(key)


@register.simple_tag
def bar(value: float, most: float, label: str) -> SafeString:
    """A bar of a chart, as an SVG whose length is ``value`` of ``most``; the number stands beside it."""
    width = 0 if not most else max(1.0, 100 * float(value) / float(most))
    return format_html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="bar-rest" width="100" height="8"/><rect class="bar-full" width="{}" height="8"/></svg>',
        label,
        f"{width:.1f}",
    )


@register.filter
def words(text: str) -> list[str]:
    """The words of a text, to loop over."""
    return text.split()


@register.filter
def field(form, name: str):
    """A field of a form by its name."""
    return form[name]
