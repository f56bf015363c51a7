"""A roster from the file to the tables: read, checked, matched, shown, and entered whole or not at all."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from weilu.lib.copying import copy_rows
from weilu.lib.import_result import ImportProblem, ImportResult, Refusal
from weilu.lib.writes import rewritten
from weilu.orgs.bodies import constraint_of
from weilu.orgs.models import Jurisdiction, Level, Organisation, OrganisationChange, Place, User
from weilu.people.models import Appointment, ColumnMapping, Membership, Person, Post
from weilu.people.rosters import memberships, persons, posts, staging
from weilu.people.rosters.bodies import UNKNOWN_DAY, BodyRoster
from weilu.people.rosters.books import Book
from weilu.people.rosters.checking import Checker, Problem
from weilu.people.rosters.differences import changes
from weilu.people.rosters.directory import Bodies, Places
from weilu.people.rosters.headers import open_roster
from weilu.people.rosters.kinds import Kind
from weilu.people.rosters.reading import Roster
from weilu.people.rosters.staging import Scope, ask

# How many changes are kept to look at; beyond, they are counted only.
LISTED = 20_000
SHOWN = 200
# From here on, ending who is missing is asked twice.
MANY, SHARE = 10, 0.2
TICK = 1_000

T = TypeVar("T")
Tell = Callable[[int, int], None]


@dataclass
class RosterResult(ImportResult):
    """Counts of a roster's rows; a row may have several errors and is refused once.

    When a row is refused, nothing is entered: the sound rows that were to be are ``held_back``, and ``read`` is the sum
    with them.

    Attributes:
        changes: what is different or new: row, name, body, outcome, fields with old and new value, post.
        leaving: who is missing from the roster: name, body, post.
        notes: what was passed over or only announced.
        roster: how the sheet was read.
    """

    refused_rows: int = 0
    changes: list[list[Any]] = field(default_factory=list)
    leaving: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    roster: Roster | None = None

    @property
    def refused(self) -> int:
        return self.refused_rows

    def hold_back(self) -> None:
        """Say that nothing was entered."""
        self.extra["held_back"] = self.imported + self.updated
        self.imported = self.updated = 0
        self.extra |= dict.fromkeys(("persons_added", "moved", "organisations_added", "left") & self.extra.keys(), 0)


class TooMany(ImportProblem):
    """So many would leave that somebody has to say twice that the roster is full."""


def are_many(leaving: int, standing: int) -> bool:
    """Tell whether those who are missing from a roster are so many that the file may not be the full one."""
    return leaving > MANY and leaving > SHARE * standing


@dataclass(frozen=True)
class Order:
    """What somebody wants of a roster.

    Attributes:
        mapping: index of a heading as text -> key of our column; None takes what was chosen last time, or what the
            headings say.
        header: the row that somebody named as header.
        end_missing: whether who is missing from the roster leaves today.
        sure: whether somebody confirmed that even if they are many.
        write: whether to enter it, or only to say what would be.
    """

    kind: Kind
    place: Place
    jurisdiction: Jurisdiction
    by: User | None = None
    sheet: str = ""
    mapping: dict[str, str] | None = None
    header: int = 0
    create: bool = False
    end_missing: bool = False
    sure: bool = False
    write: bool = False


def too_many(leaving: int, standing: int) -> str:
    """Ask whether that many really leave."""
    share = round(100 * leaving / max(standing, 1))
    return _(
        "%(leaving)s of %(standing)s people (%(share)s %%) are missing from this roster and would leave today. "
        "Is it the full roster?"
    ) % {"leaving": leaving, "standing": standing, "share": share}


def place_of(code: str) -> tuple[Place, Jurisdiction]:
    """Return the place with this code and the county it belongs to.

    Raises:
        ImportProblem: there is no such place, it lies above the counties, or the platform is not open there.
    """
    place = Place.objects.filter(code=code, valid_to=None).first()
    if place is None:
        raise ImportProblem(_("There is no place %(code)s.") % {"code": code})
    jurisdiction = Jurisdiction.of(place)
    if jurisdiction is None or place.level < Level.COUNTY:
        raise ImportProblem(_("%(place)s lies in no county that is open.") % {"place": place})
    return place, jurisdiction


def process(book: Book, order: Order, tell: Tell = lambda done, total: None) -> RosterResult:
    """Read, check and match a roster; enter it if that is wanted and nothing is refused.

    Args:
        tell: told how many rows of how many are done.

    Raises:
        ImportProblem: the workbook is no such roster; or somebody entered the same at this moment.
    """
    try:
        with transaction.atomic():
            _lock(order.jurisdiction)
            roster = mapped(book, order)
            roster.check()
            work = _Bodies if order.kind.becomes == "body" else _People
            result = work(roster, order, tell).result()
            if not order.write or result.refused:
                transaction.set_rollback(True)
            if order.write and result.refused:
                result.hold_back()
            return result
    except IntegrityError as error:
        raise ImportProblem(
            _(
                "The database refused a row (%(rule)s); nothing was entered. "
                "If somebody else was at work on the same people, send it again."
            )
            % {"rule": constraint_of(error) or "?"}
        ) from error


def _lock(jurisdiction: Jurisdiction) -> None:
    """Let one roster of a county be entered at a time: two would miss each other's people."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"weilu.roster.{jurisdiction.pk}"])


