"""The verbs that make posts and fill them. The database refuses two holders of a seat; here it is said in words."""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.orgs.bodies import BodyError, close_body, constraint_of
from weilu.orgs.models import Grant, Organisation, Place, User
from weilu.orgs.roles import ORGANISATION_ROLES, PERMISSIONS, Permission, Role
from weilu.orgs.sharding import key_of
from weilu.people.models import Appointment, Membership, Person, Post
from weilu.records.models import Event

POST_COLUMNS = ("title", "position", "strength", "leads", "role")
MESSAGES: dict[str, tuple[str, Promise]] = {
    "appointment_one_holder_of_a_seat": ("since", _lazy("Somebody else holds this seat on these days.")),
    "appointment_once_for_a_person": ("person", _lazy("This person holds the post on some of these days already.")),
    "appointment_ends_later": ("until", _lazy("An appointment cannot end on or before the day on which it began.")),
    "appointment_has_a_seat": ("seat", _lazy("Seats are counted from one.")),
    "post_once_in_a_body": ("title", _lazy("The body has a post of this title already.")),
    "post_has_strength": ("strength", _lazy("A post has at least one seat.")),
    "post_ends_later": ("until", _lazy("A post cannot end on or before the day on which it began.")),
}


class AppointmentError(ValueError):
    """A post or an appointment cannot be so.

    Attributes:
        column: the field it lies in; empty where it lies in none.
        message: what is wrong and what to do, in the reader's language.
    """

    def __init__(self, message: str, column: str = ""):
        super().__init__(message)
        self.message, self.column = message, column


