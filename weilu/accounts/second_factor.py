"""The second factor: codes used once and tried seldom, who must have one, and help for who lost the telephone.

TOTP is RFC 6238, passkeys are WebAuthn Level 2; django-allauth keeps both, with ten recovery codes.
"""

import datetime as dt

from allauth.account.authentication import get_authentication_records
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from weilu.accounts import notices
from weilu.accounts.models import Session
from weilu.orgs.models import Jurisdiction, User
from weilu.orgs.rate_limit import forget_try, tried
from weilu.orgs.roles import Role

# Wrong codes in a row. With three codes valid at a time, thirty tries a day hit one in thirty years.
TRIES = ((dt.timedelta(minutes=10), 5), (dt.timedelta(days=1), 30))
Type = Authenticator.Type


class FactorError(ValueError):
    """A code or a change of the second factor is refused; the message says why, in the reader's language."""


class TooManyCodes(FactorError):
    """Too many wrong codes."""


def matching_step(secret: str, code: str) -> int | None:
    """Return the time step that ``code`` belongs to, now or one step beside it; None if to none."""
    for step in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return step
    return None


def use_code(user: User, code: str) -> Authenticator:
    """Use up a code of the authenticator app, or a recovery code, of ``user``.

    A code counts once, and so do all before it (RFC 6238, 5.2); that is kept in the database, for all web processes.

    Raises:
        TooManyCodes: too many were wrong lately; then even the right one is refused.
        FactorError: it is wrong, or was used.
    """
    if tried(f"code:{user.pk}", TRIES):
        notices.tell_once(user, "codes_wrong", within=TRIES[0][0])
        raise TooManyCodes(_("There were too many wrong codes. Try again in ten minutes, or ask your administrator."))
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update().filter(user=user).exclude(type=Type.WEBAUTHN)
        for row in rows.order_by("-type"):
            if _uses(row, code):
                forget_try(f"code:{user.pk}", TRIES)
                return row
    raise FactorError(_("This code is wrong or was used already. Wait for the next one."))


def _uses(row: Authenticator, code: str) -> bool:
    if row.type != Type.TOTP:
        return row.wrap().validate_code(code)
    step = matching_step(decrypt(row.data["secret"]), code)
    if step is None or step <= row.data.get("last_step", -1):
        return False
    burn(row, step)
    return True


def burn(row: Authenticator, step: int) -> None:
    """Note that the code of a time step was used."""
    row.data["last_step"] = step
    row.save(update_fields=["data"])


def has_factor(user: User) -> bool:
    """Tell whether ``user`` has an authenticator app or a passkey."""
    return Authenticator.objects.filter(user=user, type__in=[Type.TOTP, Type.WEBAUTHN]).exists()


def confirmed(request: HttpRequest) -> bool:
    """Tell whether this session was opened, or confirmed later, with a second factor."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))  # type: ignore[arg-type]


def must_keep(row: Authenticator) -> bool:
    """Tell whether ``row`` is the last factor of somebody whose role needs one."""
    user = User.objects.get(pk=row.user_id)
    others = Authenticator.objects.filter(user=user, type__in=[Type.TOTP, Type.WEBAUTHN]).exclude(pk=row.pk)
    return row.type != Type.RECOVERY_CODES and user.needs_second_factor and not others.exists()


@transaction.atomic
def reset_factor(user: User, *, by: User, reason: str) -> None:
    """Take the second factor from an account whose owner lost it, end all its sessions, and tell the owner.

    Args:
        by: an administrator who has seen to it that the owner asks.

    Raises:
        FactorError: there is no reason, no factor, or it is one's own account.
    """
    if user == by:
        raise FactorError(_("Your own second factor is reset by another administrator."))
    if not reason.strip():
        raise FactorError(_("Say why the second factor is reset, and how you know who asks."))
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise FactorError(_("This account has no second factor."))
    Session.objects.filter(user=user).delete()
    notices.note(user, "factor_reset", by=by, why=reason.strip()[:500])
    notices.tell(user, "factor_reset", by.name)


@transaction.atomic
def require_for_roles(jurisdiction: Jurisdiction, roles: list[str], *, by: User) -> Jurisdiction:
    """Require a second factor of everybody who holds one of ``roles`` in a county; it holds from their next page on.

    Raises:
        ValueError: there is no such role.
    """
    if unknown := set(roles) - set(Role.values):
        raise ValueError(f"no role: {sorted(unknown)}")
    held = Jurisdiction.objects.select_for_update(of=["self"]).select_related("place").get(pk=jurisdiction.pk)
    wanted = sorted(set(roles))
    if held.second_factor_roles != wanted:
        held.second_factor_roles = wanted
        held.save(update_fields=["second_factor_roles"])
        notices.note_county(held, "factor_roles", by=by, changes={"roles": wanted})
    return held
