"""The way of a roster: waits, is read, is entered; each step taken once, by a locked update of its row."""

from typing import Any

from django.utils import timezone

from weilu.people.models import RosterFile, RosterImport

State = RosterImport.State
# From where each state may be reached.
SOURCES: dict[str, tuple[str, ...]] = {
    State.WAITING: (State.READ, State.REFUSED),
    State.READ: (State.WAITING,),
    State.REFUSED: (State.WAITING, State.APPLYING),
    State.APPLYING: (State.READ,),
    State.DONE: (State.APPLYING,),
    State.FAILED: (State.WAITING, State.APPLYING),
    State.CANCELLED: (State.WAITING, State.READ, State.REFUSED),
}
# At the end of its way a roster's file is not needed any more.
ENDS = (State.DONE, State.FAILED, State.CANCELLED)


def step(roster_id: Any, state: str, **given: Any) -> bool:
    """Take a roster to ``state``, with further columns; tell whether it was where that may be done from.

    Of two who try at once the second waits for the first and finds the roster elsewhere.
    """
    if state in ENDS:
        given.setdefault("finished_at", timezone.now())
    rows = RosterImport.objects.filter(pk=roster_id, state__in=SOURCES[state])
    taken = rows.update(state=state, **given) == 1
    if taken and state in ENDS:
        RosterFile.objects.filter(roster=roster_id).delete()
    return taken
