"""Rosters of bodies: found by credit code or by name and place, entered with what is above them."""

import datetime as dt
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.lib.copying import copy_rows
from weilu.lib.import_result import Refusal
from weilu.orgs.bodies import DEEPEST, PARENTS, BodyError, change_body
from weilu.orgs.models import Jurisdiction, Organisation, OrganisationChange, User, valid_on
from weilu.people.rosters.cells import body_kind_of, credit_code_of, date_of, plain
from weilu.people.rosters.checking import Problem
from weilu.people.rosters.directory import Places, no_such
from weilu.people.rosters.kinds import BODY_WORDS
from weilu.people.rosters.reading import Line, Roster
from weilu.people.rosters.shortening import fold, spellings

FIELDS = ("kind", "name", "place_id", "parent_id", "credit_code", "phone", "speciality", "serves", "valid_from")
UNKNOWN_DAY = dt.date(2000, 1, 1)


@dataclass
class Draft:
    """A row of the roster: what it says of a body; None where it says nothing."""

    row: int
    name: str = ""
    kind: str = ""
    place_id: UUID | None = None
    parent: str = ""
    credit_code: str = ""
    phone: str = ""
    speciality: str = ""
    serves: str = ""
    aliases: tuple[str, ...] = ()
    since: dt.date | None = None
    body: Organisation | None = None
    outcome: str = ""
    differs: list[str] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)

    def differ(self, key: str, old: Any, new: Any) -> None:
        """Note that a field is another, with both values for the preview."""
        self.differs.append(key)
        self.values.append([key, str(old or ""), str(new or "")])


