"""Handing over: who follows in a post gets its grants from a day, who leaves loses them that day."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from weilu.accounts import notices
from weilu.matters.models import Matter
from weilu.orgs.models import Grant, Place, User, lasts_beyond
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.people import appointments
from weilu.people.models import Appointment

OPEN_SHOWN = 100


class HandOverError(ValueError):
    """The grants cannot be handed over; the message says why and what to do, in the reader's language."""


def grants_to_hand(user: User, *, by: User, day: dt.date) -> QuerySet[Grant]:
    """Return the grants of ``user`` in the scope of ``by`` that would hold on ``day`` or later."""
    mine = Place.objects.filter(places_in_scope(by, Permission.MANAGE))
    rows = Grant.objects.filter(lasts_beyond(day), user=user, place__in=mine)
    return rows.select_related("place", "organisation", "jurisdiction", "appointment__post", "appointment__person")


def open_work(user: User) -> list[Matter]:
    """Return what ``user`` has in hand in person and is not settled: it stays theirs until somebody transfers it."""
    rows = Matter.objects.filter(taken_by=user).open().for_lists()
    return list(rows.order_by("due_at", "-created_at")[:OPEN_SHOWN])


@transaction.atomic
def hand_over(user: User, *, to: User, day: dt.date, by: User) -> list[Grant]:
    """Hand the grants of an account over to another; all of them in the scope of ``by``, or none.

    A grant that came with a post goes over with the post: the appointment ends, the successor's begins.

    Args:
        day: the successor's first day; the predecessor's grants end on it.

    Returns:
        the grants of the successor.

    Raises:
        HandOverError: nothing can be handed over, or a post cannot change hands; the message says which.
    """
    if to == user:
        raise HandOverError(_("The successor is the same account."))
    if by == user:
        raise HandOverError(_("You cannot end your own grants; another administrator does."))
    if not to.is_active:
        raise HandOverError(_("The successor's account is shut. Open it first."))
    list(User.objects.select_for_update().filter(pk__in=[user.pk, to.pk]).order_by("pk"))
    rows = list(grants_to_hand(user, by=by, day=day).select_for_update(of=["self"]))
    if not rows:
        raise HandOverError(_("This account has no grants on that day that you could hand over."))
    given = [_hand(row, to, day, by) for row in rows]
    notices.note(user, "hand_over", by=by, changes={"to": to.username, "day": day.isoformat(), "grants": len(given)})
    notices.note(to, "take_over", by=by, changes={"from": user.username, "day": day.isoformat(), "grants": len(given)})
    notices.tell(to, "grants_handed", _("%(name)s, from %(day)s") % {"name": user.name, "day": day})
    return given


def _hand(grant: Grant, to: User, day: dt.date, by: User) -> Grant:
    appointment = getattr(grant, "appointment", None)
    if appointment:
        return _with_post(appointment, to, day, by)
    begins = max(day, grant.valid_from)
    given = Grant.objects.create(
        user=to, jurisdiction_id=grant.jurisdiction_id, role=grant.role, place_id=grant.place_id,
        organisation_id=grant.organisation_id, valid_from=begins, valid_to=grant.valid_to,
    )  # fmt: skip
    grant.valid_to = begins
    grant.save(update_fields=["valid_to"])
    return given


def _with_post(appointment: Appointment, to: User, day: dt.date, by: User) -> Grant:
    """Hand over the post that a grant came with, and its grant."""
    person = getattr(to, "person", None)
    words = {"post": appointment.post.title, "name": to.name}
    if person is None:
        raise HandOverError(
            _("A grant came with the post “%(post)s”, and %(name)s is linked to no person yet. Link them first.")
            % words
        )
    try:
        _ended, begun = appointments.hand_over(appointment, to=person, by=by, on=day)
    except appointments.AppointmentError as error:
        raise HandOverError(f"{appointment.post.title}：{error.message}") from error
    if begun.grant is None:
        raise HandOverError(_("The post “%(post)s” gives no role any more.") % words)
    return begun.grant
