"""The import of residents' matters from another system: nothing is lost, nothing comes in twice."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from rich.console import Console
from rich.progress import Progress

from weilu.lib.copying import copy_rows
from weilu.lib.ids import id_at
from weilu.lib.import_result import ImportProblem, ImportResult, Refusal, Tell, progress
from weilu.lib.search import words_of
from weilu.lib.tables import Table, read_table
from weilu.matters.models import Category, Channel, Matter, Module
from weilu.matters.queries import copy_words
from weilu.matters.workflow import State
from weilu.orgs.imports.kinds import Kind
from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.records.calendar import BEIJING
from weilu.records.models import Event, next_numbers

__all__ = ["ImportProblem", "run"]

COLUMNS = {
    "subject": ["subject", "标题", "主题"],
    "detail": ["detail", "内容", "详情"],
    "submitted_at": ["submitted_at", "时间", "提交时间", "留言时间"],
    "category": ["category", "分类", "类别"],
}
MODULE = "appeal"
LONGEST_SUBJECT = Matter._meta.get_field("subject").max_length or 120
LONGEST_CATEGORY = Category._meta.get_field("name").max_length or 40
# Before this there were no such systems: a date like 1900-01-00 is a cell that a spreadsheet made of nothing.
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=BEIJING)
DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]*(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?秒?|分)?)?",
    re.ASCII,
)
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A sound row of the file; ``submitted_at`` is None where the file gives no time."""

    subject: str
    detail: str
    submitted_at: dt.datetime | None
    category: Category
    key: str


def run(
    file: Path, *, at: str = "", add_categories: bool = False, dry_run: bool = False, console: Console | None = None,
    tell: Tell | None = None,
) -> ImportResult:  # fmt: skip
    """Import matters: each row becomes a matter in the state “raised”, is a duplicate, or is refused with its reason.

    A row is a duplicate if subject, detail and time are those of a row before it or of a matter imported earlier.
    A subject that is too long is cut, and stands in full before the detail. A row without a time counts as received
    now.

    Args:
        file: CSV (UTF-8, GB18030), CSV in gzip, or Excel, with the columns of ``COLUMNS`` in any order.
        at: code of the place that the matters belong to, county or below; by default the only jurisdiction.
        add_categories: make a category for each new name instead of refusing the row.
        dry_run: check everything, write nothing.
        console: where progress is shown; ``tell`` learns it too.

    Returns:
        the counts; ``extra`` has ``undated``, the imported matters without a time, and ``categories_added``.

    Raises:
        ImportProblem: the file is no such table, or the place is not known or not clear.
    """
    table = read_table(Path(file))
    with transaction.atomic(), progress(console, tell) as bar:
        _lock()
        intake = Intake(_place(at), table, add_categories)
        rows = intake.rows(bar)
        writer = Writer(intake.jurisdiction, intake.place, timezone.now())
        writer.write(rows, bar)
        intake.result.imported = len(rows)
        intake.result.extra["undated"] = sum(row.submitted_at is None for row in rows)
        if dry_run:
            transaction.set_rollback(True)
    return intake.result


