"""Words for what happened, shared by messages in the app and e-mail."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOTICES: dict[str, str | Promise] = {
    "raised": _("A new matter waits for you"),
    "dispatched": _("A matter was handed to you"),
    "ordered": _("A new order is open to your branch"),
    "returned": _("A matter came back to you"),
    "transferred": _("A matter was transferred to you"),
    "answered": _("The resident has answered"),
    "reopened": _("The resident has reopened a matter"),
    "rated": _("The resident has rated your work"),
    "late": _("A matter is past its limit"),
}


def notice(kind: str) -> str:
    """Return the words for a kind of notification, in the language that is active."""
    return str(NOTICES[kind])