@contextmanager
def _in_words() -> Iterator[None]:
    """Do all or nothing, and say in words what a constraint refused."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        known = MESSAGES.get(constraint_of(error))
        if known is None:
            raise
        raise AppointmentError(str(known[1]), known[0]) from error


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
    with _in_words():
        _inside(post.valid_from, None, organisation)
        _check_post(post, by)
        post.save(force_insert=True)
        _note(post, "post_make", by, {name: getattr(post, name) for name in POST_COLUMNS})
    return post


def change_post(post: Post, *, by: User | None, on: dt.date | None = None, **given: Any) -> Post:
    """Correct a post. With another role, the accounts of its holders change theirs on ``on`` (today if not given).

    Raises:
        AppointmentError: as for :func:`make_post`; or more people hold it than it would have seats, or somebody held
            it before the day from which it would be there.
    """
    with _in_words():
        held = _locked(post)
        names = (*POST_COLUMNS, "valid_from")
        given = {name: given[name] for name in names if name in given and given[name] != getattr(held, name)}
        if not given:
            return held
        was_role = held.role
        for name, value in given.items():
            setattr(held, name, value)
        _check_post(held, by, asks_for=was_role if "role" in given else "")
        if "valid_from" in given:
            _check_begin(held)
        _enough_seats(held, on or timezone.localdate())
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
    with _in_words():
        held = _locked(post)
        if held.valid_to and held.valid_to <= on:
            raise AppointmentError(_("The post was closed on %(day)s already.") % {"day": held.valid_to}, "on")
        for appointment in _lasting(held, on):
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
    with _in_words():
        held = _locked(post)
        _check_person(person, held)
        if until and until <= since:
            raise AppointmentError(str(MESSAGES["appointment_ends_later"][1]), "until")
        _inside(since, until, held.organisation, held)
        may_give(by, held)
        row = Appointment(
            jurisdiction_id=held.jurisdiction_id, post=held, person=person, valid_from=since,
            seat=_seat(held, person, since, until, seat),
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
    with _in_words():
        _locked(appointment.post)
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
    appointment: Appointment, *, to: Person, by: User | None, on: dt.date, document: str = "", rank: str = ""
) -> tuple[Appointment, Appointment]:
    """Hand a seat over: one ends and the next begins on the same day, grants included, or nothing happens.

    Returns:
        the appointment that ended, and the new one.

    Raises:
        AppointmentError: as for :func:`end_appointment` and :func:`appoint`.
    """
    with _in_words():
        ended = end_appointment(appointment, by=by, on=on, document=document)
        begun = appoint(
            ended.post, person=to, by=by, since=on, seat=ended.seat, document=document, rank=rank or ended.rank
        )  # fmt: skip
    return ended, begun


def reinstate(appointment: Appointment, *, by: User | None) -> Appointment:
    """Take back the end of an appointment: it was a mistake, and the person holds the post until further notice again.

    The grant that ended with it goes on too.

    Raises:
        AppointmentError: it has not ended, post or body are closed, somebody else holds the seat since, or ``by`` may
            not give the role.
    """
    with _in_words():
        held = _locked(appointment.post)
        rows = Appointment.objects.select_for_update(of=["self"]).select_related("grant", "person")
        row = rows.get(**key_of(appointment))
        row.post = held
        if row.valid_to is None:
            raise AppointmentError(_("This appointment has not ended."))
        if row.seat > held.strength:
            raise AppointmentError(
                _("The post “%(post)s” has %(strength)s seats.") % {"post": held, "strength": held.strength}
            )
        _inside(row.valid_from, None, held.organisation, held)
        after = _overlapping(held.appointments, row.valid_to, None).exclude(pk=row.pk).select_related("person")
        if others := [each for each in after if each.seat == row.seat or each.person_id == row.person_id]:
            raise AppointmentError(_taken(held, others))
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
    with _in_words():
        before = predecessor(appointment)
        take_back(appointment, by=by)
        return reinstate(before, by=by) if before else None


def take_back(appointment: Appointment, *, by: User | None) -> None:
    """Take back an appointment that was entered by mistake: it never was. Its grant stays, as one that never held."""
    with _in_words():
        post = _locked(appointment.post)
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


def may_give(by: User | None, post: Post) -> None:
    """Refuse a post whose role is more than ``by`` may give: administrators give any, others what they hold here.

    Raises:
        AppointmentError: it is more.
    """
    if by is None or not post.role:
        return
    place: Place = post.organisation.place
    held: set[Permission] = set()
    for grant in by.grants_now:
        if not grant.by_organisation and place.path.startswith(grant.place.path):
            held |= PERMISSIONS[grant.role]
    if Permission.MANAGE not in held and not PERMISSIONS[post.role] <= held:
        raise AppointmentError(
            _("With this post comes the role “%(role)s”, which an administrator gives.")
            % {"role": Role(post.role).label},
            "role",
        )


def _end_grant(grant: Grant | None, on: dt.date) -> None:
    if grant and (grant.valid_to is None or grant.valid_to > on):
        grant.valid_to = max(on, grant.valid_from)
        grant.save(update_fields=["valid_to"])


def _change_role(post: Post, on: dt.date) -> None:
    """End the grants of the post's holders, and give them those of its role as it is now."""
    for row in _lasting(post, on).select_related("grant", "person__user"):
        _end_grant(row.grant, on)
        row.post, row.grant = post, None
        row.save(update_fields=["grant"])
        begun, row.valid_from = row.valid_from, max(on, row.valid_from)
        give_grant(row)
        row.valid_from = begun


# A body with its posts and people.


def close_with_people(body: Organisation, *, by: User | None, on: dt.date, document: str = "") -> Organisation:
    """Close a body on a day, with its posts, appointments and memberships: all of it or nothing.

    Raises:
        BodyError: as for :func:`weilu.orgs.bodies.close_body`; or somebody joined or was appointed later.
    """
    try:
        with transaction.atomic():
            members = Membership.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on), organisation=body)
            if late := members.filter(valid_from__gte=on).count():
                raise BodyError(
                    _("%(count)s people joined on this day or later. Choose a later day.") % {"count": late}
                )
            for post in body.posts.filter(Q(valid_to=None) | Q(valid_to__gt=on)):
                close_post(post, by=by, on=on)
            members.update(valid_to=on)
            return close_body(body, by=by, on=on, document=document)
    except AppointmentError as error:
        raise BodyError(error.message, "on") from error


# Checks.


def _locked(post: Post) -> Post:
    """Return the post as it is, locked: two who fill it come one after the other."""
    rows = Post.objects.select_for_update(of=["self"]).select_related("organisation__place")
    return rows.get(**key_of(post))


def _lasting(post: Post, on: dt.date) -> Any:
    """The appointments to ``post`` that hold on ``on`` or begin later."""
    return post.appointments.filter(Q(valid_to=None) | Q(valid_to__gt=on))


