"""Rosters sent in by browser or command: kept, read and entered once, whatever falls over in between."""

import base64
import hashlib
import json
import logging
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.exceptions import AlreadyEnqueued

from weilu.lib.copying import copy_lines
from weilu.lib.crypto import seal, unseal
from weilu.lib.import_result import ImportProblem
from weilu.orgs.models import Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import NOTHING
from weilu.people.models import RosterFile, RosterImport
from weilu.people.persons import keeps
from weilu.people.rosters.books import MOST_BYTES, Book
from weilu.people.rosters.entering import (
    SHOWN,
    Order,
    RosterResult,
    Tell,
    TooMany,
    are_many,
    keep_mapping,
    mapped,
    place_of,
    process,
    too_many,
)
from weilu.people.rosters.headers import first_rows
from weilu.people.rosters.kinds import KINDS, Kind, likeliest
from weilu.people.rosters.reading import NotMapped, Roster
from weilu.people.rosters.steps import State, step

logger = logging.getLogger(__name__)

MOST_TRIES = 3
MOST_ERRORS = 2_000
KEPT_FOR = timedelta(days=14)
TELL_EVERY = 0.5  # seconds


# Where the mapping of a roster says which row somebody named as its header.
HEADER = "header"


class RosterProblem(ValueError):
    """A roster cannot be taken, or not be treated so; the message says why."""


class MustAsk(RosterProblem):
    """Somebody has to say a second time that a roster is the full one; the message says what would happen."""


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


@dataclass(frozen=True)
class Reading:
    """How somebody wants a roster to be read.

    Attributes:
        mapping: index of a heading as text -> key of our column.
        header: the row of the header.
        kind: what it lists, if that was wrong.
    """

    mapping: dict[str, str]
    sheet: str = ""
    header: int = 0
    kind: str = ""
    create: bool = False


@transaction.atomic
def read_again(roster: RosterImport, *, by: User, reading: Reading) -> None:
    """Read a roster anew, as somebody says it is to be read; the columns are kept for next time.

    Raises:
        RosterProblem: it is being entered, was entered or given up; or a column was given to two headings.
    """
    report = roster.report
    kind = reading.kind if reading.kind in KINDS else roster.kind
    named = reading.header if reading.header != report.get("header") else 0
    if not named and kind == roster.kind:
        named = report.get("named", 0)
    same = (reading.sheet, reading.header or report.get("header"), kind) == (
        report.get("sheet", ""), report.get("header"), roster.kind,
    )  # fmt: skip
    mapping = reading.mapping if same else {}
    _check_once(KINDS[kind], mapping)
    given = {"kind": kind, "create_organisations": reading.create, "sheet": reading.sheet, "attempts": 0}
    if not step(roster.pk, State.WAITING, mapping=mapping | ({HEADER: str(named)} if named else {}), **given):
        raise RosterProblem(_("This roster has moved on in the meantime."))
    if (fingerprint := report.get("fingerprint")) and same:
        keep_mapping(roster.jurisdiction_id, kind, fingerprint, mapping)
    _queue(roster.pk)


def _check_once(kind: Kind, mapping: dict[str, str]) -> None:
    keys = [key for key in mapping.values() if key]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        heading = kind.by_key[twice].heading if twice in kind.by_key else twice
        raise RosterProblem(_("Two columns are given as “%(column)s”. Leave one of them out.") % {"column": heading})


@transaction.atomic
def enter(roster: RosterImport, *, by: User, end_missing: bool, sure: bool = False) -> None:
    """Have the worker enter a roster that was read; who presses twice enters once.

    Args:
        sure: whether somebody confirmed that all who are missing leave, however many.

    Raises:
        MustAsk: so many would leave that it has to be confirmed.
        RosterProblem: it was not read, or somebody was faster.
    """
    counts = roster.report.get("counts", {})
    leaving, standing = counts.get("leaving", 0), counts.get("standing", 0)
    if end_missing and not sure and are_many(leaving, standing):
        raise MustAsk(too_many(leaving, standing))
    report = roster.report | {"sure": sure}
    given = {"end_missing": end_missing, "created_by": by, "attempts": 0, "done": 0, "total": 0, "report": report}
    if not step(roster.pk, State.APPLYING, **given):
        raise RosterProblem(_("This roster has moved on in the meantime."))
    _queue(roster.pk)