def mapped(book: Book, order: Order) -> Roster:
    """Return the roster in a workbook, its columns as somebody chose them now or the last time, else as we know them.

    Raises:
        NotMapped: no header was found, but a row that may be one.
        ImportProblem: there is no roster.
    """
    kept = dict(
        ColumnMapping.objects.filter(jurisdiction=order.jurisdiction, kind=order.kind.code).values_list(
            "headings", "mapping"
        )
    )
    roster = open_roster(order.kind, book, order.sheet, order.header, kept)
    chosen = order.mapping if order.mapping is not None else kept.get(roster.fingerprint)
    if chosen:
        roster.use(chosen)
    return roster


def keep_mapping(jurisdiction_id: Any, kind: str, fingerprint: str, mapping: dict[str, str]) -> None:
    """Keep how columns were chosen, for the next roster of this kind with these headings."""
    ColumnMapping.objects.update_or_create(
        jurisdiction_id=jurisdiction_id, kind=kind, headings=fingerprint,
        defaults={"mapping": mapping, "changed_at": timezone.now()},
    )  # fmt: skip


class _Work:
    """What both ways have in common: ticks, notes, problems."""

    def __init__(self, roster: Roster, order: Order, tell: Tell):
        self.roster, self.order, self.tell = roster, order, tell
        self.total = roster.book.height(roster.sheet)
        self.found = RosterResult(roster=roster)
        self.places = Places(order.place)
        self.today: dt.date = timezone.localdate()

    def ticking(self, rows: Iterator[T]) -> Iterator[T]:
        """Pass rows on, telling now and then how far we are."""
        for count, row in enumerate(rows, start=1):
            if count % TICK == 0:
                self.tell(count, max(self.total, count))
            yield row

    def finish(self, problems: list[Problem], refused: set[int], read: int) -> None:
        """Write problems and notes into the result."""
        result = self.found
        if not read:
            raise ImportProblem(_("There is no row below the header: nothing to enter, and nobody leaves."))
        result.read, result.refused_rows = read, len(refused)
        for problem in sorted(problems):
            result.refuse(problem.row, problem.field, problem.message)
        roster = self.roster
        result.notes += roster.misfits
        if roster.nameless:
            letters = "、".join(get_column_letter(index + 1) for index in sorted(roster.nameless)[:10])
            result.notes.append(_("Columns without a heading were not read: %(letters)s") % {"letters": letters})
        for rows, words in (
            (roster.unseen, _("%(n)s rows are hidden in the file, by a filter or by hand, and were read like the others: %(rows)s")),  # noqa: E501
            (roster.struck, _("%(n)s rows are struck through in the file and were read like the others: %(rows)s. Remove those of people who have left.")),  # noqa: E501
        ):  # fmt: skip
            if rows:
                first = "、".join(map(str, rows[:10])) + ("…" if len(rows) > 10 else "")
                result.notes.append(words % {"n": len(rows), "rows": first})
        if roster.others:
            names = "、".join(roster.others[:10])
            result.notes.append(
                _("Only the sheet “%(sheet)s” was read, not: %(names)s") % {"sheet": roster.sheet, "names": names}
            )
        result.notes += [
            _("Row %(row)s was passed over: %(text)s") % {"row": row, "text": text} for row, text in roster.skipped[:50]
        ]
        self.tell(read, read)


