"""Closing a body with its posts and people, and taking that back."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from weilu.orgs.bodies import BodyError, close_body, reopen_body
from weilu.orgs.models import Grant, Organisation, User, lasts_beyond
from weilu.people.appointment_rules import AppointmentError
from weilu.people.appointments import close_post
from weilu.people.models import Appointment, Membership, Post


def close_with_people(body: Organisation, *, by: User | None, on: dt.date, document: str = "") -> Organisation:
    """Close a body on a day, with its posts, appointments and memberships: all of it or nothing.

    Raises:
        BodyError: as for :func:`weilu.orgs.bodies.close_body`; or somebody joined or was appointed later.
    """
    try:
        with transaction.atomic():
            ending = ending_with(body, on)
            ended = {
                name: [[str(pk), until and until.isoformat()] for pk, until in rows.values_list("pk", "valid_to")]
                for name, rows in ending.items()
            }
            members = ending["memberships"]
            if late := members.filter(valid_from__gte=on).count():
                raise BodyError(
                    _("%(count)s people joined on this day or later. Choose a later day.") % {"count": late}
                )
            for post in ending["posts"]:
                close_post(post, by=by, on=on)
            members.update(valid_to=on)
            return close_body(body, by=by, on=on, document=document, ended=ended)
    except AppointmentError as error:
        raise BodyError(error.message, "on") from error


def ending_with(body: Organisation, on: dt.date) -> dict[str, QuerySet[Any]]:
    """Return what ends when a body is closed on a day: memberships, posts, appointments, grants."""
    lasting_then = lasts_beyond(on)
    roles = Q(organisation=body) | Q(appointment__post__organisation=body)
    return {
        "memberships": Membership.objects.filter(lasting_then, organisation=body),
        "posts": Post.objects.filter(lasting_then, organisation=body),
        "appointments": Appointment.objects.filter(lasting_then, post__organisation=body),
        "grants": Grant.objects.filter(lasting_then, roles),
    }


def reopen_with_people(body: Organisation, *, by: User | None) -> None:
    """Take back the closing of a body, with all that ended with it and was not changed since.

    Raises:
        BodyError: as for :func:`weilu.orgs.bodies.reopen_body`.
    """
    tables: dict[str, Any] = {
        "memberships": Membership, "posts": Post, "appointments": Appointment, "grants": Grant,
    }  # fmt: skip
    with transaction.atomic():
        change = reopen_body(body, by=by)
        for name, model in tables.items():
            for pk, until in change.ended.get(name, ()):
                rows = model.objects.filter(pk=pk, valid_to__isnull=False)
                # A grant that was to begin later ends on the day on which it would have begun.
                same = (
                    Q(valid_to=change.day) | Q(valid_to=F("valid_from")) if model is Grant else Q(valid_to=change.day)
                )
                rows.filter(same).update(valid_to=until)
