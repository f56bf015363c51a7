"""The verbs that make posts and fill them. The database refuses two holders of a seat; here it is said in words."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.models import Grant, Organisation, User
from weilu.orgs.roles import ORGANISATION_ROLES
from weilu.orgs.sharding import key_of
from weilu.people.appointment_rules import (
    MESSAGES,
    AppointmentError,
    check_begin,
    check_inside,
    check_person,
    check_post,
    check_seats,
    in_words,
    lasting,
    locked,
    may_give,
    overlapping,
    seat_for,
    taken_words,
)
from weilu.people.models import Appointment, Person, Post
from weilu.records.models import Event

POST_COLUMNS = ("title", "position", "strength", "leads", "role")
# Posts.


def make_post(
    organisation: Organisation, *, title: str, by: User | None, since: dt.date | None = None, position: int = 0,
    strength: int = 1, leads: bool = False, role: str = "",
) -> Post:  # fmt: skip
    """Make a post of a body.

    Args:
        by: who enters it; None for an import or the demo.
        since: its first day; that of the body if not given.
        strength: how many hold it at once.
        role: what its holder may do with their account, as long as they hold it.

    Raises:
        AppointmentError: the title is taken or empty, the day lies outside the body's, or ``by`` may not give ``role``.
    """
    post = Post(
        jurisdiction_id=organisation.jurisdiction_id, organisation=organisation, title=title.strip(),
        valid_from=since or organisation.valid_from, position=position, strength=strength, leads=leads, role=role,
    )  # fmt: skip
    with in_words():
        check_inside(post.valid_from, None, organisation)
        check_post(post, by)
        post.save(force_insert=True)
        _note(post, "post_make", by, {name: getattr(post, name) for name in POST_COLUMNS})
    return post


def change_post(post: Post, *, by: User | None, on: dt.date | None = None, **given: Any) -> Post:
    """Correct a post. With another role, the accounts of its holders change theirs on ``on`` (today if not given).

    Raises:
        AppointmentError: as for :func:`make_post`; or more people hold it than it would have seats, or somebody held
            it before the day from which it would be there.
    """
    with in_words():
        held = locked(post)
        names = (*POST_COLUMNS, "valid_from")
        given = {name: given[name] for name in names if name in given and given[name] != getattr(held, name)}
        if not given:
            return held
        was_role = held.role
        for name, value in given.items():
            setattr(held, name, value)
        check_post(held, by, asks_for=was_role if "role" in given else "")
        if "valid_from" in given:
            check_begin(held)
        check_seats(held, on or timezone.localdate())
        held.save(update_fields=list(given))
        if "role" in given:
            _change_role(held, on or timezone.localdate())
        _note(held, "post_change", by, given | ({"valid_from": str(held.valid_from)} if "valid_from" in given else {}))
    return held


def close_post(post: Post, *, by: User | None, on: dt.date) -> Post:
    """Close a post on a day, and end the appointments to it.

    Raises:
        AppointmentError: it is closed already, or somebody was appointed to it from ``on`` or later.
    """
    with in_words():
        held = locked(post)
        if held.valid_to and held.valid_to <= on:
            raise AppointmentError(_("The post was closed on %(day)s already.") % {"day": held.valid_to}, "on")
        for appointment in lasting(held, on):
            end_appointment(appointment, by=by, on=on)
        held.valid_to = on
        held.save(update_fields=["valid_to"])
        _note(held, "post_close", by, {"until": on.isoformat()})
    return held


# Appointments.


def appoint(
    post: Post, *, person: Person, by: User | None, since: dt.date, until: dt.date | None = None,
    seat: int | None = None, document: str = "", rank: str = "",
) -> Appointment:  # fmt: skip
    """Appoint a person to a post, to the first seat that is free on these days.

    If the person has an account and the post a role, a grant of the same days comes with it.

    Args:
        by: who enters it; None for an import or the demo.
        until: the first day on which they no longer hold it; None until further notice.
        seat: a seat of choice, from 1 up to the post's strength.

    Raises:
        AppointmentError: every seat is held on some of these days, this person holds the post already, the seat is
            beyond the post's strength, the days lie outside those of post or body, or ``by`` may not give the role.
    """
    with in_words():
        held = locked(post)
        check_person(person, held)
        if until and until <= since:
            raise AppointmentError(str(MESSAGES["appointment_ends_later"][1]), "until")
        check_inside(since, until, held.organisation, held)
        may_give(by, held)
        row = Appointment(
            jurisdiction_id=held.jurisdiction_id, post=held, person=person, valid_from=since,
            seat=seat_for(held, person, since, until, seat),
            valid_to=until, document=document.strip(), rank=rank.strip(),
        )  # fmt: skip
        row.save(force_insert=True)
        give_grant(row)
        _note(held, "appoint", by, _days(row))
    return row


def end_appointment(appointment: Appointment, *, by: User | None, on: dt.date, document: str = "") -> Appointment:
    """End an appointment; ``on`` is the first day on which the person no longer holds the post. Its grant ends too.

    Raises:
        AppointmentError: it ended before, or ``on`` is not after the day on which it began.
    """
    with in_words():
        locked(appointment.post)
        rows = Appointment.objects.select_for_update(of=["self"]).select_related("post", "grant")
        row = rows.get(**key_of(appointment))
        if row.valid_to and row.valid_to <= on:
            raise AppointmentError(_("This appointment ended on %(day)s already.") % {"day": row.valid_to}, "on")
        if on <= row.valid_from:
            raise AppointmentError(
                _("It began on %(day)s and ends the day after at the earliest. If it never was, take it back.")
                % {"day": row.valid_from},
                "on",
            )
        row.valid_to = on
        row.save(update_fields=["valid_to"])
        _end_grant(row.grant, on)
        _note(row.post, "appointment_end", by, _days(row) | ({"document": document.strip()} if document else {}))
    return row


def hand_over(
    appointment: Appointment, *, to: Person, by: User | None, on: dt.date, until: dt.date | None = None,
    document: str = "", rank: str = "",
) -> tuple[Appointment, Appointment]:  # fmt: skip
    """Hand a seat over: one ends and the next begins on the same day, grants included, or nothing happens.

    Args:
        until: the first day on which the successor no longer holds it; None until further notice.

    Returns:
        the appointment that ended, and the new one.

    Raises:
        AppointmentError: as for :func:`end_appointment` and :func:`appoint`.
    """
    with in_words():
        ended = end_appointment(appointment, by=by, on=on, document=document)
        begun = appoint(
            ended.post, person=to, by=by, since=on, until=until, seat=ended.seat, document=document,
            rank=rank or ended.rank,
        )  # fmt: skip
    return ended, begun


def reinstate(appointment: Appointment, *, by: User | None) -> Appointment:
    """Take back the end of an appointment: it was a mistake, and the person holds the post until further notice again.

    The grant that ended with it goes on too.

    Raises:
        AppointmentError: it has not ended, post or body are closed, somebody else holds the seat since, or ``by`` may
            not give the role.
    """
    with in_words():
        held = locked(appointment.post)
        rows = Appointment.objects.select_for_update(of=["self"]).select_related("grant", "person")
        row = rows.get(**key_of(appointment))
        row.post = held
        if row.valid_to is None:
            raise AppointmentError(_("This appointment has not ended."))
        if row.seat > held.strength:
            raise AppointmentError(
                _("The post “%(post)s” has %(strength)s seats.") % {"post": held, "strength": held.strength}
            )
        check_inside(row.valid_from, None, held.organisation, held)
        after = overlapping(held.appointments, row.valid_to, None).exclude(pk=row.pk).select_related("person")
        if others := [each for each in after if each.seat == row.seat or each.person_id == row.person_id]:
            raise AppointmentError(taken_words(held, others))
        may_give(by, held)
        ended, row.valid_to = row.valid_to, None
        row.save(update_fields=["valid_to"])
        place = held.organisation.place_id
        if row.grant and (row.grant.valid_to, row.grant.role, row.grant.place_id) == (ended, held.role, place):
            row.grant.valid_to = None
            row.grant.save(update_fields=["valid_to"])
        elif row.grant and row.grant.valid_to != ended:
            pass  # it had been withdrawn by itself
        elif row.grant:  # the role or the place of before; that of today is given from today
            row.grant = None
            row.save(update_fields=["grant"])
            begun, row.valid_from = row.valid_from, max(row.valid_from, timezone.localdate())
            give_grant(row)
            row.valid_from = begun
        else:
            give_grant(row)
        _note(held, "appointment_end_undo", by, _days(row) | {"until": ended.isoformat()})
    return row


def predecessor(appointment: Appointment) -> Appointment | None:
    """Return the appointment to the same seat that ended on the day on which this one began."""
    rows = appointment.post.appointments.filter(seat=appointment.seat, valid_to=appointment.valid_from)
    return rows.exclude(pk=appointment.pk).select_related("person", "post").first()


def take_back_hand_over(appointment: Appointment, *, by: User | None) -> Appointment | None:
    """Take back an appointment and give the seat back to who held it until that day; both or nothing.

    Returns:
        the appointment that goes on; None where nobody had held the seat.

    Raises:
        AppointmentError: as for :func:`reinstate`.
    """
    with in_words():
        before = predecessor(appointment)
        take_back(appointment, by=by)
        return reinstate(before, by=by) if before else None


def take_back(appointment: Appointment, *, by: User | None) -> None:
    """Take back an appointment that was entered by mistake: it never was. Its grant stays, as one that never held."""
    with in_words():
        post = locked(appointment.post)
        row = Appointment.objects.select_for_update(of=["self"]).select_related("grant").get(**key_of(appointment))
        grant = row.grant
        _note(post, "appointment_undo", by, _days(row))
        row.delete()
        if grant:
            grant.valid_to = grant.valid_from
            grant.save(update_fields=["valid_to"])


# The grant that comes with a post.


def give_grant(appointment: Appointment) -> Grant | None:
    """Give the holder's account the post's role, for the days of the appointment; once, and only if there are both.

    Whoever gives a person an account later calls this for each of their appointments.
    """
    role, user = appointment.post.role, appointment.person.user
    if not role or user is None or appointment.grant_id:
        return appointment.grant
    body = appointment.post.organisation
    appointment.grant = Grant.objects.create(
        user=user, jurisdiction_id=appointment.jurisdiction_id, role=role, place=body.place,
        organisation=body if role in ORGANISATION_ROLES else None,
        valid_from=appointment.valid_from, valid_to=appointment.valid_to,
    )  # fmt: skip
    appointment.save(update_fields=["grant"])
    return appointment.grant


def _end_grant(grant: Grant | None, on: dt.date) -> None:
    if grant and (grant.valid_to is None or grant.valid_to > on):
        grant.valid_to = max(on, grant.valid_from)
        grant.save(update_fields=["valid_to"])


def _change_role(post: Post, on: dt.date) -> None:
    """End the grants of the post's holders, and give them those of its role as it is now."""
    for row in lasting(post, on).select_related("grant", "person__user"):
        _end_grant(row.grant, on)
        row.post, row.grant = post, None
        row.save(update_fields=["grant"])
        begun, row.valid_from = row.valid_from, max(on, row.valid_from)
        give_grant(row)
        row.valid_from = begun


# A body with its posts and people.


# History.


def _days(row: Appointment) -> dict[str, str]:
    """What an event says of an appointment: keys and days; the name stands in the person's own row."""
    return {
        "post": row.post.title, "appointment": str(row.pk), "person": str(row.person_id), "seat": str(row.seat),
        "since": row.valid_from.isoformat(), "until": row.valid_to.isoformat() if row.valid_to else "",
    }  # fmt: skip


def _note(post: Post, move: str, by: User | None, changes: dict[str, Any]) -> None:
    """Write what was done into the history of the body, in the same transaction."""
    Event.objects.create(
        jurisdiction_id=post.jurisdiction_id, record_kind="organisation", record_id=post.organisation_id, move=move,
        actor=by, actor_name=by.name if by else "", changes={"post": post.title, **changes}, open_to_resident=False,
    )  # fmt: skip
