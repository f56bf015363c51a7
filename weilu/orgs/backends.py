"""Log-in by account and password."""

from django.contrib.auth.backends import ModelBackend

from weilu.orgs.models import User, grants_today


class AccountBackend(ModelBackend):
    """Django's password check over our accounts, without Django's own permissions: grants replace them."""

    def get_user(self, user_id):
        """Return the account with its grants of today, in one query for the most part of requests."""
        rows = list(grants_today().filter(user_id=user_id, user__is_active=True).select_related("user"))
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