@transaction.atomic
def file_order(book: Book, order: Order, sha256: str) -> RosterImport:
    """Keep a roster that the command enters, as one that was sent in: if the command falls, a worker takes it up.

    It is not queued: the command works on it itself, and who comes first holds it.
    """
    mapping = dict(order.mapping or {}) | ({HEADER: str(order.header)} if order.header else {})
    roster = RosterImport.objects.create(
        jurisdiction=order.jurisdiction, kind=order.kind.code, place=order.place, name=book.name[-120:],
        created_by=order.by, create_organisations=order.create, end_missing=order.end_missing, sheet=order.sheet,
        mapping=mapping, state=State.APPLYING, sha256=sha256, report={"sure": order.sure, "by_command": True},
    )  # fmt: skip
    # By COPY: as a parameter the file would stand in memory five times.
    line = [roster.pk, order.jurisdiction.pk, seal(book.content)]
    copy_lines("people_rosterfile", ["roster_id", "jurisdiction_id", "content"], [line])
    return roster


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
    order = replace(order_of(roster), mapping=roster.report.get("mapping") or None)
    return mapped(Book(roster.name, unseal(bytes(file.content))), order)


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


def key_of(roster_id: Any) -> str:
    """Return the name of the lock that is held while a roster is worked on."""
    return f"weilu.roster.work.{roster_id}"


