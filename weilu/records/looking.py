"""Looking at somebody's numbers in full: always with a reason, and always kept, for whom it concerns to read."""

from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from weilu.orgs.models import User
from weilu.records.models import Event
from weilu.records.moves import MoveError

LOOK = "unmask"
SHORTEST, LONGEST = 2, 200


class Looked(Protocol):
    """What has a contact or numbers: a record of work, or a person."""

    @property
    def pk(self) -> Any: ...
    @property
    def jurisdiction_id(self) -> Any: ...
    @property
    def record_kind(self) -> str: ...


class NoReason(MoveError):
    """It was not said what the numbers are needed for."""


def reason_in(text: str) -> str:
    """Return the reason that was given.

    Raises:
        NoReason: there is none (blanks and dots are none), or it is too long.
    """
    why = " ".join(text.split())
    if sum(sign.isalnum() for sign in why) < SHORTEST:
        raise NoReason(_("Say why you need the numbers: whom they belong to can read it."))
    if len(why) > LONGEST:
        raise NoReason(_("A reason has at most 200 characters."))
    return why


def keep_look(record: Looked, *, reason: str, by: User) -> Event:
    """Keep that ``by`` looks at the numbers of ``record``, and why, before they are shown.

    Raises:
        NoReason: see :func:`reason_in`.
    """
    why, state = reason_in(reason), getattr(record, "state", "")
    return Event.objects.create(
        jurisdiction_id=record.jurisdiction_id, record_kind=record.record_kind, record_id=record.pk, move=LOOK,
        from_state=state, to_state=state, actor=by, actor_name=by.name, note=why,
    )  # fmt: skip
