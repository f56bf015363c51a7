"""Bodies and places as rosters name them: in full, in short, by an alias, by their village."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.lib.import_result import Refusal
from weilu.orgs.attribution import counting
from weilu.orgs.changes import at_length
from weilu.orgs.models import Jurisdiction, Level, Organisation, Place, valid_on
from weilu.people.rosters.kinds import Kind
from weilu.people.rosters.shortening import fold, shortened, spellings

# Beyond this, nearest names are looked for among the first by name only.
NEAREST_AMONG = 20_000
MOST_SUGGESTED = 300
MOST_ANSWERS = 20_000
MOST_ADDRESSES = 10_000
# Codes of places: 510824100001, 510824100001-01-007.
CODE = re.compile(r"\d{6,12}(?:-\w+)*")
# A division in an address; 社区, 小区 and 园区 are none.
OTHER_DIVISION = re.compile(r"省|自治区|自治州|市|县|(?<![社小园])区")
# What stands in the column of bodies and is none: less than three signs, two of them Chinese, or one of these.
SIGN = re.compile(r"[㐀-鿿]")
NO_BODY = re.compile(
    r"(?:见|详见|同)?(?:附件|附表|备注|上表|上面|上)\d*|同上.*|不清楚|未填写|待定.*|无党支部|.*(?:待核实|待查)"
)
# By what a name ends, which kind of Party body is made of it.
ENDINGS = (
    (Organisation.Kind.PARTY_COMMITTEE, re.compile(r"党委$|(?<!支部)(?<!居民)(?<!村民)委员会$")),
    (Organisation.Kind.PARTY_GROUP, re.compile(r"党小组$")),
)
COMMITTEE = re.compile(r"(?:村?村民委员会|村?村委会|居民委员会|居委会)$")


@dataclass(frozen=True, slots=True)
class Body:
    """What a roster needs to know of a body."""

    id: UUID
    name: str
    kind: str
    place_id: UUID
    path: str


@dataclass
class Places:
    """The townships, villages and grids below the place whose roster it is, by code and by name."""

    place: Place
    by_name: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    by_code: dict[str, Place] = field(default_factory=dict)
    grids: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[UUID, Place] = field(default_factory=dict)
    _found: dict[str, Place | None] = field(default_factory=dict)
    _buildings: dict[str, Place | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = Place.objects.filter(
            valid_on(timezone.localdate()), path__startswith=self.place.path, level__lte=Level.GRID
        )
        for place in rows.order_by("path"):
            self.by_code[place.code] = self.by_id[place.pk] = place  # type: ignore[index]
            if place.level == Level.GRID:
                for name in {fold(place.name), fold(place.short_name)}:
                    self.grids[name].append(place)
            else:
                for name in {fold(place.name), fold(place.short_name)}:
                    self.by_name[name].append(place)
        self.by_id[self.place.pk] = self.place
        above = Place.objects.filter(code__in=self.place.ancestor_codes, level__lte=Level.COUNTY)
        names = {fold(name) for place in above for name in (place.name, place.short_name)}
        self._above = sorted(names, key=len, reverse=True)
        self.townships = [place for place in self.by_id.values() if place.level == Level.TOWNSHIP]
        self._heads = [
            (head, town) for town in self.townships for head in (fold(town.name), fold(town.short_name)) if head
        ]

    def named(self, text: str) -> list[Place]:
        """Return the places called so; ``陵江镇金穗社区`` is 金穗社区 in 陵江镇."""
        name = fold(text)
        if found := self._coded(name):
            return [found]
        if found_all := self.by_name.get(name):
            return found_all
        for head, township in self._heads:
            if name.startswith(head) and name != head:
                rest = self.by_name.get(name.removeprefix(head), [])
                return [place for place in rest if place.path.startswith(township.path)]
        return []

    def _coded(self, name: str) -> Place | None:
        """Return the place with this code; buildings, of which there are many, are asked for one by one."""
        if name in self.by_code or not CODE.fullmatch(name):
            return self.by_code.get(name)
        if name not in self._buildings:
            here = {"code": name, "path__startswith": self.place.path, "level": Level.BUILDING}
            self._buildings[name] = Place.objects.filter(valid_on(timezone.localdate()), **here).first()
        return self._buildings[name]

    def one(self, column: str, text: str) -> Place:
        """Return the one place called so.

        Raises:
            Refusal: there is none, or more than one.
        """
        found = self.named(text)
        if len(found) == 1:
            return found[0]
        if found:
            raise Refusal(
                column,
                _("Several places are called “%(name)s”: write the township before it, or the code.")
                % {"name": text[:40]},
            )
        near = difflib.get_close_matches(fold(text), list(self.by_name), n=3, cutoff=0.4)
        raise Refusal(column, no_such(_("place"), text, near, self.place))

    def of_address(self, text: str) -> Place | None:
        """Return the village that an address lies in, as far as it says so."""
        if text not in self._found:
            self._found[text] = self._in_address(fold(text))
            if len(self._found) > MOST_ADDRESSES:
                self._found.clear()
                return self._in_address(fold(text))
        return self._found[text]

    def _in_address(self, text: str) -> Place | None:
        exact = self.named(text) or self._grid_behind_village(text)
        if len(exact) == 1:
            return exact[0]
        inside: list[Place] = []
        for start in range(len(text)):
            for end in range(min(len(text), start + 12), start + 1, -1):
                if (places := self.by_name.get(text[start:end])) and not self._elsewhere(text[:start]):
                    inside += [place for place in places if place.level == Level.VILLAGE]
        if len(inside) > 1:
            towns = [place for place in self.townships if fold(place.short_name) in text]
            inside = [place for place in inside if any(place.path.startswith(town.path) for town in towns)]
        return inside[0] if len({place.pk for place in inside}) == 1 else None

    def _elsewhere(self, before: str) -> bool:
        """Tell whether what stands before a village's name puts it into another province, city or county."""
        for name in self._above:
            before = before.replace(name, "")
        return bool(OTHER_DIVISION.search(before))

    def grid(self, text: str, village: Place | None) -> Place:
        """Return the grid called so, in ``village`` if that is known.

        Raises:
            Refusal: there is none, or it stands in several villages.
        """
        name = fold(text)
        found = self.by_code.get(name)
        found_all = [found] if found and found.level == Level.GRID else list(self.grids.get(name, []))
        if not found_all:
            found_all = self._grid_behind_village(name)
        if not found_all and (other := shortened(name)) != name:
            found_all = list(self.grids.get(other, [])) or self._grid_behind_village(other)
        if village:
            found_all = [grid for grid in found_all if grid.path.startswith(village.path)]
        if len(found_all) == 1:
            return found_all[0]
        if found_all and village:
            codes = "、".join(str(grid.code) for grid in found_all[:5])
            raise Refusal(
                "grid",
                _("%(village)s has several grids “%(name)s”: give the code: %(codes)s.")
                % {"village": village, "name": text[:40], "codes": codes},
            )
        if found_all:
            raise Refusal(
                "grid",
                _("Several villages have a grid “%(name)s”: name the village in a column of its own, or give the code.")
                % {"name": text[:40]},
            )
        among = [
            name
            for name, grids in self.grids.items()
            if not village or any(g.path.startswith(village.path) for g in grids)
        ]
        raise Refusal(
            "grid",
            no_such(_("grid"), text, difflib.get_close_matches(name, among, n=3, cutoff=0.3), village or self.place),
        )

    def _grid_behind_village(self, name: str) -> list[Place]:
        """``金穗社区第一网格`` is 第一网格 in 金穗社区."""
        found: list[Place] = []
        for size in range(2, min(len(name), 16)):
            for village in self.named(name[:size]):
                found += [grid for grid in self.grids.get(name[size:], []) if grid.path.startswith(village.path)]
        return found


