"""The questions asked of venues and bookings."""

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from weilu.orgs.models import Grant, Jurisdiction, Place, User, valid_on
from weilu.orgs.roles import PERMISSIONS, Permission, Role
from weilu.records.calendar import BEIJING, is_announced
from weilu.venues.hours import Day, Span, day_of
from weilu.venues.models import Booking, BookingQuerySet, Venue, VenueQuerySet, Zone
from weilu.venues.workflow import State

# Who keeps venues and answers for them; administrators may, but are not told of each booking.
KEEPERS = [str(role) for role, may in PERMISSIONS.items() if Permission.KEEP in may and role != Role.ADMINISTRATOR]


def zones_of(jurisdiction: Jurisdiction) -> QuerySet[Zone]:
    """Return the functional zones in use today."""
    return Zone.objects.filter(valid_on(timezone.localdate()), jurisdiction=jurisdiction)


def public_venues(jurisdiction: Jurisdiction, place: Place | None = None) -> VenueQuerySet:
    """Return the venues that are there today, in a place or the whole county, with what a list shows."""
    rows = Venue.objects.current().filter(jurisdiction=jurisdiction)
    if place:
        rows = rows.filter(place__path__startswith=place.path)
    return rows.select_related("zone", "place__parent").prefetch_related("hours", "exceptions")


def keepers_of(venue: Venue) -> QuerySet[User]:
    """Return the accounts to tell of a booking: the clerks at the venue's place, else those of the place above."""
    grants = Grant.objects.filter(valid_on(timezone.localdate()), role__in=KEEPERS, organisation=None)
    for code in reversed(venue.place.ancestor_codes):
        there = grants.filter(place__code=code)
        if there.exists():
            return User.objects.filter(pk__in=there.values("user"), is_active=True)[:50]
    return User.objects.none()


def confirmed_between(venue: Venue, starts: dt.datetime, ends: dt.datetime) -> QuerySet[Booking]:
    """Return the confirmed bookings that touch a time, in its order."""
    rows = venue.bookings.filter(state=State.CONFIRMED, during__overlap=(starts, ends))
    return rows.order_by(Lower("during"))


@dataclass(frozen=True)
class CalendarDay:
    """A row of a venue's week: its hours, what is booked, what is left."""

    day: Day
    booked: list[Booking]
    free: list[Span]
    past: bool

    @property
    def today(self) -> bool:
        return self.day.date == timezone.localdate()

    @property
    def bars(self) -> list[tuple[str, float, float]]:
        """What the day's strip shows: a tone, and from where to where in per cent of :data:`SHOWN_DAY`."""
        open_then = [("open", span.opens, span.closes) for span in self.day.spans]
        taken = [("taken", row.starts_at.time(), row.ends_at.time()) for row in self.booked]
        return [
            (tone, _per_cent(opens), round(_per_cent(closes) - _per_cent(opens), 2))
            for tone, opens, closes in [*open_then, *taken]
            if _per_cent(closes) > _per_cent(opens)
        ]


SHOWN_DAY = (7, 22)  # o'clock


def _per_cent(moment: dt.time) -> float:
    first, last = SHOWN_DAY
    hours = moment.hour + moment.minute / 60
    return round(100 * (min(max(hours, first), last) - first) / (last - first), 2)


def _free(day: Day, booked: list[Booking], now: dt.datetime) -> list[Span]:
    left = []
    for span in day.spans:
        opens = dt.datetime.combine(day.date, span.opens, BEIJING)
        closes = dt.datetime.combine(day.date, span.closes, BEIJING)
        taken = [(row.starts_at, row.ends_at) for row in booked if row.starts_at < closes and row.ends_at > opens]
        edges = [(opens, max(opens, now)), *taken, (closes, closes)]
        left += [Span(before[1].time(), after[0].time()) for before, after in pairwise(edges) if before[1] < after[0]]
    return left


def week_of(venue: Venue, monday: dt.date, now: dt.datetime | None = None) -> list[CalendarDay]:
    """Return seven days of a venue from ``monday``: hours, confirmed bookings, and what is still free."""
    local = (now or timezone.now()).astimezone(BEIJING).replace(second=0, microsecond=0)
    starts = dt.datetime.combine(monday, dt.time(), BEIJING)
    booked = list(confirmed_between(venue, starts, starts + dt.timedelta(days=7)))
    rows = []
    for offset in range(7):
        day = day_of(venue, monday + dt.timedelta(days=offset))
        mine = [row for row in booked if row.starts_at.date() == day.date]
        past = day.date < local.date()
        rows.append(CalendarDay(day, mine, [] if past else _free(day, mine, local), past))
    return rows


def unlisted_year(venue: Venue, week: list[CalendarDay]) -> int | None:
    """Return the year of a week whose official list of holidays is not out yet, if the venue keeps holidays."""
    years = (row.day.date.year for row in week if not row.past)
    return next((year for year in years if venue.keeps_holidays and not is_announced(year)), None)


def to_answer(user: User) -> BookingQuerySet:
    """Return what somebody asked for and nobody has answered, the first to come first."""
    rows: BookingQuerySet = Booking.objects.kept_by(user).filter(state=State.WANTED)  # type: ignore[attr-defined]
    clash = Booking.objects.filter(venue=OuterRef("venue"), jurisdiction=OuterRef("jurisdiction"))
    clash = clash.filter(state=State.CONFIRMED, during__overlap=OuterRef("during"))
    return rows.annotate(clashes=Exists(clash)).select_related("venue__place").order_by(Lower("during"))


def to_come(rows: QuerySet[Booking]) -> QuerySet[Booking]:
    """Narrow bookings to confirmed ones that are not over, the next first."""
    found = rows.filter(state=State.CONFIRMED, during__endswith__gt=timezone.now())
    return found.select_related("venue__place").order_by(Lower("during"))


def stranded(venue: Venue) -> list[Booking]:
    """Return the confirmed bookings to come that lie outside the hours as they are now."""
    return [
        row
        for row in to_come(venue.bookings.all())
        if not day_of(venue, row.starts_at.date()).holds(row.starts_at.time(), row.ends_at.time())
    ]
