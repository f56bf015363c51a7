"""States of a resident's matter, and the moves between them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from weilu.orgs.roles import Permission
from weilu.records.moves import RESIDENT, SYSTEM, Move, Workflow


class State(models.TextChoices):
    """Where a matter stands, as offices say it."""

    RAISED = "raised", _("To be dispatched")
    DISPATCHED = "dispatched", _("Handed over")
    ORDERED = "ordered", _("Open order")
    UNDER_WAY = "under_way", _("Under way")
    ASKED = "asked", _("Waiting for the resident")
    SETTLED = "settled", _("Settled, to be rated")
    RATED = "rated", _("Rated")
    UNRATED = "unrated", _("Not rated")
    DECLINED = "declined", _("Not taken on")
    MERGED = "merged", _("Merged")


S = State
OPEN = frozenset({S.RAISED, S.DISPATCHED, S.ORDERED, S.UNDER_WAY, S.ASKED})
WORKED_ON = frozenset({S.DISPATCHED, S.UNDER_WAY})
DONE = frozenset({S.SETTLED, S.RATED, S.UNRATED})
CLOSED = DONE | {S.DECLINED, S.MERGED}

P = Permission

WORKFLOW = Workflow.of(
    "matter",
    State,
    [
        # The office.
        Move(
            "dispatch",
            _("Hand over"),
            frozenset({S.RAISED, *WORKED_ON, S.ORDERED}),
            S.DISPATCHED,
            (P.TRIAGE,),
            ("due_at",),
        ),
        Move(
            "order",
            _("Open as an order"),
            frozenset({S.RAISED, *WORKED_ON, S.ORDERED}),
            S.ORDERED,
            (P.TRIAGE,),
            ("handler", "due_at"),
        ),
        Move(
            "transfer",
            _("Transfer"),
            frozenset({S.RAISED, *WORKED_ON, S.ORDERED}),
            S.RAISED,
            (P.TRIAGE,),
            needs_note=True,
        ),
        Move(
            "decline",
            _("Do not take on"),
            frozenset({S.RAISED}),
            S.DECLINED,
            (P.TRIAGE,),
            needs_note=True,
            clock="stop",
        ),
        Move(
            "merge",
            _("Merge"),
            frozenset({S.RAISED, *WORKED_ON, S.ORDERED}),
            S.MERGED,
            (P.TRIAGE,),
            ("merged_into",),
            clock="stop",
        ),
        # Whoever has it in hand.
        Move("start", _("Start"), frozenset({S.DISPATCHED}), S.UNDER_WAY, (P.HANDLE,)),
        Move("take", _("Take the order"), frozenset({S.ORDERED}), S.UNDER_WAY, (P.TAKE_ORDERS,), ("taken_by",)),
        Move("progress", _("Report progress"), frozenset({*WORKED_ON}), S.UNDER_WAY, (P.HANDLE,), needs_note=True),
        Move(
            "return",
            _("Give back"),
            frozenset({*WORKED_ON, S.ORDERED}),
            S.RAISED,
            (P.HANDLE,),
            needs_note=True,
            open_to_resident=False,
        ),
        Move(
            "ask",
            _("Ask the resident"),
            frozenset({S.RAISED, *WORKED_ON}),
            S.ASKED,
            (P.TRIAGE, P.HANDLE),
            needs_note=True,
            clock="pause",
        ),
        Move(
            "settle", _("Settle"), frozenset({S.RAISED, *WORKED_ON}), S.SETTLED, (P.HANDLE,), ("outcome",), clock="stop"
        ),
        # The resident.
        Move("answer", _("Answer"), frozenset({S.ASKED}), "", (RESIDENT, P.TRIAGE), needs_note=True, clock="resume"),
        Move("rate", _("Rate"), frozenset({S.SETTLED}), S.RATED, (RESIDENT,), ("rating",)),
        Move("reopen", _("Reopen"), frozenset({S.SETTLED, S.RATED, S.UNRATED}), S.RAISED, (RESIDENT,), needs_note=True),
        # The clock.
        Move("lapse", _("Rating time is over"), frozenset({S.SETTLED}), S.UNRATED, (SYSTEM,)),
    ],
)