class Names:
    """What rosters that go out call places: names that a clerk reads, where they are understood when they come in."""

    def __init__(self, place: Place):
        self._places = Places(place)
        self._known: dict[tuple[str, UUID], str] = {}

    def of(self, column: str, place: Place) -> str:
        """Return ``陵江镇金穗社区第一网格``, or the code where that would not be understood in this column."""
        key = (column, place.pk)
        if key not in self._known:
            codes = [code for code in place.ancestor_codes if code in self._places.by_code]
            above = [self._places.by_code[code] for code in codes]
            name = "".join(each.short_name or each.name for each in above if each.level >= Level.TOWNSHIP)
            self._known[key] = name if name and self._means(column, name, place) else str(place.code)
        return self._known[key]

    def _means(self, column: str, name: str, place: Place) -> bool:
        if place.level > Level.GRID:
            return False
        try:
            if column == "grid":
                return self._places.grid(name, None) == place
            return (self._places.of_address(name) if column == "home" else self._places.one(column, name)) == place
        except Refusal:
            return False


def no_such(what: str, name: str, near: Iterable[str], place: Place) -> str:
    """Say that a name is not known, and which are like it."""
    text = _("%(what)s “%(name)s” is not known in %(place)s.") % {"what": what, "name": name[:60], "place": place}
    names = "、".join(near)
    return text + (" " + _("Nearest: %(names)s.") % {"names": names} if names else "")


