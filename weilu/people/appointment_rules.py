"""What a post and an appointment must be: the checks of :mod:`weilu.people.appointments`, and their words."""

import datetime as dt
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.orgs import bodies
from weilu.orgs.models import Organisation, Place, User, lasts_beyond
from weilu.orgs.roles import PERMISSIONS, Permission, Role
from weilu.orgs.sharding import key_of
from weilu.people.models import Appointment, Person, Post

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


def in_words() -> AbstractContextManager[None]:
    """Do all or nothing, and say in words what a constraint refused."""
    return bodies.in_words(MESSAGES, AppointmentError)


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


def locked(post: Post) -> Post:
    """Return the post as it is, locked: two who fill it come one after the other."""
    rows = Post.objects.select_for_update(of=["self"]).select_related("organisation__place")
    return rows.get(**key_of(post))


def lasting(of: Post | Person, on: dt.date) -> QuerySet[Appointment]:
    """The appointments to a post, or of a person, that hold on ``on`` or begin later."""
    return of.appointments.filter(lasts_beyond(on))


def overlapping(rows: Any, since: dt.date, until: dt.date | None) -> Any:
    """Return those of some appointments that hold on some of these days."""
    rows = rows.filter(lasts_beyond(since))
    return rows.filter(valid_from__lt=until) if until else rows


def seat_for(post: Post, person: Person, since: dt.date, until: dt.date | None, wanted: int | None) -> int:
    """Return a seat that is free on these days.

    Raises:
        AppointmentError: there is none, or ``person`` sits on one; the message names who holds it.
    """
    if wanted is not None and not 1 <= wanted <= post.strength:
        raise AppointmentError(
            _("The post “%(post)s” has %(strength)s seats.") % {"post": post, "strength": post.strength}, "seat"
        )
    rows = list(overlapping(post.appointments, since, until).select_related("person").order_by("seat", "valid_from"))
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
    raise AppointmentError(taken_words(post, [row for row in rows if not wanted or row.seat == wanted]), "since")


def taken_words(post: Post, rows: Iterable[Appointment]) -> str:
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


def check_inside(since: dt.date, until: dt.date | None, body: Organisation, post: Post | None = None) -> None:
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


def check_begin(post: Post) -> None:
    """Refuse a first day of a post before its body's, after its own last, or after somebody held it."""
    try:
        check_inside(post.valid_from, post.valid_to, post.organisation)
    except AppointmentError as error:
        raise AppointmentError(error.message, "valid_from") from error
    before = post.appointments.filter(valid_from__lt=post.valid_from).select_related("person")
    if first := before.order_by("valid_from").first():
        raise AppointmentError(
            _("%(name)s held it from %(day)s: the post began by then.")
            % {"name": first.person, "day": first.valid_from},
            "valid_from",
        )


def check_person(person: Person, post: Post) -> None:
    """Refuse somebody of another county, and a record that was merged into another."""
    if person.jurisdiction_id != post.jurisdiction_id:
        raise AppointmentError(_("This person is known in another county only."), "person")
    if person.merged_into_id:
        raise AppointmentError(_("This record was merged into another of the same person: choose that one."), "person")


def check_post(post: Post, by: User | None, asks_for: str = "") -> None:
    """Check a post; with ``asks_for``, also whether ``by`` may take that role away."""
    if not post.title:
        raise AppointmentError(_("The post needs a title."), "title")
    if post.role and post.role not in Role.values:
        raise AppointmentError(_("There is no such role."), "role")
    may_give(by, post)
    if asks_for:
        may_give(by, Post(organisation=post.organisation, role=asks_for))


def check_seats(post: Post, on: dt.date) -> None:
    """Refuse fewer seats than are held on a day or later."""
    used = lasting(post, on).order_by("-seat").values_list("seat", flat=True).first() or 0
    if used > post.strength:
        raise AppointmentError(
            _("Seat %(seat)s is held. End that appointment before the post has fewer seats.") % {"seat": used},
            "strength",
        )
