"""Log-in by account and password."""

from django.contrib.auth.backends import ModelBackend

from weilu.orgs.models import User


class AccountBackend(ModelBackend):
    """Django's password check over our accounts, without Django's own permissions: grants replace them."""

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id, is_active=True).first()

    def has_perm(self, user_obj, perm, obj=None):
        return False


def account_name(request, credentials: dict | None = None) -> str:
    """Return the name by which failed log-ins are counted: in one spelling, as accounts are found in any."""
    given = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(given)[:40].lower()