def _lock() -> None:
    """Let one import of matters run at a time: two of the same file would miss each other's rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('weilu.import.matters'))")


def _place(at: str) -> Place:
    """Return the place that the matters belong to, with its parents."""
    if at:
        place = Place.objects.filter(code=at, valid_to=None).first()
        if place is None:
            raise ImportProblem(_("There is no place %(code)s.") % {"code": at})
    else:
        there = list(Jurisdiction.objects.select_related("place").order_by("place__code")[:21])
        if not there:
            raise ImportProblem(_("No county is open yet. Open one first: weilu open CODE"))
        if len(there) > 1:
            names = ", ".join(f"{each.place.code} {each.place}" for each in there[:20])
            raise ImportProblem(_("Several counties are open; name a place with --at: %(names)s") % {"names": names})
        place = there[0].place
    if place.level < Level.COUNTY:
        raise ImportProblem(
            _("%(place)s lies above the counties; name a county or a place below with --at.") % {"place": place.name}
        )
    return place


def _jurisdiction(place: Place) -> Jurisdiction:
    """Return the lowest jurisdiction that holds ``place``."""
    found = Jurisdiction.objects.filter(place__code__in=place.ancestor_codes, place__valid_to=None)
    jurisdiction = found.select_related("place").order_by("-place__level").first()
    if jurisdiction is None:
        raise ImportProblem(
            _("%(place)s lies in no open county. Open it first: weilu open CODE") % {"place": place.name}
        )
    return jurisdiction


class Intake:
    """Judges the rows of a file one by one."""

    def __init__(self, place: Place, table: Table, add_categories: bool):
        self.place, self.table = place, table
        self.jurisdiction = _jurisdiction(place)
        self.categories = Categories(self.jurisdiction, add=add_categories)
        self.at = table.columns(COLUMNS, required=COLUMNS)
        self.now = timezone.now()
        self.result = ImportResult(extra={"undated": 0, "categories_added": 0})

    def rows(self, bar: Progress) -> list[Row]:
        """Return the rows to import; count and note the others."""
        task = bar.add_task(_("Reading"), total=self.table.about)
        found: list[Row] = []
        seen: set[str] = set()
        numbered = iter(self.table.rows)
        while batch := list(islice(numbered, BATCH)):
            self.result.read += len(batch)
            sound = [row for row in map(self._judged, batch) if row]
            seen |= self._imported_before(row.key for row in sound)
            for row in sound:
                if row.key not in seen:
                    seen.add(row.key)
                    found.append(row)
                else:
                    self.result.duplicates += 1
            bar.update(task, completed=self.result.read)
        bar.update(task, total=self.result.read)
        self.result.extra["categories_added"] = self.categories.added
        return found

    def _judged(self, numbered: tuple[int, list[str]]) -> Row | None:
        number, cells = numbered
        try:
            return self._row(cells)
        except Refusal as refusal:
            self.result.refuse(number, refusal.column, str(refusal))
            return None

    def _imported_before(self, keys: Iterable[str]) -> set[str]:
        there = Matter.objects.filter(jurisdiction=self.jurisdiction, intake_key__in=list(keys))
        return set(there.order_by().values_list("intake_key", flat=True))

    def _row(self, cells: list[str]) -> Row:
        self.table.check_width(cells)
        texts = {name: _clean(cells[index]) if index < len(cells) else "" for name, index in self.at.items()}
        subject = " ".join(texts["subject"].split())
        if not subject:
            raise Refusal("subject", _("The subject is missing."))
        submitted_at = read_time(texts["submitted_at"], self.now) if texts["submitted_at"] else None
        category = self.categories.find(texts["category"])
        key = intake_key(subject, texts["detail"], submitted_at)
        detail = texts["detail"]
        if len(subject) > LONGEST_SUBJECT:
            detail = f"{subject}\n\n{detail}".rstrip()
            subject = subject[: LONGEST_SUBJECT - 1] + "…"
        return Row(subject, detail, submitted_at, category, key)


def _clean(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


def intake_key(subject: str, detail: str, submitted_at: dt.datetime | None) -> str:
    """Return the key by which an imported row is known again, whatever file or format it comes in."""
    parts = [subject, detail, submitted_at.isoformat() if submitted_at else ""]
    return "import:" + sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:57]


def read_time(text: str, now: dt.datetime) -> dt.datetime:
    """Read a moment such as ``2020/1/6 12:09:38``, ``2020-01-06T12:09+08:00`` or ``2020年1月6日``; Beijing time.

    Raises:
        Refusal: it cannot be read, lies in the future of ``now`` or before 1990.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        if match := DATE.fullmatch(plain):
            moment = dt.datetime(*(int(part or 0) for part in match.groups()), tzinfo=BEIJING)  # type: ignore[misc,arg-type]
        else:
            moment = dt.datetime.fromisoformat(plain)
            moment = moment.astimezone(BEIJING) if moment.tzinfo else moment.replace(tzinfo=BEIJING)
    except (ValueError, OverflowError) as error:
        raise Refusal(
            "submitted_at", _("“%(text)s” is no date and time such as 2026-01-31 09:30.") % {"text": text[:40]}
        ) from error
    if moment > now:
        raise Refusal("submitted_at", _("%(text)s lies in the future.") % {"text": text[:40]})
    if moment < EARLIEST:
        raise Refusal("submitted_at", _("%(text)s lies before 1990.") % {"text": text[:40]})
    return moment


