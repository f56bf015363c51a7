"""What people are told about their own account, and what is written into its history."""

import datetime as dt
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from weilu.orgs.models import Grant, Jurisdiction, User
from weilu.records.models import Event, Notification, OutgoingMail
from weilu.records.tasks import send_mail
from weilu.records.wording import notice

KIND = "account"


def county_of(user: User) -> Jurisdiction | None:
    """Return the county of the newest grant of ``user``, where messages to them are kept."""
    grant = Grant.objects.filter(user=user).select_related("jurisdiction").order_by("-valid_from", "-id").first()
    return grant.jurisdiction if grant else None


def note(user: User, move: str, *, by: User, changes: dict[str, Any] | None = None, why: str = "") -> None:
    """Write into the history of an account what was done to it, and by whom."""
    county = county_of(user)
    if county is None:  # an account without any grant can do nothing, and belongs to no county
        return
    Event.objects.create(
        jurisdiction=county, record_kind=KIND, record_id=user.pk, move=move, actor=by, actor_name=by.name,
        note=why, changes=changes or {}, open_to_resident=False,
    )  # fmt: skip


def note_county(county: Jurisdiction, move: str, *, by: User, changes: dict[str, Any]) -> None:
    """Write into the history of a county what was changed for all its accounts."""
    Event.objects.create(
        jurisdiction=county, record_kind="jurisdiction", record_id=county.pk, move=move, actor=by, actor_name=by.name,
        changes=changes, open_to_resident=False,
    )  # fmt: skip


def tell(user: User, kind: str, subject: str = "") -> None:
    """Tell somebody what happened to their account: in the app, and by e-mail where an address is known.

    Args:
        kind: a key of :data:`weilu.records.wording.NOTICES`.
        subject: by whom or which device; no secret, it is kept.
    """
    county = county_of(user)
    if county is None:
        return
    Notification.objects.create(
        jurisdiction=county, user=user, kind=kind, record_kind=KIND, record_id=user.pk,
        record_number=user.username[:24], subject=subject[:120],
    )  # fmt: skip
    if user.email:
        with translation.override(settings.LANGUAGE_CODE):
            words = notice(kind)
            body = _("%(what)s: %(subject)s. If that was not you, tell your administrator at once.")
            text = body % {"what": words, "subject": subject or user.username}
        row = OutgoingMail.objects.create(jurisdiction=county, to=user.email, subject=words[:200], body=f"{text}\n")
        send_mail.defer(mail_id=str(row.pk))


def tell_once(user: User, kind: str, *, within: dt.timedelta) -> None:
    """Tell somebody, unless they were told the same a short while ago."""
    if not Notification.objects.filter(user=user, kind=kind, at__gt=timezone.now() - within).exists():
        tell(user, kind)


def factor_added(user: User, authenticator: Authenticator) -> None:
    """A second factor was set up by its owner."""
    note(user, "factor_add", by=user, changes={"type": authenticator.type})
    tell(user, "factor_added", str(authenticator))


def factor_removed(user: User, authenticator: Authenticator) -> None:
    """A second factor was taken away by its owner."""
    note(user, "factor_remove", by=user, changes={"type": authenticator.type})
    tell(user, "factor_removed", str(authenticator))


def codes_renewed(user: User) -> None:
    """New recovery codes replaced the old ones."""
    note(user, "codes_renew", by=user)
    tell(user, "codes_renewed")
