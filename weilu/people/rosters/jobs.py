"""Rosters sent in by the browser: kept, read and entered by the worker, once, whatever falls over in between."""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.exceptions import AlreadyEnqueued

from weilu.lib.crypto import seal, unseal
from weilu.lib.import_result import ImportProblem
from weilu.orgs.models import Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import NOTHING
from weilu.people.models import ColumnMapping, RosterFile, RosterImport
from weilu.people.persons import keeps
from weilu.people.rosters.books import MOST_BYTES, Book
from weilu.people.rosters.entering import Order, RosterResult, place_of, process
from weilu.people.rosters.headers import open_roster
from weilu.people.rosters.kinds import KINDS
from weilu.people.rosters.reading import NotMapped, Roster
from weilu.people.rosters.steps import State, step

logger = logging.getLogger(__name__)

MOST_TRIES = 3
MOST_ERRORS = 2_000
KEPT_FOR = timedelta(days=14)
TELL_EVERY = 0.5  # seconds


class RosterProblem(ValueError):
    """A roster cannot be taken, or not be treated so; the message says why."""


def rosters_of(user: User) -> QuerySet[RosterImport]:
    """Return the rosters of places where ``user`` keeps bodies and people."""
    condition = NOTHING
    for grant in user.grants_for(Permission.KEEP):
        if not grant.by_organisation:
            condition = condition | Q(place__path__startswith=grant.place.path)
    return RosterImport.objects.filter(condition).select_related("place", "created_by")


# What people do.


