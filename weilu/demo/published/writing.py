"""Matters with their whole way, many at once: rows, events and words by COPY, as an import writes them.

What is the same in all rows is prepared once; each row then costs a few microseconds. That the ways are those of the
workflow is held by a test.
"""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Model

from weilu.lib.copying import copy_lines
from weilu.lib.ids import id_at
from weilu.lib.search import to_vector, words_of
from weilu.matters.models import Category, Matter, Module
from weilu.orgs.models import Jurisdiction
from weilu.records.calendar import WorkingHours
from weilu.records.models import Event, next_numbers

RESIDENT, CLERK, HAND, SYSTEM = "resident", "clerk", "hand", "system"


class Step(NamedTuple):
    """A move of the workflow, the state after it, who makes it."""

    move: str
    target: str
    who: str


FILE = Step("file", "raised", RESIDENT)
SETTLE = Step("settle", "settled", HAND)
AS_ORDER = (FILE, Step("order", "ordered", CLERK), Step("take", "under_way", HAND), SETTLE)
BY_OFFICE = (FILE, Step("dispatch", "dispatched", CLERK), Step("start", "under_way", HAND), SETTLE)
RATED, LAPSED = Step("rate", "rated", RESIDENT), Step("lapse", "unrated", SYSTEM)


class Person(NamedTuple):
    """An account that acts."""

    id: UUID | None
    name: str