class Bodies:
    """The bodies below the place whose roster it is, looked up by the names that a roster uses."""

    def __init__(self, kind: Kind, jurisdiction: Jurisdiction, places: Places, *, create: bool):
        self.kind, self.jurisdiction, self.places, self.create = kind, jurisdiction, places, create
        self.made: list[Organisation] = []
        self._known: dict[str, list[Body]] = {}
        self._by_place: dict[UUID, list[Body]] = {}
        self._suggested = 0
        self._names: list[str] | None = None
        self._made_at: dict[tuple[UUID, str], Body] = {}
        self._short: dict[str, list[tuple[UUID, str]]] | None = None
        self._heads: list[tuple[str, Place]] | None = None
        self._answers: dict[tuple[str, UUID | None], Body | Refusal] = {}

    def _rows(self) -> QuerySet[Organisation]:
        here = self.places.place.path
        rows = Organisation.objects.filter(jurisdiction=self.jurisdiction, place__path__startswith=here)
        rows = rows.filter(valid_on(timezone.localdate()))
        return rows.order_by("name")

    def prepare(self, names: Iterable[str]) -> None:
        """Look up many names with one question."""
        new = {name for name in names if name and name not in self._known}
        if not new:
            return
        asked = {spelling: name for name in new for spelling in spellings(self._shorter(name)) | spellings(name)}
        for name in new:
            self._known[name] = []
        found = self._ask(Q(name__in=list(asked)))
        for body in found:
            if called := asked.get(body.name):
                self._known[called].append(_body(body))
        if missing := [name for name in new if not self._known[name]]:
            wanted = {spelling: name for name in missing for spelling in spellings(name)}
            for body in self._ask(Q(aliases__overlap=list(wanted))):
                for alias in body.aliases:
                    if alias in wanted:
                        self._known[wanted[alias]].append(_body(body))

    def known(self, text: str) -> list[Body]:
        """Return the bodies called so."""
        self.prepare([text])
        return self._known[text]

    def _abbreviated(self, text: str) -> list[Body]:
        """Return the bodies whose name ``text`` is usually short for, or says in other words."""
        if self._short is None:
            self._short = {}
            rows = self._rows().filter(kind__in=self.kind.bodies) if self.kind.bodies else self._rows()
            for pk, name, aliases in rows.values_list("pk", "name", "aliases").iterator():
                for called in {shortened(each, self._county) for each in (name, *aliases)}:
                    self._short.setdefault(called, []).append((pk, name))
        keys = {shortened(text, self._county), shortened(self._shorter(text), self._county)}
        found = {pk for key in keys for pk, _name in self._short.get(key, [])}
        return [_body(row) for row in self._ask(Q(pk__in=found))] if found else []

    @property
    def _county(self) -> tuple[str, ...]:
        place = self.jurisdiction.place
        return fold(place.name), fold(place.short_name)

    def _ask(self, condition: Q) -> list[Organisation]:
        return list(self._rows().filter(condition).select_related("place"))

    def _in_county(self, name: str) -> str:
        """Without the Party's name and the county's before it."""
        short = re.sub(r"^(?:中共|中国共产党)", "", fold(name))
        for head in self._county:
            if len(short) > len(head) + 2:
                short = short.removeprefix(head)
        return short

    def _shorter(self, name: str) -> str:
        """Without the names above: ``中共苍溪县陵江镇金穗社区第一党支部`` is 金穗社区第一党支部 there."""
        short = self._in_county(name)
        for township in self.places.townships if self.places.place.level >= Level.COUNTY else ():
            if short.startswith(township.short_name) and len(short) > len(township.short_name) + 2:
                rest = short.removeprefix(township.short_name)
                if any(
                    rest.startswith(name)
                    for name in (rest[:size] for size in range(2, 10))
                    if name in self.places.by_name
                ):
                    return rest
        return short

    def find(self, text: str, village: Place | None, row: int) -> Body:
        """Return the body that a row names; a roster names few bodies, and each is looked for once.

        Args:
            village: the village that the row names beside it.

        Raises:
            Refusal: it is not known, or several are called so.
        """
        key = (text, village.pk if village else None)
        if key not in self._answers:
            if len(self._answers) > MOST_ANSWERS:
                self._answers.clear()
            try:
                self._answers[key] = self._find(text, village)
            except Refusal as refusal:
                self._answers[key] = refusal
        answer = self._answers[key]
        if isinstance(answer, Refusal):
            raise Refusal(answer.column, str(answer))
        return answer

    def _find(self, text: str, village: Place | None) -> Body:
        found = self.known(text) or self._behind_township(text)
        if not found and (found := self._abbreviated(text)) and village:
            found = [body for body in found if body.path.startswith(village.path)]
        if self.kind.bodies:
            found = [body for body in found if body.kind in self.kind.bodies] or found
        if len(found) > 1 and village:
            found = [body for body in found if body.path.startswith(village.path)] or found
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = "、".join(sorted({body.name for body in found})[:3])
            raise Refusal(
                "organisation",
                _("Several bodies are called “%(name)s”: name the village in a column of its own.")
                % {"name": text[:60]}
                + (" " + _("Nearest: %(names)s.") % {"names": names} if names != text else ""),
            )
        if self.kind.of_community:
            named = self.places.named(text) or self.places.named(COMMITTEE.sub("", text))
            named = named or self.places.named(COMMITTEE.sub("", text) + "村")
            places = [place for place in named if place.level == Level.VILLAGE]
            if len(places) == 1:
                return self.of_village(places[0])
        if self.create:
            return self._make(text, village or self._village_in(text))
        raise Refusal("organisation", self._unknown(text))

    def _behind_township(self, text: str) -> list[Body]:
        """``云峰镇王渡村党支部`` is 王渡村党支部 there, whatever became of the village and of the township's name."""
        short = self._in_county(text)
        for head, township in self._townships():
            if short.startswith(head) and len(short) > len(head) + 2:
                rest = self.known(short.removeprefix(head))
                if found := [body for body in rest if body.path.startswith(township.path)]:
                    return found
        return []

    def _townships(self) -> list[tuple[str, Place]]:
        """Return the names of townships, those of before too, each with what it is today."""
        if self._heads is None:
            now = {place.pk: place for place in self.places.townships}
            ended = Place.objects.filter(
                level=Level.TOWNSHIP, path__startswith=self.jurisdiction.place.path, valid_to__isnull=False
            )
            today = counting(ended.values_list("pk", flat=True))
            rows = [(place, place) for place in now.values()]
            rows += [(old, now[today[old.pk].pk]) for old in ended if today[old.pk].pk in now]
            self._heads = [(fold(name), place) for old, place in rows for name in {old.name, old.short_name}]
        return self._heads

    def of_village(self, village: Place) -> Body:
        """Return the committee of a village or community.

        Raises:
            Refusal: none is entered.
        """
        if village.pk not in self._by_place:
            rows = self._ask(Q(place=village, kind=self.kind.bodies[0]))
            self._by_place[village.pk] = [_body(row) for row in rows]
        found = self._by_place[village.pk]
        if found:
            return found[0]
        if self.create:
            body = self._make(village.name, village)
            self._by_place[village.pk] = [body]
            return body
        raise Refusal(
            "organisation",
            _("%(village)s has no committee entered: enter it under “Bodies”, or let missing bodies be made.")
            % {"village": village},
        )

    def _village_in(self, name: str) -> Place:
        """Return the place whose name the body's begins with, else the place whose roster it is."""
        text = fold(self._shorter(name))
        for size in range(min(len(text), 14), 1, -1):
            if len(places := self.places.by_name.get(text[:size], [])) == 1:
                return places[0]
        return self.places.place

    def _make(self, name: str, place: Place) -> Body:
        name = " ".join(name.split())
        if len(name) < 3 or len(SIGN.findall(name)) < 2 or NO_BODY.fullmatch(name):
            raise Refusal("organisation", _("“%(name)s” is no name of a body; none is made.") % {"name": name[:60]})
        key = (place.pk, name)
        if key not in self._made_at:
            if place.level < Level.COUNTY or not place.path.startswith(self.jurisdiction.place.path):
                raise Refusal("organisation", self._unknown(name))
            if place == self.places.place:
                self._refuse_elsewhere(name)
            kind = next(
                (kind for kind, ending in ENDINGS if kind in self.kind.bodies and ending.search(name)),
                self.kind.bodies[0],
            )
            if self.kind.code == "cadres" and place.level >= Level.TOWNSHIP:
                kind = Organisation.Kind.OFFICE
            row = Organisation(jurisdiction=self.jurisdiction, kind=kind, name=name, place=place)
            self.made.append(row)
            self._made_at[key] = Body(row.pk, name, kind, place.pk, place.path)
        return self._made_at[key]

    def _refuse_elsewhere(self, name: str) -> None:
        """Refuse to make what its name puts into another township or village of the county."""
        short = self._in_county(name)
        heads = [short[:size] for size in range(3, 15)]
        rows = Place.objects.filter(Q(name__in=heads) | Q(short_name__in=heads), valid_on(timezone.localdate()))
        rows = rows.filter(path__startswith=self.jurisdiction.place.path, level__in=(Level.TOWNSHIP, Level.VILLAGE))
        inside = self.places.place.path
        found = list(rows.select_related("parent")[:20])
        if found and not any(place.path.startswith(inside) or inside.startswith(place.path) for place in found):
            words = {"name": name[:60], "there": at_length(found[0]), "place": self.places.place}
            text = _("“%(name)s” belongs to %(there)s, outside %(place)s: send the row with the roster of that place.")
            raise Refusal("organisation", text % words)

    def _unknown(self, name: str) -> str:
        self._suggested += 1
        near: list[str] = []
        if self._suggested <= MOST_SUGGESTED:
            if self._names is None:
                rows = self._rows().filter(kind__in=self.kind.bodies) if self.kind.bodies else self._rows()
                self._names = list(rows.values_list("name", flat=True)[:NEAREST_AMONG])
            near = self._nearest(name)
        return no_such(_("The body"), name, near, self.places.place)

    def _nearest(self, name: str) -> list[str]:
        """Return up to three names that share most pairs of signs, in order of likeness."""
        pairs = {name[at : at + 2] for at in range(len(name) - 1)}
        shared = sorted(
            (known for known in self._names or [] if any(pair in known for pair in pairs)),
            key=lambda known: -sum(pair in known for pair in pairs),
        )
        return difflib.get_close_matches(name, shared[:40], n=3, cutoff=0.3)


def _body(row: Organisation) -> Body:
    return Body(row.pk, row.name, row.kind, row.place_id, row.place.path)