@transaction.atomic
def send_in(upload: UploadedFile, *, kind: str, place: Place, by: User, create: bool = False) -> RosterImport:
    """Keep a workbook, encrypted, and have the worker read it.

    Raises:
        RosterProblem: it is empty or too large, or ``by`` keeps no rosters there.
    """
    name = Path(upload.name or "").name[-120:]
    if kind not in KINDS or not keeps(by, place):
        raise RosterProblem(_("%(place)s lies outside your scope.") % {"place": place})
    if (upload.size or 0) > MOST_BYTES:
        raise RosterProblem(
            _("“%(name)s” is larger than %(limit)s MB. Send a smaller one.")
            % {"name": name, "limit": MOST_BYTES // 1024 // 1024}
        )
    content = upload.read()
    if not content:
        raise RosterProblem(_("“%(name)s” is empty.") % {"name": name})
    try:
        _place, jurisdiction = place_of(place.code)
    except ImportProblem as problem:
        raise RosterProblem(str(problem)) from problem
    roster = RosterImport.objects.create(
        jurisdiction=jurisdiction, kind=kind, place=place, name=name, created_by=by, create_organisations=create,
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    RosterFile.objects.create(roster=roster, jurisdiction=jurisdiction, content=seal(content))
    _queue(roster.pk)
    return roster


@transaction.atomic
def read_again(roster: RosterImport, *, by: User, mapping: dict[str, str], create: bool, sheet: str = "") -> None:
    """Read a roster anew with other columns, another sheet, or missing bodies made; the columns are kept for next time.

    Raises:
        RosterProblem: it is being entered, was entered or given up; or a column was given to two headings.
    """
    keys = [key for key in mapping.values() if key]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        heading = KINDS[roster.kind].by_key[twice].heading
        raise RosterProblem(_("Two columns are given as “%(column)s”. Leave one of them out.") % {"column": heading})
    same_sheet = sheet == roster.report.get("sheet", "")
    given = {"mapping": mapping if same_sheet else {}, "create_organisations": create, "sheet": sheet, "attempts": 0}
    if not step(roster.pk, State.WAITING, **given):
        raise RosterProblem(_("This roster has moved on in the meantime."))
    if (fingerprint := roster.report.get("fingerprint")) and same_sheet:
        ColumnMapping.objects.update_or_create(
            jurisdiction_id=roster.jurisdiction_id, kind=roster.kind, headings=fingerprint,
            defaults={"mapping": mapping, "changed_at": timezone.now()},
        )  # fmt: skip
    _queue(roster.pk)


@transaction.atomic
def enter(roster: RosterImport, *, by: User, end_missing: bool) -> None:
    """Have the worker enter a roster that was read; who presses twice enters once.

    Raises:
        RosterProblem: it was not read, or somebody was faster.
    """
    if not step(roster.pk, State.APPLYING, end_missing=end_missing, created_by=by, attempts=0, done=0):
        raise RosterProblem(_("This roster has moved on in the meantime."))
    _queue(roster.pk)


def cancel(roster: RosterImport, *, by: User) -> None:
    """Give a roster up; its file is removed.

    Raises:
        RosterProblem: it is being entered or was.
    """
    with transaction.atomic():
        if not step(roster.pk, State.CANCELLED):
            raise RosterProblem(_("This roster has moved on in the meantime."))


def workbook_of(roster: RosterImport) -> Roster:
    """Return the sheet of a roster that is still kept, mapped as it was read.

    Raises:
        RosterProblem: its file is removed already.
        ImportProblem: it cannot be read.
    """
    file = RosterFile.objects.filter(roster=roster).first()
    if file is None:
        raise RosterProblem(_("The file is not kept any more."))
    kind = KINDS[roster.kind]
    found = open_roster(kind, Book(roster.name, unseal(bytes(file.content))), roster.sheet)
    found.use(roster.report.get("mapping") or {str(index): key for index, key in found.mapping.items()})
    return found


# What the worker does.


def _queue(roster_id: Any) -> None:
    from weilu.people.tasks import work_on_roster  # tasks import this module

    try:
        with transaction.atomic():
            work_on_roster.configure(queueing_lock=f"roster.{roster_id}").defer(roster_id=str(roster_id))
    except AlreadyEnqueued:
        pass  # a job for it waits already


def resume() -> None:
    """Queue again what waits or is being entered: a worker that fell took its job with it."""
    for roster in RosterImport.objects.filter(state__in=(State.WAITING, State.APPLYING)).only("pk"):
        _queue(roster.pk)


def forget_old() -> None:
    """Give up rosters that nobody entered for two weeks; their files are removed."""
    old = RosterImport.objects.filter(state__in=(State.READ, State.REFUSED), created_at__lt=timezone.now() - KEPT_FOR)
    for roster in old.only("pk"):
        with transaction.atomic():
            step(roster.pk, State.CANCELLED)


@contextmanager
def _alone(roster_id: Any) -> Iterator[bool]:
    """Hold a roster while it is worked on; tell whether nobody else does. A worker that falls lets go of it."""
    key = f"weilu.roster.work.{roster_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        mine = cursor.fetchone()[0]
    try:
        yield mine
    finally:
        if mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def work(roster_id: Any) -> None:
    """Do what a roster waits for: read it, or enter it. If somebody is at it already, nothing."""
    with _alone(roster_id) as mine:
        if not mine:
            return
        waiting = RosterImport.objects.filter(pk=roster_id, state__in=(State.WAITING, State.APPLYING))
        if not waiting.update(attempts=F("attempts") + 1):
            return
        roster = waiting.select_related("place", "jurisdiction__place", "created_by").get()
        try:
            _work(roster)
        except ImportProblem as problem:
            _fail(roster, str(problem))
        except (OperationalError, InterfaceError):
            raise  # the database went away; the roster waits and is taken up again
        except DatabaseError:
            logger.exception("a roster could not be entered")
            _fail(roster, _("The database refused the roster; nothing was entered. Tell your administrator."))
        except Exception:
            logger.exception("a roster could not be read")
            _fail(
                roster,
                _("The roster could not be read by a fault of ours; nothing was entered. Tell your administrator."),
            )


def _fail(roster: RosterImport, message: str) -> None:
    with transaction.atomic():
        step(roster.pk, State.FAILED, message=message)


def _work(roster: RosterImport) -> None:
    if roster.attempts > MOST_TRIES:
        raise ImportProblem(
            _("The worker fell %(count)s times over this file; nothing was entered. Save it anew, without pictures.")
            % {"count": MOST_TRIES}
        )
    file = RosterFile.objects.get(roster=roster)
    book = Book(roster.name, unseal(bytes(file.content)))
    del file
    entering = roster.state == State.APPLYING
    order = Order(
        KINDS[roster.kind], roster.place, roster.jurisdiction, by=roster.created_by, sheet=roster.sheet,
        mapping=roster.mapping or None, create=roster.create_organisations, end_missing=roster.end_missing,
        write=entering,
    )  # fmt: skip
    with _telling(roster.pk) as tell, transaction.atomic():
        try:
            result = process(book, order, tell)
        except NotMapped as problem:
            report = _how_read(problem.roster)
            _must(step(roster.pk, State.REFUSED, message=str(problem), report=report))
            return
        target = State.REFUSED if result.refused else State.DONE if entering else State.READ
        _must(step(roster.pk, target, message="", report=_report(result)))


def _must(taken: bool) -> None:
    """Undo all when the roster was cancelled in the meantime."""
    if not taken:
        transaction.set_rollback(True)


@contextmanager
def _telling(roster_id: Any) -> Iterator[Any]:
    """Write how far we are by a connection of its own: the work itself is not yet committed."""
    other = connections["default"].copy()
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < TELL_EVERY and done < total:
            return
        last = time.monotonic()
        with other.cursor() as cursor:
            cursor.execute(
                "UPDATE people_rosterimport SET done = %s, total = %s WHERE id = %s", [done, total, roster_id]
            )

    try:
        yield tell
    finally:
        other.close()


def _how_read(roster: Roster) -> dict[str, Any]:
    return {
        "sheet": roster.sheet, "sheets": roster.book.sheets, "header": roster.last_header, "headings": roster.headings,
        "fingerprint": roster.fingerprint, "mapping": {str(index): key for index, key in roster.mapping.items()},
    }  # fmt: skip


def _report(result: RosterResult) -> dict[str, Any]:
    assert result.roster is not None  # noqa: S101  process() set it
    return {
        **_how_read(result.roster),
        "counts": {
            "read": result.read, "imported": result.imported, "updated": result.updated,
            "duplicates": result.duplicates, "refused": result.refused, **result.extra,
        },
        "errors": result.errors[:MOST_ERRORS], "more_errors": max(0, len(result.errors) - MOST_ERRORS),
        "changes": result.changes, "leaving": result.leaving, "notes": result.notes[:100], "made": result.made,
    }  # fmt: skip
