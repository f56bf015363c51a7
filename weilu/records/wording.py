"""Words for what happened, shared by messages in the app and e-mail."""

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from weilu.records.models import Notification

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
    "ask_correction": _("Somebody asks you to correct what is recorded about them"),
    "correct": _("Your request for a correction was answered"),
}

# Messages that lead elsewhere than to the page of their record: the person reads on their own page, not the office's.
ELSEWHERE = {"correct": "me"}


def address(kind: str, record_page: str) -> str:
    """Return where a message of a kind leads."""
    return reverse(ELSEWHERE[kind]) if kind in ELSEWHERE else record_page


def link(row: Notification) -> str:
    """Return where a message leads: each kind of record has a page of its name, by number or else by key."""
    return address(row.kind, reverse(row.record_kind, args=[row.record_number or row.record_id]))


def notice(kind: str) -> str:
    """Return the words for a kind of notification, in the language that is active."""
    return str(NOTICES[kind])
