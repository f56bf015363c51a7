"""States of a booking, and the moves between them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.orgs.roles import Permission
from weilu.records.moves import RESIDENT, SYSTEM, Move, Workflow


class State(models.TextChoices):
    """Where a booking stands."""

    WANTED = "wanted", pgettext_lazy("of a booking", "To be answered")
    CONFIRMED = "confirmed", pgettext_lazy("of a booking", "Confirmed")
    REFUSED = "refused", pgettext_lazy("of a booking", "Refused")
    CANCELLED = "cancelled", pgettext_lazy("of a booking", "Cancelled")


WANTED = frozenset({State.WANTED})
STANDING = frozenset({State.WANTED, State.CONFIRMED})

WORKFLOW = Workflow.of(
    "booking",
    State,
    [
        Move("confirm", _("Confirm"), WANTED, State.CONFIRMED, (Permission.KEEP,), clock="stop"),
        Move("refuse", _("Refuse"), WANTED, State.REFUSED, (Permission.KEEP,), needs_note=True, clock="stop"),
        # Whoever asked for it, as an account or by the secret of their booking, may also take it back.
        Move(
            "cancel",
            _("Cancel the booking"),
            STANDING,
            State.CANCELLED,
            (Permission.KEEP, Permission.SIGNED_IN, RESIDENT),
            needs_note=True,
            clock="stop",
        ),
        # Nobody answered until the time that was asked for had come.
        Move("expire", _("Expired"), WANTED, State.REFUSED, (SYSTEM,), clock="stop"),
    ],
)
