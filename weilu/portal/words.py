"""Where a matter or a booking stands, as one would say it to a neighbour."""

from django.utils.translation import gettext as _

from weilu.matters.models import Matter
from weilu.matters.workflow import State
from weilu.records.models import Event
from weilu.records.templatetags.weilu import exact, short_date
from weilu.venues.models import Booking
from weilu.venues.workflow import State as BookingState


def standing(matter: Matter) -> str:
    """Return one plain sentence: who has it, and by when the resident hears."""
    if matter.state == State.MERGED and matter.merged_into:
        main = matter.merged_into
        # Who raised it first rates it; the others read the result.
        after = _("It is settled; the result is below.") if main.state == State.SETTLED else standing(main)
        words = {"number": main.number, "standing": after}
        return _("Others raised the same. It is handled together with %(number)s. %(standing)s") % words
    day = short_date(matter.due_at) if matter.due_at else ""
    who = matter.holder or str(matter.place)
    sentences = {
        State.RAISED: _("We have received it and are choosing who handles it. You hear from us by %(day)s."),
        State.DISPATCHED: _("It was given to %(who)s. They answer you by %(day)s."),
        State.ORDERED: _("%(who)s is looking for a member to take it on. You hear from us by %(day)s."),
        State.UNDER_WAY: _("%(who)s is working on it and answers you by %(day)s."),
        State.ASKED: _("We have a question for you. Please answer it below; until then the work waits."),
        State.SETTLED: _("It is settled. Please tell us until %(until)s how it was done."),
        State.RATED: _("It is settled and you have rated it. Thank you."),
        State.UNRATED: _("It is settled. The time to rate it is over."),
        State.DECLINED: _("We cannot take it on; the reason is below."),
    }
    if matter.is_late:  # a day that is over is no promise
        sentences |= {
            State.RAISED: _("We have received it. We promised you an answer by %(day)s and are late; we are sorry."),
            State.DISPATCHED: _("%(who)s has it. They promised you an answer by %(day)s and are late; we are sorry."),
            State.ORDERED: _("%(who)s is looking for a member to take it on. We are late; we are sorry."),
            State.UNDER_WAY: _("%(who)s is working on it. They promised it by %(day)s and are late; we are sorry."),
        }
    until = short_date(matter.rate_until) if matter.rate_until else ""
    return sentences[State(matter.state)] % {"who": who, "day": day, "until": until}


def told(event: Event) -> str:
    """Return one step of a matter's history in plain words."""
    to = event.changes.get("to", "")
    steps = {
        "file": _("You raised it"),
        "dispatch": _("Given to %(to)s"),
        "order": _("%(to)s looks for a member to take it on"),
        "transfer": _("Passed on to %(to)s"),
        "decline": _("Not taken on"),
        "merge": _("Handled together with %(into)s"),
        "start": _("Work has begun"),
        "take": _("A member has taken it on"),
        "progress": _("How far it is"),
        "ask": _("We asked you"),
        # An account stands in the event when a clerk wrote down what the resident said to them.
        "answer": _("The office noted your answer") if event.actor_id else _("You answered"),
        "settle": _("Settled"),
        "rate": _("You rated it"),
        "reopen": _("You opened it again"),
        "lapse": _("The time to rate it is over"),
        "unmask": _("Your contact was looked at in full, because:"),
    }
    return steps.get(event.move, event.move) % {"to": to, "into": event.changes.get("into", "")}


def booking_standing(booking: Booking) -> str:
    """Return where a booking stands, in one plain sentence."""
    by = exact(booking.due_at) if booking.due_at else ""
    words = {"by": by, "starts": exact(booking.starts_at)}
    if booking.state == BookingState.WANTED and booking.is_late:
        return _("We have it. We promised you an answer by %(by)s and are late; we are sorry.") % words
    sentences = {
        BookingState.WANTED: _("We have it. The clerk of the venue answers by %(by)s."),
        BookingState.CONFIRMED: _("It is confirmed: the venue is yours from %(starts)s."),
        BookingState.REFUSED: _("It was not granted; the reason is below."),
        BookingState.CANCELLED: _("It was cancelled; the time is free again."),
    }
    return sentences[BookingState(booking.state)] % words


def booking_told(event: Event) -> str:
    """Return one step of a booking's history in plain words."""
    steps = {
        "ask_for": _("You asked for it"),
        "book": _("Booked for you"),
        "confirm": _("Confirmed"),
        "refuse": _("Not granted"),
        "cancel": _("Cancelled by the office") if event.actor_id else _("You took it back"),
        "expire": _("Nobody answered before its time came; we are sorry"),
        "unmask": _("Your contact was looked at in full, because:"),
    }
    return steps.get(event.move, event.move)
