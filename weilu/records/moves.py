"""The one way to change a record's state: a table of moves for each workflow, and :func:`move`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from weilu.lib.prepared import PreparedQuery
from weilu.orgs.models import User
from weilu.orgs.roles import Permission
from weilu.records.models import CLOCK_COLUMNS, Event, Record

RESIDENT = "resident"
SYSTEM = "system"

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Actor:
    """Who acts: an account, the resident who holds a record's secret, or the system's own clock."""

    kind: str
    user: User | None = None

    @property
    def name(self) -> str:
        return self.user.name if self.user else ""

    @classmethod
    def account(cls, user: User) -> "Actor":
        """The actor for a signed-in account."""
        return cls("account", user)


THE_RESIDENT = Actor(RESIDENT)
THE_SYSTEM = Actor(SYSTEM)


@dataclass(frozen=True)
class Move:
    """One way from a state to another.

    Attributes:
        name: verb, as events keep it.
        label: what the button says.
        sources: states from which it may be made.
        target: state after it; empty to stay in the same.
        by: kinds of actor: a :class:`Permission` for accounts, ``RESIDENT``, ``SYSTEM``.
        needs: columns that must be filled (by the call or already) for the move to be made.
        needs_note: whether a reason or text must be given.
        clock: ``pause``, ``resume`` or ``stop``; empty leaves it running. Starting it needs a number of days: the
            verb does that.
        open_to_resident: whether the resident reads this step.
    """

    name: str
    label: str | Promise
    sources: frozenset[str]
    target: str
    by: tuple[Permission | str, ...]
    needs: tuple[str, ...] = ()
    needs_note: bool = False
    clock: str = ""
    open_to_resident: bool = True


@dataclass(frozen=True)
class Workflow:
    """States and moves of one kind of record."""

    kind: str
    states: type[Any]
    moves: dict[str, Move] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, states: type[Any], moves: Iterable[Move]) -> "Workflow":
        """Build the table; moves are found by name."""
        return cls(kind, states, {item.name: item for item in moves})


class MoveError(Exception):
    """A move that cannot be made; ``message`` tells the reader what is the matter and what to do."""

    def __init__(self, message: str | Promise):
        super().__init__(message)
        self.message = message


class Stale(MoveError):
    """Somebody else changed the record since it was read."""

    def __init__(self, record: Record):
        super().__init__(
            _("Somebody else has changed this record in the meantime. This is its new state; nothing was overwritten.")
        )
        self.record = record


class NotAllowed(MoveError):
    """The actor may not make this move here."""

    def __init__(self) -> None:
        super().__init__(_("Your account may not do this here."))


class NotPossible(MoveError):
    """The record's state does not lead there."""


class Incomplete(MoveError):
    """A required field is empty; ``field`` names it."""

    def __init__(self, name: str, label: str | Promise):
        super().__init__(_("Please fill in: %(field)s.") % {"field": label})
        self.field = name


def permitted(step: Move, actor: Actor, record: Record, may: Callable[[User, Permission, Any], bool]) -> bool:
    """Tell whether ``actor`` may make ``step`` on ``record``; ``may`` is the workflow's own rule of place."""
    if actor.kind in (RESIDENT, SYSTEM):
        return actor.kind in step.by
    return any(
        isinstance(permission, Permission) and actor.user and may(actor.user, permission, record)
        for permission in step.by
    )


@cache
def _locking(model: type[R]) -> PreparedQuery[R]:
    rows = model._default_manager.select_related("jurisdiction__place").select_for_update(of=("self",))
    return PreparedQuery(
        lambda key, jurisdiction: rows.filter(pk=key, jurisdiction_id=jurisdiction),
        key=UUID(int=1),
        jurisdiction=UUID(int=2),
    )


def _locked(record: R) -> R:
    if not connection.in_atomic_block:
        raise RuntimeError("a move is made in the caller's transaction")
    found = _locking(type(record))(key=record.pk, jurisdiction=record.jurisdiction_id)
    if not found:
        raise type(record).DoesNotExist
    return found[0]


def move(
    record: R,
    name: str,
    *,
    actor: Actor,
    version: int | None,
    note: str = "",
    set: dict[str, Any] | None = None,
    prepare: Callable[[R], Iterable[str]] | None = None,
    target: str = "",
    changes: dict[str, Any] | None = None,
) -> R:
    """Move ``record``: lock its row, check, save what changed and write the event, in the caller's transaction.

    Args:
        record: the record as the caller read it; its type names its ``workflow`` and ``may``.
        name: the move's name in the workflow.
        actor: who acts.
        version: the version the actor saw; None only where nobody looked at it (the system's clock).
        note: reason or text, kept in the event.
        set: columns to set.
        prepare: called with the locked record after the checks, to set more columns; returns their names.
        target: the state to go to, for moves whose table leaves it open (back to where it was).
        changes: what the event keeps for offices; by default the columns in ``set`` as text.

    Returns:
        the locked record in its new state, with ``event`` set to the event written.

    Raises:
        Stale: the version is not the one seen.
        NotPossible, NotAllowed, Incomplete: the state, the actor or a field stands against it.
    """
    model = type(record)
    locked = _locked(record)
    workflow: Workflow = model.workflow  # type: ignore[attr-defined]
    step = workflow.moves[name]
    if version is not None and locked.version != version:
        raise Stale(locked)
    if not permitted(step, actor, locked, model.may):  # type: ignore[attr-defined]
        raise NotAllowed
    if locked.state not in step.sources:
        raise NotPossible(
            _("This cannot be done any more: it is now “%(state)s”.") % {"state": workflow.states(locked.state).label}
        )
    if step.needs_note and not note.strip():
        raise Incomplete("note", _("reason or text"))
    columns = dict(set or {})
    for column, value in columns.items():
        setattr(locked, column, value)
    touched = [*columns, *(prepare(locked) if prepare else [])]
    for column in step.needs:
        if not getattr(locked, column):
            raise Incomplete(column, model._meta.get_field(column).verbose_name)  # type: ignore[union-attr]
    now = timezone.now()
    before = locked.state
    locked.state = target or step.target or before
    if step.clock == "pause":
        locked.pause_clock(now)
    elif step.clock == "resume":
        locked.resume_clock(now)
    elif step.clock == "stop":
        locked.stop_clock()
    locked.version += 1
    locked.save(update_fields=[*dict.fromkeys([*touched, "state", "version", *CLOCK_COLUMNS])])
    locked.event = Event.objects.create(  # type: ignore[attr-defined]
        jurisdiction_id=locked.jurisdiction_id,
        record_kind=workflow.kind,
        record_id=locked.pk,
        at=now,
        move=name,
        from_state=before,
        to_state=locked.state,
        actor=actor.user,
        actor_name=actor.name,
        note=note.strip(),
        changes={key: str(value) for key, value in columns.items()} if changes is None else changes,
        open_to_resident=step.open_to_resident,
    )
    return locked
