"""An import by command: filed as a job and worked off at once, so that a command that is killed loses nothing."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from rich.console import Console

from weilu.lib.import_result import ImportProblem, cannot_read
from weilu.orgs.imports import jobs
from weilu.orgs.imports.kinds import KINDS
from weilu.orgs.imports.steps import UNFINISHED, State
from weilu.orgs.models import ImportJob, Place

LOOK_EVERY = 0.5  # seconds


def run_as_job(
    kind: str, files: Iterable[Path], *, options: dict[str, Any], console: Console, place: Place | None = None
) -> tuple[dict[str, Any], bytes]:
    """Import files by a job, and wait until it has ended, whoever works on it.

    What an earlier command left unfinished is finished first. If this one is killed, the worker goes on within a
    minute, or else the next command does. Ctrl+C gives the import up.

    Returns:
        counts and errors; and the file of what was refused, if the kind makes one.

    Raises:
        ImportProblem: a file cannot be opened, or the import as a whole was refused.
    """
    with ExitStack() as opened:
        try:
            named = [(file.name, opened.enter_context(file.open("rb"))) for file in files]
        except OSError as error:
            raise cannot_read(error.filename or "", error) from error
        job = jobs.file_in(kind, named, options=options, place=place)
    try:
        for left in ImportJob.objects.filter(state__in=UNFINISHED).exclude(pk=job.pk).order_by("created_at"):
            label = {"kind": KINDS[left.kind].label, "name": left.name}
            console.print(_("Left unfinished before, finished now: %(kind)s, %(name)s") % label, highlight=False)
            _finish(left, console)
        found = _finish(job, console)
    except KeyboardInterrupt:
        jobs.cancel(job)
        raise
    job.refresh_from_db()
    if job.state != State.DONE:
        raise ImportProblem(job.message or _("The import was given up."))
    kept = {key: value for key, value in job.report.items() if key != "more_errors"}
    return found or kept, jobs.refused_of(job)


def _finish(job: ImportJob, console: Console) -> dict[str, Any] | None:
    """Work on an import until it has ended; return what it did if it was done here."""
    while True:
        if result := jobs.work(job.pk, console):
            return result.as_dict()
        if not ImportJob.objects.filter(pk=job.pk, state__in=UNFINISHED).exists():
            return None
        time.sleep(LOOK_EVERY)  # somebody else is at it