class BodyRoster:
    """Checks a roster of bodies against itself and what is there, and enters it.

    Attributes:
        problems: what is wrong, cell by cell.
        drafts: the sound rows.
        read: how many rows were read.
    """

    def __init__(self, roster: Roster, jurisdiction: Jurisdiction, places: Places):
        self.roster, self.jurisdiction, self.places = roster, jurisdiction, places
        self.at = {key: index for index, key in roster.mapping.items()}
        self.today = timezone.localdate()
        self.problems: list[Problem] = []
        self.refused: set[int] = set()
        self.drafts: list[Draft] = []
        self.read = 0

    def refuse(self, row: int, column: str, message: str) -> None:
        """Note what is wrong with a cell."""
        self.refused.add(row)
        if len(self.problems) < 10_000:
            self.problems.append(Problem(row, column, message))

    def lines(self) -> Iterator[int]:
        """Check row by row; yield how many were read."""
        for line in self.roster.lines():
            self.read += 1
            draft = Draft(line.number)
            for column in self.roster.kind.columns:
                self._cell(draft, line, column.key, column.length)
            if not draft.name:
                self.refuse(draft.row, "name", _("The name is missing."))
            if draft.row not in self.refused:
                self.drafts.append(draft)
            yield self.read

    def _cell(self, draft: Draft, line: Line, key: str, length: int) -> None:
        index = self.at.get(key)
        cell = line.cells[index] if index is not None and index < len(line.cells) else ""
        try:
            if key == "kind":
                draft.kind = body_kind_of(cell or line.group)
            elif key == "credit_code":
                draft.credit_code = credit_code_of(cell)
            elif key == "since":
                day = date_of(key, cell, self.today, year_is_enough=True)
                draft.since = day.date if day else None
            elif key == "place":
                draft.place_id = self.places.one(key, plain(cell)).pk if plain(cell) else None
            else:
                self._text(draft, key, plain(cell), length)
        except Refusal as refusal:
            self.refuse(line.number, refusal.column or key, str(refusal))
        except ValueError as error:
            self.refuse(line.number, key, str(error))

    @staticmethod
    def _text(draft: Draft, key: str, text: str, length: int) -> None:
        if len(text) > length:
            raise Refusal(key, _("This has more than %(count)s characters.") % {"count": length})
        if key == "aliases":
            words = text.replace("；", "、").replace(";", "、").replace(",", "、").split("、")
            draft.aliases = tuple(word.strip()[:80] for word in words if word.strip())
        elif text:
            setattr(draft, key, text)

    def match(self) -> None:
        """Find which bodies are there, hold the rows against each other, and say what is new or different."""
        self._load()
        named: dict[tuple[Any, str], Draft] = {}
        coded: dict[str, Draft] = {}
        for draft in self.drafts:
            draft.body = self._there(draft)
            place = draft.place_id or (draft.body.place_id if draft.body else self.places.place.pk)
            key = (place, fold(draft.name))
            if first := named.get(key) or (coded.get(draft.credit_code) if draft.credit_code else None):
                self._again(draft, first)
                continue
            draft.place_id = place
            named[key] = draft
            if draft.credit_code:
                coded[draft.credit_code] = draft
        self.named = named
        self._parents()
        for draft in self.drafts:
            if draft.row not in self.refused and draft.outcome != "same":
                self._compare(draft)

    def _load(self) -> None:
        rows = Organisation.objects.filter(valid_on(self.today), jurisdiction=self.jurisdiction)
        given = {draft.name for draft in self.drafts} | {draft.parent for draft in self.drafts if draft.parent}
        names = {spelling for name in given for spelling in spellings(name)}
        codes = {draft.credit_code for draft in self.drafts if draft.credit_code}
        found = rows.filter(Q(name__in=names) | Q(credit_code__in=codes) | Q(aliases__overlap=list(names)))
        self.known = list(found.select_related("place", "parent"))
        self.by_name: dict[str, list[Organisation]] = {}
        for body in self.known:
            for name in {body.name, *body.aliases}:
                self.by_name.setdefault(fold(name), []).append(body)
        self.by_code = {body.credit_code: body for body in self.known if body.credit_code}

    def _there(self, draft: Draft) -> Organisation | None:
        here = self.places.place.path
        if body := self.by_code.get(draft.credit_code) if draft.credit_code else None:
            if not body.place.path.startswith(here):
                self.refuse(draft.row, "credit_code", _("A body of another place has this credit code."))
            return body
        found = [body for body in self.by_name.get(fold(draft.name), []) if body.place.path.startswith(here)]
        if draft.place_id:
            found = [body for body in found if body.place_id == draft.place_id]
        same = [body for body in found if body.kind == draft.kind] or found
        if len(same) > 1:
            self.refuse(
                draft.row, "name",
                _("Several bodies are called “%(name)s”: name the village in a column of its own.")
                % {"name": draft.name},
            )  # fmt: skip
        return same[0] if same else None

    def _again(self, draft: Draft, first: Draft) -> None:
        """A body that stands in the roster twice: the same words are passed over, others refused."""
        for key in ("name", "kind", "parent", "credit_code", "phone", "speciality", "serves", "since"):
            mine, theirs = getattr(draft, key), getattr(first, key)
            if mine and theirs and mine != theirs:
                self.refuse(
                    draft.row, key,
                    _("Row %(first)s is the same body and says otherwise here. Correct one of the two.")
                    % {"first": first.row},
                )  # fmt: skip
        draft.outcome = "same"

    def _parents(self) -> None:
        """Find the body above each: in the roster itself, or among those that are there."""
        by_name: dict[str, list[Draft]] = {}
        for draft in self.named.values():
            by_name.setdefault(fold(draft.name), []).append(draft)
        self.above: dict[int, Draft | Organisation] = {}
        for draft in self.drafts:
            if not draft.parent or draft.outcome == "same":
                continue
            candidates: list[Any] = [other for other in by_name.get(fold(draft.parent), []) if other is not draft]
            candidates = candidates or [
                body for body in self.by_name.get(fold(draft.parent), []) if not draft.body or body.pk != draft.body.pk
            ]
            same = [each for each in candidates if each.place_id == draft.place_id]
            candidates = candidates if len(candidates) == 1 else same or candidates
            if len(candidates) != 1:
                self.refuse(draft.row, "parent", self._no_parent(draft.parent, bool(candidates), draft.name))
                continue
            self.above[draft.row] = candidates[0]
            self._check_parent(draft, candidates[0])
        for draft in self.drafts:
            self._refuse_circle(draft)

    def _no_parent(self, name: str, several: bool, own: str) -> str:
        if fold(name) == fold(own):
            return _("A body cannot stand below itself.")
        if several:
            return _("Several bodies are called “%(name)s”: name the village in a column of its own.") % {"name": name}
        names = sorted({draft.name for draft in self.named.values()} | {body.name for body in self.known})
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.3)
        return no_such(_("The body"), name, near, self.places.place)

    def _check_parent(self, draft: Draft, above: "Draft | Organisation") -> None:
        allowed = PARENTS.get(draft.kind)
        if allowed and above.kind not in allowed:
            self.refuse(
                draft.row, "parent",
                _("A body of the kind “%(kind)s” cannot stand below one of the kind “%(above)s”.")
                % {"kind": Organisation.Kind(draft.kind).label, "above": Organisation.Kind(above.kind).label},
            )  # fmt: skip
        began = self._begins(above)
        if draft.since and draft.since < began and began != UNKNOWN_DAY:
            self.refuse(
                draft.row, "since",
                _("%(name)s began on %(day)s; a body below it cannot be older.") % {"name": above.name, "day": began},
            )  # fmt: skip

    def _refuse_circle(self, draft: Draft) -> None:
        above: Any = draft
        for _step in range(DEEPEST + 1):
            above = self.above.get(above.row) if isinstance(above, Draft) else above.parent
            if above is None:
                return
            if above is draft or (isinstance(above, Organisation) and draft.body and above.pk == draft.body.pk):
                break
        self.refuse(
            draft.row, "parent", _("%(name)s stands below this body: that would be a circle.") % {"name": draft.parent}
        )

    def _begins(self, above: "Draft | Organisation") -> dt.date:
        if isinstance(above, Organisation):
            return above.valid_from
        return above.since or (above.body.valid_from if above.body else UNKNOWN_DAY)

    def _compare(self, draft: Draft) -> None:
        if draft.body is None:
            draft.outcome = "new"
            return
        body = draft.body
        for key in ("kind", "credit_code", "phone", "speciality", "serves"):
            if (said := getattr(draft, key)) and said != (had := getattr(body, key)):
                kinds = key == "kind"
                draft.differ(key, BODY_WORDS[had][0] if kinds else had, BODY_WORDS[said][0] if kinds else said)
        called = {fold(name) for name in (body.name, *body.aliases)}
        if fold(draft.name) not in called:
            draft.differ("name", body.name, draft.name)
        above = self.above.get(draft.row)
        target = above.body.pk if isinstance(above, Draft) and above.body else getattr(above, "pk", None)
        if above is not None and target != body.parent_id:
            draft.differ("parent", body.parent.name if body.parent else "", above.name)
        if draft.since and draft.since != body.valid_from:
            draft.differ("since", body.valid_from, draft.since)
        if {fold(name) for name in draft.aliases} - called:
            draft.differ("aliases", "、".join(body.aliases), "、".join(draft.aliases))
        draft.outcome = "changed" if draft.differs else "same"

    def write(self, *, by: User | None) -> None:
        """Enter new bodies, those above before those below, and change the known ones; each with its history."""
        rows, changes = [], []
        for draft in self._downwards():
            if draft.outcome == "new":
                rows.append(self._new(draft))
                changes.append(self._change(draft.body, OrganisationChange.Kind.BEGIN, by, {"name": ["", draft.name]}))
        copy_rows(Organisation, rows)
        copy_rows(OrganisationChange, changes)
        for draft in self._downwards():
            if draft.outcome == "changed":
                self._alter(draft, by)

    def _downwards(self) -> Iterator[Draft]:
        done: set[int] = set()

        def walk(draft: Draft) -> Iterator[Draft]:
            if draft.row in done:
                return
            done.add(draft.row)
            above = self.above.get(draft.row)
            if isinstance(above, Draft):
                yield from walk(above)
            yield draft

        for draft in self.drafts:
            yield from walk(draft)

    def _new(self, draft: Draft) -> Organisation:
        above = self._body_above(draft)
        begins = draft.since or (max(UNKNOWN_DAY, above.valid_from) if above else UNKNOWN_DAY)
        draft.body = Organisation(
            jurisdiction=self.jurisdiction, kind=draft.kind, name=draft.name, place_id=draft.place_id, parent=above,
            parent_from=above.valid_from if above else None, phone=draft.phone, speciality=draft.speciality,
            credit_code=draft.credit_code, serves=draft.serves, aliases=list(draft.aliases), valid_from=begins,
        )  # fmt: skip
        if above and begins < above.valid_from:
            draft.body.valid_from = above.valid_from
        return draft.body

    def _body_above(self, draft: Draft) -> Organisation | None:
        above = self.above.get(draft.row)
        return above.body if isinstance(above, Draft) else above

    def _alter(self, draft: Draft, by: User | None) -> None:
        body = draft.body
        assert body is not None  # noqa: S101  a changed row has one
        given: dict[str, Any] = {
            key: getattr(draft, key) for key in draft.differs if key not in ("parent", "since", "aliases")
        }
        if "parent" in draft.differs:
            given["parent"] = self._body_above(draft)
        if "since" in draft.differs:
            given["valid_from"] = draft.since
        if "aliases" in draft.differs:
            known = {fold(name) for name in body.aliases}
            given["aliases"] = sorted({*body.aliases, *(name for name in draft.aliases if fold(name) not in known)})
        try:
            change_body(body, by=by, on=max(self.today, draft.since or self.today), **given)
        except BodyError as error:
            raise Refusal(error.column or "name", f"{draft.row}: {error.message}") from error

    def _change(self, body: Organisation | None, kind: Any, by: User | None, columns: dict[str, Any]) -> Any:
        assert body is not None  # noqa: S101  it was made just now
        return OrganisationChange(
            jurisdiction=self.jurisdiction, organisation=body, kind=kind, day=body.valid_from, created_by=by,
            columns=columns,
        )  # fmt: skip