def _overlapping(rows: Any, since: dt.date, until: dt.date | None) -> Any:
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=since))
    return rows.filter(valid_from__lt=until) if until else rows


def _seat(post: Post, person: Person, since: dt.date, until: dt.date | None, wanted: int | None) -> int:
    """Return a seat that is free on these days.

    Raises:
        AppointmentError: there is none, or ``person`` sits on one; the message names who holds it.
    """
    if wanted is not None and not 1 <= wanted <= post.strength:
        raise AppointmentError(
            _("The post “%(post)s” has %(strength)s seats.") % {"post": post, "strength": post.strength}, "seat"
        )
    rows = list(_overlapping(post.appointments, since, until).select_related("person").order_by("seat", "valid_from"))
    if mine := next((row for row in rows if row.person_id == person.pk), None):
        raise AppointmentError(
            _("%(name)s holds the post “%(post)s” since %(day)s already.")
            % {"name": person, "post": post, "day": mine.valid_from},
            "person",
        )
    taken = {row.seat for row in rows}
    for seat in [wanted] if wanted else range(1, post.strength + 1):
        if seat not in taken:
            return seat
    raise AppointmentError(_taken(post, [row for row in rows if not wanted or row.seat == wanted]), "since")


def _taken(post: Post, rows: Iterable[Appointment]) -> str:
    """Say who holds the seats of a post, and what can be done."""
    names = "、".join(
        _("%(name)s (from %(day)s)") % {"name": row.person, "day": row.valid_from} for row in list(rows)[:5]
    )
    if post.strength == 1:
        text = _(
            "The post “%(post)s” has one holder at a time: %(names)s. End that appointment first, or hand it over."
        )
        return text % {"post": post, "names": names}
    text = _("All %(strength)s seats of the post “%(post)s” are held on these days: %(names)s.")
    return text % {"strength": post.strength, "post": post, "names": names}


def _inside(since: dt.date, until: dt.date | None, body: Organisation, post: Post | None = None) -> None:
    """Refuse days that lie outside those of the body and the post."""
    for row in (body, post):
        if row is None:
            continue
        if since < row.valid_from:
            raise AppointmentError(
                _("“%(name)s” began on %(day)s, after this day.") % {"name": row, "day": row.valid_from}, "since"
            )
        if row.valid_to and (until is None or until > row.valid_to):
            raise AppointmentError(
                _("“%(name)s” ends on %(day)s, before these days are over.") % {"name": row, "day": row.valid_to},
                "until",
            )


def _check_begin(post: Post) -> None:
    """Refuse a first day of a post before its body's, after its own last, or after somebody held it."""
    try:
        _inside(post.valid_from, post.valid_to, post.organisation)
    except AppointmentError as error:
        raise AppointmentError(error.message, "valid_from") from error
    before = post.appointments.filter(valid_from__lt=post.valid_from).select_related("person")
    if first := before.order_by("valid_from").first():
        raise AppointmentError(
            _("%(name)s held it from %(day)s: the post began by then.")
            % {"name": first.person, "day": first.valid_from},
            "valid_from",
        )


def _check_person(person: Person, post: Post) -> None:
    if person.jurisdiction_id != post.jurisdiction_id:
        raise AppointmentError(_("This person is known in another county only."), "person")
    if person.merged_into_id:
        raise AppointmentError(_("This record was merged into another of the same person: choose that one."), "person")


def _check_post(post: Post, by: User | None, asks_for: str = "") -> None:
    """Check a post; with ``asks_for``, also whether ``by`` may take that role away."""
    if not post.title:
        raise AppointmentError(_("The post needs a title."), "title")
    if post.role and post.role not in Role.values:
        raise AppointmentError(_("There is no such role."), "role")
    may_give(by, post)
    if asks_for:
        may_give(by, Post(organisation=post.organisation, role=asks_for))


def _enough_seats(post: Post, on: dt.date) -> None:
    used = _lasting(post, on).order_by("-seat").values_list("seat", flat=True).first() or 0
    if used > post.strength:
        raise AppointmentError(
            _("Seat %(seat)s is held. End that appointment before the post has fewer seats.") % {"seat": used},
            "strength",
        )


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