NOBODY = Person(None, "")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a matter lies."""

    township: UUID
    village: UUID
    grid: UUID | None
    name: str


@dataclass(frozen=True, slots=True)
class Case:
    """A matter and how it went.

    Attributes:
        taken: whether the hand took it as an order.
        after: how long it took until it was handed over, begun and settled, each from the one before.
        rating: 1 to 5; 0 where nobody rated.
    """

    key: str
    at: dt.datetime
    spot: Spot
    text: dict[str, str]
    channel: str
    handler: tuple[UUID, str]
    clerk: Person
    hand: Person
    taken: bool
    after: tuple[dt.timedelta, dt.timedelta, dt.timedelta]
    rating: int
    public: bool

    @property
    def road(self) -> tuple[Step, ...]:
        return (*(AS_ORDER if self.taken else BY_OFFICE), RATED if self.rating else LAPSED)


class Line:
    """A row prepared for COPY: what every row has alike, and where the rest goes."""

    def __init__(self, row: Model):
        fields = row._meta.local_concrete_fields
        self.table = row._meta.db_table
        self.columns = [str(field.column) for field in fields]
        self.values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
        self.at = {column: index for index, column in enumerate(self.columns)}

    def filled(self, given: dict[str, Any]) -> list[Any]:
        """Return a row with ``given`` in its columns."""
        values = self.values.copy()
        for column, value in given.items():
            values[self.at[column]] = value
        return values


@lru_cache(maxsize=4096)
def vector_of(text: str) -> str:
    """Return the words of a text, as the index holds them."""
    return to_vector(words_of(text))


class Writer:
    """Writes the matters of one county."""

    def __init__(self, jurisdiction: Jurisdiction):
        self.jurisdiction = jurisdiction
        self.hours = WorkingHours(jurisdiction.work_starts, jurisdiction.work_ends)
        self.modules = {row.code: row for row in Module.objects.filter(jurisdiction=jurisdiction)}
        self.categories = {row.code: row for row in Category.objects.filter(jurisdiction=jurisdiction)}
        self.matter = Line(Matter(jurisdiction=jurisdiction, county=jurisdiction.place))
        event = Event(jurisdiction=jurisdiction, record_kind="matter", at=jurisdiction.opened_at, changes={})
        self.event = Line(event)
        self._ends: dict[tuple[dt.date, int], dt.date] = {}

    def write(self, cases: Iterable[Case]) -> None:
        """Write matters of one year, oldest first, with their events and words."""
        ordered = list(cases)
        if not ordered:
            return
        numbers = next_numbers(self.jurisdiction, "matter", ordered[0].at, len(ordered))
        matters, events, words = [], [], []
        for case, number in zip(ordered, numbers, strict=True):
            key = id_at(case.at)
            moments = self._moments(case)
            matters.append(self._matter(case, key, number, moments))
            events += self._events(case, key, moments)
            words.append([key, self.jurisdiction.pk, vector_of(f"{case.text['subject']} {case.spot.name}")])
        copy_lines(self.matter.table, self.matter.columns, matters)
        copy_lines("matters_mattertext", ["matter_id", "jurisdiction_id", "words"], words)
        copy_lines(self.event.table, self.event.columns, events)

    def due(self, at: dt.datetime, days: int) -> dt.datetime:
        """Return when a matter of working hours is due: at the same time, so many working days later."""
        day = at.date()
        if (day, days) not in self._ends:
            self._ends[day, days] = self.hours.add(at, days * self.hours.day).date()
        return at.replace(
            year=self._ends[day, days].year, month=self._ends[day, days].month, day=self._ends[day, days].day
        )

    def _moments(self, case: Case) -> list[dt.datetime]:
        handed, begun, worked = case.after
        settled = case.at + handed + begun + worked
        rate_until = settled + dt.timedelta(days=self.jurisdiction.rate_days)
        judged = settled + dt.timedelta(hours=20) if case.rating else rate_until + dt.timedelta(minutes=2)
        return [case.at, case.at + handed, case.at + handed + begun, settled, judged]

    def _matter(self, case: Case, key: UUID, number: str, moments: list[dt.datetime]) -> list[Any]:
        text, spot, settled = case.text, case.spot, moments[3]
        module, category = self.modules[text["module"]], self.categories[text["category"]]
        due = self.due(case.at, category.days)
        return self.matter.filled({
            "id": key, "number": number, "township_id": spot.township, "village_id": spot.village,
            "grid_id": spot.grid, "state": case.road[-1].target, "version": len(case.road), "created_at": case.at,
            "promised_at": due, "module_id": module.pk, "category_id": category.pk, "channel": case.channel,
            "subject": text["subject"], "intake_key": case.key, "handler_id": case.handler[0],
            "taken_by_id": case.hand.id if case.taken else None, "outcome": text["outcome"], "settled_at": settled,
            "settled_late": due < settled, "rate_until": settled + dt.timedelta(days=self.jurisdiction.rate_days),
            "reopen_until": settled + dt.timedelta(days=self.jurisdiction.reopen_days),
            "rating": case.rating or None, "rated_at": moments[4] if case.rating else None,
            "published": case.public, "public_outcome": text["outcome"] if case.public else "",
            "public_title": f"{module.name} · {category.name}",
        })  # fmt: skip

    def _events(self, case: Case, key: UUID, moments: list[dt.datetime]) -> list[list[Any]]:
        people = {RESIDENT: NOBODY, SYSTEM: NOBODY, CLERK: case.clerk, HAND: case.hand}
        found, before = [], ""
        for step, at in zip(case.road, moments, strict=True):
            who = people[step.who]
            found.append(self.event.filled({
                "id": id_at(at), "record_id": key, "at": at, "move": step.move, "from_state": before,
                "to_state": step.target, "actor_id": who.id, "actor_name": who.name,
                "note": case.text["outcome"] if step.move == "settle" else "", "changes": self._changes(case, step),
            }))  # fmt: skip
            before = step.target
        return found

    @staticmethod
    def _changes(case: Case, step: Step) -> str:
        """Return what the event keeps for offices, as the services write it."""
        if step.move == "file":
            return f'{{"channel": "{case.channel}"}}'
        if step.move in ("order", "dispatch"):
            return f'{{"to": {json.dumps(case.handler[1], ensure_ascii=False)}}}'
        if step.move == "settle":
            return '{"published": true}' if case.public else '{"published": false}'
        return f'{{"rating": {case.rating}}}' if step.move == "rate" else "{}"
