"""Log-in by account and password."""

import datetime as dt
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.utils import timezone

from weilu.lib.prepared import PreparedQuery
from weilu.orgs.models import User, grants_on

_account = PreparedQuery(
    lambda user, day: grants_on(day).filter(user_id=user, user__is_active=True).select_related("user"),
    user=UUID(int=0),
    day=dt.date(2000, 1, 1),
)


class AccountBackend(ModelBackend):
    """Django's password check over our accounts, without Django's own permissions: grants replace them."""

    def get_user(self, user_id):
        """Return the account with its grants of today, in one query for the most part of requests."""
        rows = _account(user=user_id, day=timezone.localdate())
        if not rows:
            return User.objects.filter(pk=user_id, is_active=True).first()
        user = rows[0].user
        user.grants_now = rows
        return user

    def has_perm(self, user_obj, perm, obj=None):
        return False


def account_name(request, credentials: dict | None = None) -> str:
    """Return the name by which failed log-ins are counted: in one spelling, as accounts are found in any."""
    given = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(given)[:40].lower()
