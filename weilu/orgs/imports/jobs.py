"""Imports are kept, then worked off: by the worker, or by the command that filed them; once, whatever falls over."""

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.exceptions import AlreadyEnqueued
from rich.console import Console

from weilu.lib.crypto import seal, unseal
from weilu.lib.import_result import ImportProblem, ImportResult
from weilu.orgs.imports.kinds import KINDS
from weilu.orgs.imports.steps import UNFINISHED, State, step
from weilu.orgs.models import ImportJob, ImportPart, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import NOTHING

logger = logging.getLogger(__name__)

MOST_TRIES = 3
MOST_ERRORS = 2_000
PART = 4_000_000  # bytes; a file of any size is never in memory as a whole
KEPT_FOR = timedelta(days=14)
TELL_EVERY = 0.5  # seconds
REFUSED = "refused"


def imports_of(user: User, kind: str) -> QuerySet[ImportJob]:
    """Return the imports of a kind for places where ``user`` keeps bodies and places."""
    condition = NOTHING
    for grant in user.grants_for(Permission.KEEP):
        if not grant.by_organisation:
            condition = condition | Q(place__path__startswith=grant.place.path)
    return ImportJob.objects.filter(condition, kind=kind).select_related("place", "created_by")


@transaction.atomic
def file_in(
    kind: str, files: Iterable[tuple[str, IO[bytes]]], *, options: dict[str, Any], place: Place | None = None,
    by: User | None = None,
) -> ImportJob:  # fmt: skip
    """Keep files, encrypted, to be imported. The same files under way already are not filed a second time.

    Args:
        files: name and content of each.
        options: of the kind, as JSON has them.
    """
    job = ImportJob(kind=kind, options=options, place=place, created_by=by)
    job.save(force_insert=True)
    whole = hashlib.sha256(json.dumps([kind, options], sort_keys=True).encode())
    for name, file in files:
        job.name = job.name or Path(name).name[-120:]
        whole.update(b"\0" + name.encode() + b"\0")
        # The first part is kept even where it is empty: what an empty file means, its kind says.
        for number, content in enumerate(chain([file.read(PART)], iter(lambda: file.read(PART), b""))):  # noqa: B023
            whole.update(content)
            ImportPart.objects.create(job=job, name=name, number=number, content=seal(content))
    job.sha256 = whole.hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"weilu.import.{job.sha256}"])
    same = ImportJob.objects.filter(sha256=job.sha256, state__in=UNFINISHED).first()
    if same:
        job.delete()
        return same
    job.save(update_fields=["name", "sha256"])
    return job


def queue(job_id: Any) -> None:
    """Have the worker take an import up."""
    from weilu.orgs.tasks import work_on_import  # tasks import this module

    try:
        with transaction.atomic():
            work_on_import.configure(queueing_lock=f"import.{job_id}").defer(job_id=str(job_id))
    except AlreadyEnqueued:
        pass  # it waits already


def resume() -> None:
    """Queue again what waits or is under way: who fell over it took the job with them."""
    for job in ImportJob.objects.filter(state__in=UNFINISHED).only("pk"):
        queue(job.pk)


def forget_old() -> None:
    """Remove the refused features of imports that ended two weeks ago."""
    ImportPart.objects.filter(job__finished_at__lt=timezone.now() - KEPT_FOR).delete()


@contextmanager
def _alone(job_id: Any) -> Iterator[bool]:
    """Hold an import while it is worked on; tell whether nobody else does. Who falls lets go of it."""
    key = f"weilu.import.work.{job_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        mine = cursor.fetchone()[0]
    try:
        yield mine
    finally:
        if mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def work(job_id: Any, console: Console | None = None) -> ImportResult | None:
    """Import what a job keeps; if somebody is at it already, or it has ended, nothing.

    Returns:
        what it did; None where it did nothing.
    """
    with _alone(job_id) as mine:
        if not mine or not step(job_id, State.RUNNING, attempts=F("attempts") + 1):
            return None
        job = ImportJob.objects.get(pk=job_id)
        try:
            return _work(job, console)
        except ImportProblem as problem:
            _fail(job, str(problem))
        except (OperationalError, InterfaceError):
            raise  # the database went away; the import waits and is taken up again
        except DatabaseError:
            logger.exception("an import was refused by the database")
            _fail(job, _("The database refused the file; nothing was entered. Tell your administrator."))
        except Exception:
            logger.exception("an import failed")
            _fail(
                job, _("The file could not be read by a fault of ours; nothing was entered. Tell your administrator.")
            )
    return None


def _work(job: ImportJob, console: Console | None) -> ImportResult | None:
    if job.attempts > MOST_TRIES:
        raise ImportProblem(
            _("The work fell over %(count)s times at this file; nothing was entered. Cut it into smaller ones.")
            % {"count": MOST_TRIES}
        )
    with TemporaryDirectory(prefix="weilu-import-") as folder, _telling(job.pk) as tell, transaction.atomic():
        _lay_out(job, Path(folder))
        result = KINDS[job.kind].run(Path(folder), job.options, console, tell)
        if not step(job.pk, State.DONE, report=_report(result), message=""):
            transaction.set_rollback(True)  # it was given up in the meantime
            return None
        job.parts.all().delete()
        if result.refused_file:
            ImportPart.objects.create(job=job, name=REFUSED, content=seal(result.refused_file))
    return result


def _fail(job: ImportJob, message: str) -> None:
    with transaction.atomic():
        if step(job.pk, State.FAILED, message=message):
            job.parts.all().delete()


def cancel(job: ImportJob) -> None:
    """Give up an import that has not ended: whoever is at it enters nothing."""
    with transaction.atomic():
        if step(job.pk, State.CANCELLED):
            job.parts.all().delete()


def _lay_out(job: ImportJob, folder: Path) -> None:
    """Write the files of a job into a folder that nobody else reads."""
    for pk, name in job.parts.order_by("name", "number").values_list("pk", "name"):
        with (folder / Path(name).name).open("ab") as file:
            file.write(unseal(bytes(ImportPart.objects.get(pk=pk).content)))


def refused_of(job: ImportJob) -> bytes:
    """Return the file of what was refused, each with its reason; empty where there is none."""
    part = job.parts.filter(name=REFUSED).first() if job.state == State.DONE else None
    return unseal(bytes(part.content)) if part else b""


def _report(result: ImportResult) -> dict[str, Any]:
    found = result.as_dict()
    errors = found["errors"]
    return found | {"errors": errors[:MOST_ERRORS], "more_errors": max(0, len(errors) - MOST_ERRORS)}


@contextmanager
def _telling(job_id: Any) -> Iterator[Any]:
    """Write how far we are by a connection of its own: the work itself is not yet committed."""
    other = connections["default"].copy()
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < TELL_EVERY and done < total:
            return
        last = time.monotonic()
        with other.cursor() as cursor:
            cursor.execute("UPDATE orgs_importjob SET done = %s, total = %s WHERE id = %s", [done, total, job_id])

    try:
        yield tell
    finally:
        other.close()