class _People(_Work):
    """A roster of persons."""

    def result(self) -> RosterResult:
        """Do it."""
        order = self.order
        bodies = Bodies(order.kind, order.jurisdiction, self.places, create=order.create)
        checker = Checker(order.kind, self.roster, self.places, bodies, self.today)
        scope = Scope(
            order.jurisdiction.pk, order.place.path, self.today, order.kind.membership, order.kind.held(),
            order.kind.becomes, order.kind.alone,
        )  # fmt: skip
        staging.fill(self.ticking(checker.entries()))
        self.roster.book.put_away()
        staging.match(scope)
        for problem in staging.contradictions(scope):
            checker.refuse(*problem)
        for problem in staging.masked(checker.masked - checker.refused):
            checker.refuse(*problem)
        staging.fill_first_rows()
        elsewhere = persons.compare(scope)
        memberships.link(scope)
        ask(posts.DIFFERS if order.kind.becomes == "post" else memberships.DIFFERS)
        memberships.settle()
        leaving = [] if checker.refused else memberships.leaving(scope)
        standing = ask("SELECT count(*) FROM roster_link WHERE mine")[0][0]
        if not checker.read or checker.refused or not order.end_missing:
            end = []
        else:
            end = [row[0] for row in leaving]
            self._ask_twice(len(end), standing)
        seating = posts.Seating(scope, order.by, set(end))
        if order.kind.becomes == "post" and not checker.refused:
            for problem in seating.plan(bodies.made):
                checker.refuse(*problem)
        self._count(checker, leaving, elsewhere, bodies)
        self.found.extra |= {"standing": standing, "left": len(end) if order.write and not checker.refused else 0}
        if order.write and not checker.refused:
            self._write(scope, seating, bodies, end)
        return self.found

    def _ask_twice(self, ending: int, standing: int) -> None:
        if self.order.write and not self.order.sure and are_many(ending, standing):
            raise TooMany(too_many(ending, standing))

    def _count(self, checker: Checker, leaving: list[Any], elsewhere: int, bodies: Bodies) -> None:
        refused = list(checker.refused)
        counts = dict(
            ask(
                "SELECT outcome, count(*) FROM roster_stage WHERE NOT row = ANY(%(refused)s::int[]) GROUP BY outcome",
                {"refused": refused},
            )
        )
        found = self.found
        found.imported, found.updated = counts.get("new", 0), counts.get("changed", 0)
        found.duplicates = counts.get("same", 0)
        people = ask(
            "SELECT count(*) FILTER (WHERE NOT known), count(*) FILTER (WHERE moved) FROM roster_stage WHERE lead"
        )
        found.extra = {
            "persons_added": people[0][0], "moved": people[0][1], "leaving": len(leaving),
            "left_as_elsewhere": elsewhere, "organisations_added": len(bodies.made),
        }  # fmt: skip
        found.made = [body.name for body in bodies.made[:SHOWN]]
        found.leaving = [[name, body, post] for _id, name, body, post in leaving[:LISTED]]
        made = {body.pk: body.name for body in bodies.made}
        found.changes = changes(self.order.kind.becomes, refused, made, LISTED)
        found.notes += checker.told()
        self.finish(checker.problems, checker.refused, checker.read)

    def _write(self, scope: Scope, seating: posts.Seating, bodies: Bodies, end: list[Any]) -> None:
        copy_rows(Organisation, bodies.made)
        copy_rows(OrganisationChange, (self._begun(body) for body in bodies.made))
        rewritten([Person, Membership, Post, Appointment], self.order.jurisdiction.pk)
        persons.write(scope, by=self.order.by, note=self.roster.book.name[:120])
        if self.order.kind.becomes == "post":
            seating.write()
        else:
            memberships.write(scope, end=end)

    def _begun(self, body: Organisation) -> OrganisationChange:
        return OrganisationChange(
            jurisdiction=self.order.jurisdiction, organisation=body, kind=OrganisationChange.Kind.BEGIN,
            day=UNKNOWN_DAY, created_by=self.order.by, columns={"name": ["", body.name]},
        )  # fmt: skip


class _Bodies(_Work):
    """A roster of bodies."""

    def result(self) -> RosterResult:
        """Do it."""
        work = BodyRoster(self.roster, self.order.jurisdiction, self.places)
        for _count in self.ticking(work.lines()):
            pass
        work.match()
        sound = [draft for draft in work.drafts if draft.row not in work.refused]
        result = self.found
        for outcome, name in (("new", "imported"), ("changed", "updated"), ("same", "duplicates")):
            setattr(result, name, sum(draft.outcome == outcome for draft in sound))
        result.changes = [
            [draft.row, draft.name, "", draft.outcome, draft.values, ""]
            for draft in sound
            if draft.outcome in ("new", "changed")
        ][:LISTED]
        if self.order.write and not work.refused:
            try:
                work.write(by=self.order.by)
            except Refusal as refusal:
                row, _colon, message = str(refusal).partition(": ")
                work.refuse(int(row), refusal.column, message)
                result.updated -= 1
        self.finish(work.problems, work.refused, work.read)
        return result
