"""The verbs that write venues, their hours and bookings."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext

from weilu.orgs.models import Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.records.calendar import BEIJING
from weilu.records.looking import keep_look
from weilu.records.models import Event, next_numbers
from weilu.records.moves import THE_RESIDENT, THE_SYSTEM, Actor, MoveError, NotAllowed, move
from weilu.records.outbox import notify
from weilu.records.secrets import secret_hash, secret_of
from weilu.venues.hours import Span, day_of
from weilu.venues.models import Booking, DayException, OpeningHours, Venue
from weilu.venues.queries import confirmed_between, keepers_of
from weilu.venues.workflow import State

AHEAD = 90  # days
ANSWER_WITHIN = 2  # working days
NO_TWO = "booking_no_two_at_once"


class BadTime(MoveError):
    """The venue cannot be booked at that time; the message says why and what to do."""


class Taken(BadTime):
    """Somebody else has the venue at that time."""

    def __init__(self) -> None:
        super().__init__(_lazy("Somebody else has booked this time. Choose another of the times that are free."))


class BadHours(ValueError):
    """Opening hours that cannot be; the message says which."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants a venue for.

    Attributes:
        intake_key: names this form; the same key again is the same booking.
        name, phone: how to reach a resident without an account; encrypted.
    """

    starts: dt.datetime
    ends: dt.datetime
    purpose: str
    intake_key: str
    people: int | None = None
    name: str = ""
    phone: str = ""


def may_keep(user: User, place: Place) -> bool:
    """Tell whether ``user`` keeps the venues of ``place``."""
    mine = places_in_scope(user, Permission.KEEP)
    return Place.objects.filter(mine, pk=place.pk).exists()


def _must_keep(user: User, place: Place) -> None:
    if not may_keep(user, place):
        raise PermissionDenied


# --- venues -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def enter(venue: Venue, *, by: User) -> Venue:
    """Enter a venue, or what has changed of it.

    Raises:
        PermissionDenied: ``by`` keeps no venues at its place.
        IntegrityError: one of this name is there.
    """
    _must_keep(by, venue.place)
    venue.save()
    return venue


@transaction.atomic
def close(venue: Venue, *, by: User) -> Venue:
    """Close a venue for good; its bookings to come must be cancelled first, each with a reason.

    Raises:
        BadTime: there are bookings to come.
    """
    _must_keep(by, venue.place)
    locked = Venue.objects.select_for_update().get(pk=venue.pk)
    if locked.bookings.filter(state=State.CONFIRMED).annotate(end=Upper("during")).filter(end__gt=timezone.now()):
        raise BadTime(_lazy("There are bookings to come. Cancel them first, each with a reason, then close the venue."))
    locked.valid_to = timezone.localdate()
    locked.save(update_fields=["valid_to"])
    return locked


def check_spans(spans: list[tuple[int, Span]]) -> None:
    """See that hours of a week can be.

    Raises:
        BadHours: a span closes before it opens, or two of a day overlap.
    """
    last: dict[int, Span] = {}
    for weekday, span in sorted(spans, key=lambda row: (row[0], row[1].opens)):
        if span.closes <= span.opens:
            raise BadHours(_("%(span)s: it must close after it opens.") % {"span": span})
        if weekday in last and span.opens < last[weekday].closes:
            raise BadHours(_("%(one)s and %(other)s overlap.") % {"one": last[weekday], "other": span})
        last[weekday] = span


@transaction.atomic
def set_hours(venue: Venue, spans: Iterable[tuple[int, Span]], *, by: User) -> None:
    """Set the week of a venue anew.

    Args:
        spans: day of the week (Monday is 0) and hours; a day may have several.

    Raises:
        BadHours: see :func:`check_spans`.
    """
    _must_keep(by, venue.place)
    wanted = list(spans)
    check_spans(wanted)
    Venue.objects.select_for_update().get(pk=venue.pk)
    venue.hours.all().delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(venue=venue, weekday=weekday, opens=span.opens, closes=span.closes) for weekday, span in wanted
    )


@transaction.atomic
def set_day(venue: Venue, day: dt.date, *, span: Span | None, note: str, by: User) -> DayException:
    """Set one date of a venue: closed, or open at other hours. The same date again replaces it.

    Raises:
        BadHours: it closes before it opens.
    """
    _must_keep(by, venue.place)
    check_spans([(0, span)] if span else [])
    hours = {"opens": span.opens if span else None, "closes": span.closes if span else None}
    return DayException.objects.update_or_create(venue=venue, day=day, defaults={**hours, "note": note})[0]


def drop_day(venue: Venue, day: dt.date, *, by: User) -> None:
    """Let a date be as any other again."""
    _must_keep(by, venue.place)
    venue.exceptions.filter(day=day).delete()


# --- bookings ---------------------------------------------------------------------------------------------------------
def check_time(venue: Venue, wish: Wish, now: dt.datetime) -> None:
    """See that ``venue`` can be booked as wished.

    Raises:
        BadTime: closed, past, too far ahead, too many people, or not for booking.
    """
    starts, ends = wish.starts.astimezone(BEIJING), wish.ends.astimezone(BEIJING)
    if not venue.bookable or (venue.valid_to and venue.valid_to <= starts.date()):
        raise BadTime(_lazy("This venue cannot be booked."))
    if ends <= starts:
        raise BadTime(_lazy("The booking must end after it starts."))
    if starts <= now:
        raise BadTime(_lazy("This time is over. Choose one to come."))
    if starts.date() > now.astimezone(BEIJING).date() + dt.timedelta(days=AHEAD):
        raise BadTime(_("A venue can be booked at most %(n)s days ahead.") % {"n": AHEAD})
    day = day_of(venue, starts.date())
    if ends.date() != starts.date() or not day.holds(starts.time(), ends.time()):
        open_then = "、".join(map(str, day.spans)) or day.why or pgettext("hours of a venue", "closed")
        raise BadTime(_("The venue is not open then. Its hours that day: %(hours)s.") % {"hours": open_then})
    if wish.people and venue.capacity and wish.people > venue.capacity:
        raise BadTime(_("The venue seats %(n)s people. Choose a larger one.") % {"n": venue.capacity})


def _new(venue: Venue, wish: Wish, state: State, by: User | None, now: dt.datetime) -> Booking:
    booking = Booking(
        jurisdiction=venue.jurisdiction,
        venue=venue,
        during=(wish.starts, wish.ends),
        purpose=wish.purpose,
        people=wish.people,
        contact_name=wish.name,
        contact_phone=wish.phone,
        intake_key=wish.intake_key,
        state=state,
        created_at=now,
        created_by=by,
    )
    booking.set_place(venue.place)
    if state == State.WANTED:
        booking.start_clock(ANSWER_WITHIN, now)
        booking.due_at = booking.promised_at = _answer_by(booking, now)
        if by is None:
            booking.secret_hash = secret_hash(secret_for(wish.intake_key))
    kind = Booking.workflow.kind
    Event.objects.create(
        jurisdiction=venue.jurisdiction,
        record_kind=kind,
        record_id=booking.pk,
        at=now,
        move="ask_for" if state == State.WANTED else "book",
        to_state=state,
        actor=by,
        actor_name=by.name if by else "",
    )
    [number] = next_numbers(venue.jurisdiction, kind, now)  # last: it holds a lock
    booking.number = number.replace("-", "-B", 1)  # apart from matters, which have the same counter's form
    booking.save(force_insert=True)
    booking.refresh_from_db(fields=["during"])
    return booking


def secret_for(intake_key: str) -> str:
    """Return the secret of the booking asked for under ``intake_key``."""
    return secret_of("booking", intake_key)


def _answer_by(booking: Booking, now: dt.datetime) -> dt.datetime:
    """Return when the answer is due: after the usual working days, or before the event where that comes first.

    Before the event is the last moment of working time ahead of it; where none is left, its beginning.
    """
    usual: dt.datetime = booking.due_at  # type: ignore[assignment]  # the clock was started
    begins = booking.during[0] if isinstance(booking.during, tuple) else booking.during.lower
    if usual < begins:
        return usual
    left = booking.hours.between(now, begins)
    return booking.hours.add(now, left) if left else begins


def _file(venue: Venue, wish: Wish, state: State, by: User | None) -> tuple[Booking, bool]:
    """Write a booking, or find the one that this form has made before; tell whether it is new."""
    now = timezone.now()
    there = Booking.objects.filter(jurisdiction=venue.jurisdiction, intake_key=wish.intake_key).first()
    if there:
        return there, False
    check_time(venue, wish, now)
    if confirmed_between(venue, wish.starts, wish.ends).exists():
        raise Taken
    try:
        with transaction.atomic():
            return _new(venue, wish, state, by, now), True
    except IntegrityError as error:
        if NO_TWO in str(error):
            raise Taken from error
        there = Booking.objects.filter(jurisdiction=venue.jurisdiction, intake_key=wish.intake_key).first()
        if there is None:
            raise
        return there, False


@transaction.atomic
def ask_for(venue: Venue, wish: Wish, *, by: User | None) -> Booking:
    """Ask for a venue: a resident without account, or somebody who does not keep it. A clerk answers.

    Raises:
        BadTime: it cannot be booked then, or is taken.
    """
    booking, new = _file(venue, wish, State.WANTED, by)
    if new:
        notify(keepers_of(venue), booking, "booking_wanted", str(venue))
    return booking


@transaction.atomic
def book(venue: Venue, wish: Wish, *, by: User) -> Booking:
    """Book a venue at once, as somebody who keeps it: for the office, or for a resident who telephones.

    Raises:
        NotAllowed: ``by`` keeps no venues there.
        BadTime: it cannot be booked then; of two at once, one gets it and the other is told.
    """
    if not may_keep(by, venue.place):
        raise NotAllowed
    return _file(venue, wish, State.CONFIRMED, by)[0]


def _tell(booking: Booking, kind: str, by: User) -> None:
    if booking.created_by and booking.created_by != by:
        notify([booking.created_by], booking, kind, str(booking.venue))


@transaction.atomic
def confirm(booking: Booking, *, by: User, version: int | None) -> Booking:
    """Confirm what was asked for.

    Raises:
        Taken: another booking of that time was confirmed before.
        BadTime: the venue has other hours by now.
        MoveError: see :func:`weilu.records.moves.move`.
    """

    def still_possible(locked: Booking) -> list[str]:
        wish = Wish(locked.starts_at, locked.ends_at, locked.purpose, "", locked.people)
        check_time(locked.venue, wish, timezone.now())
        return []

    try:
        with transaction.atomic():
            done = move(booking, "confirm", actor=Actor.account(by), version=version, prepare=still_possible)
    except IntegrityError as error:
        if NO_TWO not in str(error):
            raise
        raise Taken from error
    _tell(done, "booking_confirmed", by)
    return done


@transaction.atomic
def refuse(booking: Booking, *, by: User, version: int | None, note: str) -> Booking:
    """Refuse what was asked for, with the reason."""
    done = move(booking, "refuse", actor=Actor.account(by), version=version, note=note)
    _tell(done, "booking_refused", by)
    return done


@transaction.atomic
def cancel(booking: Booking, *, by: User | None, version: int | None, note: str) -> Booking:
    """Cancel a booking, with the reason; its time is free again.

    Args:
        by: the account that cancels; None for the resident who holds the booking's secret. Its keepers are told then.
    """
    if booking.during.upper <= timezone.now():
        raise BadTime(_lazy("This booking is over; it cannot be cancelled any more."))
    done = move(booking, "cancel", actor=Actor.account(by) if by else THE_RESIDENT, version=version, note=note)
    if by is None:
        notify(keepers_of(done.venue), done, "booking_withdrawn", str(done.venue))
    else:
        _tell(done, "booking_cancelled", by)
    return done


def expire_unanswered() -> int:
    """Close requests whose time has come without an answer; return how many."""
    late = Booking.objects.filter(state=State.WANTED, during__startswith__lt=timezone.now())
    count = 0
    for booking in late.order_by("pk")[:500]:
        try:
            with transaction.atomic():
                move(booking, "expire", actor=THE_SYSTEM, version=None)
            count += 1
        except MoveError:  # answered in this very moment
            continue
    return count


@transaction.atomic
def reveal_contact(booking: Booking, *, by: User, reason: str) -> dict[str, Any]:
    """Return the name and telephone in full, and keep who looked at them and why; who booked reads it.

    Raises:
        NotAllowed: ``by`` may not see contacts there.
        NoReason: none is given, see :func:`weilu.records.looking.reason_in`.
    """
    if not Booking.may(by, Permission.UNMASK, booking):
        raise NotAllowed
    keep_look(booking, reason=reason, by=by)
    return {"name": booking.contact_name, "phone": booking.contact_phone}
