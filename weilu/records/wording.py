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
    "booking_wanted": _("Somebody asks for a venue"),
    "booking_confirmed": _("Your booking is confirmed"),
    "booking_refused": _("Your booking was refused"),
    "booking_withdrawn": _("A resident has taken back a booking"),
    "booking_cancelled": _("Your booking was cancelled"),
    "ask_correction": _("Somebody asks you to correct what is recorded about them"),
    "correct": _("Your request for a correction was answered"),
    "factor_added": _("A second factor was added to your account"),
    "factor_removed": _("A second factor was removed from your account"),
    "factor_reset": _("An administrator has reset your second factor"),
    "codes_renewed": _("New recovery codes replaced the old ones of your account"),
    "codes_wrong": _("Somebody with your password gave wrong codes"),
    "grants_handed": _("Work was handed over to you"),
}

# Messages that lead elsewhere than to the page of their record: the person reads on their own page, not the office's.
ELSEWHERE = {
    "correct": "me",
    **dict.fromkeys(["factor_added", "factor_removed", "factor_reset", "codes_renewed", "codes_wrong"], "mfa_index"),
    "grants_handed": "account",
}


def address(kind: str, record_page: str) -> str:
    """Return where a message of a kind leads."""
    return reverse(ELSEWHERE[kind]) if kind in ELSEWHERE else record_page


def link(row: Notification) -> str:
    """Return where a message leads: each kind of record has a page of its name, by number or else by key."""
    if row.kind in ELSEWHERE:
        return reverse(ELSEWHERE[row.kind])
    return reverse(row.record_kind, args=[row.record_number or row.record_id])


def notice(kind: str) -> str:
    """Return the words for a kind of notification, in the language that is active."""
    return str(NOTICES[kind])