class Categories:
    """The categories of a jurisdiction, found by name, English name or code."""

    def __init__(self, jurisdiction: Jurisdiction, *, add: bool):
        self.jurisdiction, self.add = jurisdiction, add
        self.added = 0
        everything = list(Category.objects.filter(jurisdiction=jurisdiction))
        self.codes = {category.code for category in everything}
        self.position = max((category.position for category in everything), default=-1)
        valid = set(
            Category.objects.filter(valid_on(timezone.localdate()), jurisdiction=jurisdiction).values_list(
                "pk", flat=True
            )
        )
        self.known = [category for category in everything if category.pk in valid]
        # What comes later wins: a name counts for more than an English name, and that for more than a code.
        self.by_name = {
            _folded(label): category
            for attribute in ("code", "name_en", "name")
            for category in reversed(self.known)
            if (label := getattr(category, attribute))
        }

    def find(self, text: str) -> Category:
        """Return the category called ``text``; make it if that is wanted.

        Raises:
            Refusal: there is none.
        """
        label = " ".join(unicodedata.normalize("NFKC", text).split())
        if not label:
            raise Refusal("category", _("The category is missing."))
        if found := self.by_name.get(_folded(label)):
            return found
        if not self.add:
            names = "、".join(category.name for category in self.known)
            raise Refusal(
                "category",
                _("There is no category “%(name)s”. Known: %(names)s")
                % {"name": label[:LONGEST_CATEGORY], "names": names},
            )
        return self._make(label)

    def _make(self, name: str) -> Category:
        if len(name) > LONGEST_CATEGORY:
            raise Refusal(
                "category", _("A category's name has at most %(count)s characters.") % {"count": LONGEST_CATEGORY}
            )
        self.position += 1
        self.added += 1
        code = next(code for number in range(1, 100_000) if (code := f"imported_{number}") not in self.codes)
        self.codes.add(code)
        category = Category.objects.create(
            jurisdiction=self.jurisdiction, code=code, name=name, position=min(self.position, 32_767)
        )
        self.by_name[_folded(name)] = category
        return category


def _folded(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


@dataclass
class Writer:
    """Writes matters with their first event and their words, in batches."""

    jurisdiction: Jurisdiction
    place: Place
    now: dt.datetime
    _template: Matter = field(init=False)

    def __post_init__(self) -> None:
        module = Module.objects.filter(jurisdiction=self.jurisdiction, code=MODULE).first()
        if module is None:
            raise ImportProblem(_("The county has no kind of matter with the code “%(code)s”.") % {"code": MODULE})
        self._template = Matter(
            jurisdiction=self.jurisdiction, module=module, channel=Channel.IMPORT, state=State.RAISED
        )
        self._template.set_place(self.place)

    def write(self, rows: list[Row], bar: Progress) -> None:
        """Write ``rows`` as matters, oldest first, numbered in order of time."""
        task = bar.add_task(_("Writing"), total=len(rows))
        numbers = self._numbers(ordered := self._in_order(rows))
        pairs = zip(ordered, numbers, strict=True)
        while batch := list(islice(pairs, BATCH)):
            matters = [self._matter(row, moment, number) for (moment, row), number in batch]
            copy_rows(Matter, matters)
            copy_rows(Event, [_filing_of(matter) for matter in matters])
            copy_words((matter, self._words(matter)) for matter in matters)
            bar.advance(task, len(batch))

    def _in_order(self, rows: list[Row]) -> list[tuple[dt.datetime, Row]]:
        """Return the rows with their moments, by time. Undated rows follow each other as they stand in the file."""
        undated = [row for row in rows if row.submitted_at is None]
        first = self.now - dt.timedelta(microseconds=len(undated))
        found = [(row.submitted_at, row) for row in rows if row.submitted_at is not None]
        found += [(first + dt.timedelta(microseconds=index), row) for index, row in enumerate(undated)]
        return sorted(found, key=lambda pair: pair[0])

    def _numbers(self, ordered: list[tuple[dt.datetime, Row]]) -> Iterator[str]:
        for _year, group in groupby(ordered, key=lambda pair: pair[0].astimezone(BEIJING).year):
            moments = [moment for moment, _row in group]
            yield from next_numbers(self.jurisdiction, "matter", moments[0], len(moments))

    def _matter(self, row: Row, moment: dt.datetime, number: str) -> Matter:
        same = self._template
        matter = Matter(
            id=id_at(moment),
            jurisdiction=self.jurisdiction,
            number=number,
            module=same.module,
            channel=same.channel,
            county=same.county,
            township=same.township,
            village=same.village,
            grid=same.grid,
            state=same.state,
            category=row.category,
            subject=row.subject,
            detail=row.detail,
            intake_key=row.key,
            created_at=moment,
        )
        matter.start_clock(row.category.days, moment)
        return matter

    def _words(self, matter: Matter) -> list[str]:
        return words_of(f"{matter.subject} {matter.detail} {self.place}")


def _filing_of(matter: Matter) -> Event:
    """Return the first event, as :func:`weilu.matters.services.record_filing` writes it."""
    return Event(
        id=id_at(matter.created_at),
        jurisdiction_id=matter.jurisdiction_id,
        record_kind="matter",
        record_id=matter.pk,
        at=matter.created_at,
        move="file",
        to_state=matter.state,
        actor_name="",
        changes={"channel": str(matter.channel)},
    )


def _run_job(folder: Path, options: dict[str, Any], console: Console | None, tell: Tell | None) -> ImportResult:
    return run(next(folder.iterdir()), console=console, tell=tell, **options)


KIND = Kind("matters", _lazy("matters"), _run_job)
