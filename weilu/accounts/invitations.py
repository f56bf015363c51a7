"""The verbs of invitations: a link, once, within seven days."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.accounts import notices
from weilu.accounts.models import INVITATION_LASTS, Invitation, Session
from weilu.accounts.tasks import mail_invitation
from weilu.orgs.models import User

SHOWN_FOR = dt.timedelta(minutes=15)  # to whoever made it, so that the page can be read in large type too


class InvitationError(ValueError):
    """The invitation cannot be made or used; the message says why and what to do, in the reader's language."""


def link_of(invitation: Invitation) -> str:
    """Return the address that the invited person opens."""
    return f"{settings.SITE_URL}{reverse('invitation', args=[invitation.token])}"


@transaction.atomic
def invite(user: User, *, by: User) -> Invitation:
    """Invite the owner of an account to set its password; an earlier invitation ends with that.

    Where an address is known the link is also mailed: the worker makes it anew, so that no table holds it.

    Raises:
        InvitationError: the account is shut or has no role in any county.
    """
    User.objects.select_for_update().get(pk=user.pk)
    county = notices.county_of(user)
    if not user.is_active or county is None:
        raise InvitationError(_("Open the account and give it a role first."))
    now = timezone.now()
    Invitation.objects.filter(user=user, used_at=None, cancelled_at=None).update(cancelled_at=now)
    row = Invitation(jurisdiction=county, user=user, created_by=by, created_at=now, expires_at=now + INVITATION_LASTS)
    row.token_hash = Invitation.hash_of(row.token)
    row.save(force_insert=True)
    notices.note(user, "invite", by=by)
    if user.email:
        mail_invitation.defer(invitation_id=str(row.pk))
    return row


def just_made(user: User, pk: str | None) -> Invitation | None:
    """Return an invitation of ``user`` by its key, while its link may still be shown to whoever made it."""
    row = Invitation.objects.filter(user=user, pk=pk).first() if pk else None
    now = timezone.now()
    return row if row and row.open_at(now) and now - row.created_at < SHOWN_FOR else None


def find(token: str) -> Invitation:
    """Return the invitation of a link.

    Raises:
        InvitationError: there is none, it was used or replaced, or its time is over.
    """
    row = Invitation.objects.select_related("user").filter(token_hash=Invitation.hash_of(token)).first()
    return _usable(row)


def _usable(row: Invitation | None) -> Invitation:
    if row is None or row.cancelled_at or not row.user.is_active:
        raise InvitationError(_("This link does not hold any more. Ask your administrator for a new one."))
    if row.used_at:
        raise InvitationError(_("This link was used already. Log in with the password that was set with it."))
    if not row.open_at(timezone.now()):
        raise InvitationError(_("This link was good for seven days, and they are over. Ask for a new one."))
    return row


@transaction.atomic
def accept(token: str, *, password: str) -> User:
    """Set the password of the invited account; the link is used up, also for somebody who presses at the same moment.

    Raises:
        InvitationError: as for :func:`find`.
        ValidationError: the password is too weak.
    """
    rows = Invitation.objects.select_for_update(of=["self", "user"]).select_related("user")
    row = _usable(rows.filter(token_hash=Invitation.hash_of(token)).first())
    user = row.user
    validate_password(password, user)
    row.used_at = timezone.now()
    row.save(update_fields=["used_at"])
    user.set_password(password)
    user.password_to_change = False
    user.save(update_fields=["password", "password_to_change"])
    Session.objects.filter(user=user).delete()
    notices.note(user, "invitation_accept", by=user)
    return user