@contextmanager
def _alone(roster_id: Any) -> Iterator[bool]:
    """Hold a roster while it is worked on; tell whether nobody else does. A worker that falls lets go of it."""
    key = key_of(roster_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        mine = cursor.fetchone()[0]
    try:
        yield mine
    finally:
        if mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def at_work(jurisdiction_id: Any) -> RosterImport | None:
    """Return the roster of a county that is worked on at this moment: the others wait until it is done."""
    waiting = RosterImport.objects.filter(jurisdiction_id=jurisdiction_id, state__in=(State.WAITING, State.APPLYING))
    held = waiting.extra(
        where=[
            "EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND ((l.classid::bigint << 32) | l.objid::bigint)"
            " = hashtextextended('weilu.roster.work.' || people_rosterimport.id, 0))"
        ]
    )
    return held.select_related("created_by").defer("report", "mapping").order_by("-total", "created_at").first()


def left_behind() -> list[Any]:
    """Return the rosters that were being entered by somebody who fell, or will be; who asks may work on them."""
    rows = RosterImport.objects.filter(state=State.APPLYING).order_by("created_at")
    return list(rows.values_list("pk", flat=True))


def work(roster_id: Any, *, book: Book | None = None, tell: Tell | None = None) -> RosterResult | None:
    """Do what a roster waits for: read it, or enter it; return what came of it. If somebody is at it already, nothing.

    Args:
        book: its file, if it is opened already.
        tell: told how many rows of how many are done.
    """
    with _alone(roster_id) as mine:
        if not mine:
            return None
        waiting = RosterImport.objects.filter(pk=roster_id, state__in=(State.WAITING, State.APPLYING))
        if not waiting.update(attempts=F("attempts") + 1):
            return None
        roster = waiting.select_related("place", "jurisdiction__place", "created_by").get()
        try:
            return _work(roster, book, tell)
        except TooMany as problem:
            _fail(roster, str(problem), ask=True)
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
    return None


def _fail(roster: RosterImport, message: str, *, ask: bool = False) -> None:
    with transaction.atomic():
        step(roster.pk, State.FAILED, message=message, report=roster.report | ({"ask": True} if ask else {}))


def order_of(roster: RosterImport) -> Order:
    """Return what somebody wants of a roster, as its row keeps it."""
    mapping = dict(roster.mapping)
    header = str(mapping.pop(HEADER, "0"))
    return Order(
        KINDS[roster.kind], roster.place, roster.jurisdiction, by=roster.created_by, sheet=roster.sheet,
        mapping=mapping or None, header=int(header) if header.isdecimal() else 0, create=roster.create_organisations,
        end_missing=roster.end_missing, sure=bool(roster.report.get("sure")), write=roster.state == State.APPLYING,
    )  # fmt: skip


def _work(roster: RosterImport, book: Book | None, tell: Tell | None) -> RosterResult | None:
    if roster.attempts > MOST_TRIES:
        raise ImportProblem(
            _("The worker fell %(count)s times over this file; nothing was entered. Save it anew, without pictures.")
            % {"count": MOST_TRIES}
        )
    if book is None:
        book = Book(roster.name, unseal(bytes(RosterFile.objects.get(roster=roster).content)))
    order = order_of(roster)
    with _telling(roster.pk, tell) as told, transaction.atomic():
        try:
            result = process(book, order, told)
        except NotMapped as problem:
            report = how_read(problem.roster) | {"named": order.header or (problem.guessed and problem.roster.header)}
            _must(step(roster.pk, State.REFUSED, message=str(problem), report=report))
            return None
        target = State.REFUSED if result.refused else State.DONE if order.write else State.READ
        _must(step(roster.pk, target, message="", report=_report(result) | {"named": order.header}))
    return result


def _must(taken: bool) -> None:
    """Undo all when the roster was cancelled in the meantime."""
    if not taken:
        transaction.set_rollback(True)


@contextmanager
def _telling(roster_id: Any, also: Tell | None) -> Iterator[Tell]:
    """Write how far we are by a connection of its own: the work itself is not yet committed."""
    other = connections["default"].copy()
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if also:
            also(done, total)
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


def how_read(roster: Roster) -> dict[str, Any]:
    """Return how a sheet was read: its header, its columns, and what it looks like otherwise."""
    other = likeliest(roster.headings, roster.kind.code)
    return {
        "sheet": roster.sheet, "sheets": roster.book.sheets, "header": roster.last_header, "headings": roster.headings,
        "fingerprint": roster.fingerprint, "mapping": {str(index): key for index, key in roster.mapping.items()},
        "looks_like": other.code if other else "", "rows": first_rows(roster.book, roster.sheet),
    }  # fmt: skip


def _report(result: RosterResult) -> dict[str, Any]:
    assert result.roster is not None  # noqa: S101  process() set it
    return {
        **how_read(result.roster),
        "counts": {
            "read": result.read, "imported": result.imported, "updated": result.updated,
            "duplicates": result.duplicates, "refused": result.refused, **result.extra,
        },
        "errors": result.errors[:MOST_ERRORS], "more_errors": max(0, len(result.errors) - MOST_ERRORS),
        "changes": result.changes[:SHOWN], "leaving": result.leaving[:SHOWN], "notes": result.notes[:100],
        "made": result.made, "all": _packed(result), "all_errors": _pack(result.errors[MOST_ERRORS:]),
    }  # fmt: skip


def _packed(result: RosterResult) -> str:
    """Return all changes and all who are missing where more are than the page shows."""
    if max(len(result.changes), len(result.leaving)) <= SHOWN:
        return ""
    return _pack([result.changes, result.leaving])


def _pack(rows: list[Any]) -> str:
    """Return rows in a tenth of their length; empty for none."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode())).decode() if rows else ""


def _unpack(packed: str) -> list[Any]:
    return json.loads(zlib.decompress(base64.b64decode(packed))) if packed else []


def all_errors(roster: RosterImport) -> list[dict[str, Any]]:
    """Return what is to be corrected in a roster, as far as it is kept: 10,000 cells."""
    return roster.report.get("errors", []) + _unpack(roster.report.get("all_errors", ""))


def all_changes(roster: RosterImport) -> tuple[list[list[Any]], list[list[str]]]:
    """Return all changes and all who are missing from a roster, as far as they are kept."""
    if packed := roster.report.get("all"):
        changes, leaving = _unpack(packed)
        return changes, leaving
    return roster.report.get("changes", []), roster.report.get("leaving", [])
