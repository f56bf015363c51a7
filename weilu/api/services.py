"""The verbs that write tokens, and whose a secret is."""

import datetime as dt
import secrets

from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.api.models import ApiToken
from weilu.orgs.models import User
from weilu.records.models import Event

HEAD = "wl_"
MOST = 10  # tokens of one account at a time
LONGEST = 366  # days
NOTED_EVERY = dt.timedelta(minutes=5)


class TokenError(ValueError):
    """It cannot be made; the message says why."""


@transaction.atomic
def make_token(user: User, *, name: str, days: int, second_factor: bool) -> tuple[ApiToken, str]:
    """Make a token of one's own.

    Args:
        name: what it is for.
        second_factor: whether the session was opened with a second factor.

    Returns:
        the row, and the secret, which is kept nowhere.

    Raises:
        TokenError: there are too many, or the days are none or too many.
    """
    now = timezone.now()
    if not 1 <= days <= LONGEST:
        raise TokenError(_("A token lasts between one day and a year."))
    User.objects.select_for_update().get(pk=user.pk)  # two at once are counted one after the other
    if ApiToken.objects.valid_at(now).filter(user=user).count() >= MOST:
        raise TokenError(_("You have %(n)s tokens; revoke one first.") % {"n": MOST})
    secret = HEAD + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user, name=name.strip(), token_hash=ApiToken.hash_of(secret), begins=secret[:8], created_at=now,
        password_mark=ApiToken.mark_of(user), second_factor=second_factor, expires_at=now + dt.timedelta(days=days),
    )  # fmt: skip
    _note(user, "token_make", row)
    return row, secret


@transaction.atomic
def revoke_token(row: ApiToken, *, by: User) -> None:
    """Revoke a token; it stays in the list."""
    if ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now()):
        _note(by, "token_revoke", row)


def token_of(secret: str) -> ApiToken | None:
    """Return the valid token that a secret opens, with its owner; note its use now and then."""
    now = timezone.now()
    row = ApiToken.objects.valid_at(now).select_related("user").filter(token_hash=ApiToken.hash_of(secret)).first()
    if row is None or bytes(row.password_mark) != ApiToken.mark_of(row.user):
        return None
    if row.last_used_at is None or now - row.last_used_at > NOTED_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def owes(row: ApiToken) -> bool:
    """Tell whether the owner must see to something first: a first password, or a second factor behind the token."""
    if row.user.password_to_change:
        return True
    return row.user.needs_second_factor and not (row.second_factor and is_mfa_enabled(row.user))


def _note(user: User, move: str, row: ApiToken) -> None:
    grant = next(iter(user.grants_now), None)
    if grant is None:  # without a grant it can read nothing, and belongs to no county
        return
    Event.objects.create(
        jurisdiction_id=grant.jurisdiction_id, record_kind="account", record_id=user.pk, move=move, actor=user,
        actor_name=user.name, changes={"token": row.begins, "until": row.expires_at.date().isoformat()},
        open_to_resident=False,
    )  # fmt: skip
