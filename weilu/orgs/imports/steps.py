"""The way of an import: waits, is under way, ends; each step taken once, by a locked update of its row."""

from typing import Any

from django.utils import timezone

from weilu.orgs.models import ImportJob

State = ImportJob.State
UNFINISHED = (State.WAITING, State.RUNNING)


def step(job_id: Any, state: str, **given: Any) -> bool:
    """Take an import to ``state``, with further columns; tell whether it had not ended.

    Of two who try at once the second waits for the first and finds the import elsewhere.
    """
    if state not in UNFINISHED:
        given.setdefault("finished_at", timezone.now())
    return ImportJob.objects.filter(pk=job_id, state__in=UNFINISHED).update(state=state, **given) == 1
