"""The kinds of rosters: their columns, the headings that offices write over them, and what a row becomes."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.orgs.models import Level, Organisation
from weilu.people.models import Membership

HEADINGS = tomllib.loads(Path(__file__).with_name("headings.toml").read_text(encoding="utf-8"))
# What offices call the kinds of bodies; the first word is the one that we write.
BODY_WORDS: dict[str, list[str]] = HEADINGS["kinds-of-bodies"]
Body = Organisation.Kind
PARTY = (Body.PARTY_COMMITTEE, Body.BRANCH)
# In the titles of posts that somebody holds beside their own work.
BESIDE = ("兼职", "民警")
# Columns that our own file of errors adds beside the others.
REASON = "▲"

_BLANK = re.compile(r"[\s*:、,。.·_\-—\"'“”]+")
_HELP = re.compile(r"\([^()]*\)$")


def fold_heading(text: str) -> str:
    """Return a heading as it is compared: half width, without blanks and marks."""
    return _BLANK.sub("", unicodedata.normalize("NFKC", text).lower())


@dataclass(frozen=True)
class Column:
    """A column of ours.

    Attributes:
        key: what it is called in errors and mappings.
        reads: what a cell holds: text, name, date, id_number, phone, sex, credit_code, body_kind …
        length: how much a text may have.
        headings: how offices call it; exports write the first.
    """

    key: str
    label: str | Promise
    reads: str = "text"
    length: int = 80
    required: bool = False
    headings: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        return self.headings[0]


LABELS: dict[str, tuple[str | Promise, str, int]] = {
    "name": (pgettext_lazy("of a person", "name"), "name", 40),
    "sex": (_("sex"), "sex", 6),
    "birth_date": (_("date of birth"), "date", 20),
    "id_number": (_("ID number"), "id_number", 18),
    "phone": (_("telephone"), "phone", 30),
    "ethnicity": (_("ethnicity"), "text", 20),
    "education": (_("education"), "text", 30),
    "joined_party_on": (_("joined the Party"), "date", 20),
    "home": (_("home"), "address", 120),
    "note": (_("note"), "text", 120),
    "post": (_("post"), "text", 60),
    "rank": (_("rank"), "text", 40),
    "document": (_("document number"), "text", 60),
    "place": (_("place"), "text", 80),
    "since": (_("since"), "date", 20),
    "work": (_("works at"), "address", 80),
    "organisation": (_("organisation"), "text", 80),
    "grid": (_("grid"), "text", 80),
    "kind": (_("kind"), "body_kind", 40),
    "parent": (_("body above"), "text", 80),
    "credit_code": (_("unified social credit code"), "credit_code", 18),
    "speciality": (_("speciality"), "text", 30),
    "serves": (_("estate or address"), "text", 80),
    "aliases": (_("other names"), "text", 400),
}


@dataclass(frozen=True)
class Kind:
    """A kind of roster.

    Attributes:
        keys: its columns; a star marks one that is needed.
        becomes: what a row is: ``membership``, ``post`` or ``body``.
        membership: as what the person belongs to the body.
        bodies: kinds of bodies that the roster names; the first is the one that is made where one is missing.
        alone: whether a person stands in it once only: a member belongs to one branch.
        of_community: whether the body may be named by its village.
        employs: whether the person works at the body.
    """

    code: str
    label: Promise
    keys: str
    becomes: str = "membership"
    membership: str = ""
    bodies: tuple[str, ...] = ()
    alone: bool = False
    of_community: bool = False
    employs: bool = False
    columns: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        own, common = HEADINGS[self.code], HEADINGS["common"]
        columns = []
        for word in self.keys.split():
            key = word.rstrip("*")
            label, reads, length = LABELS[key]
            if self.becomes == "body":
                reads, length = {"name": ("text", 80), "phone": ("office_phone", 30)}.get(key, (reads, length))
            headings = tuple(own.get(key) or common[key])
            columns.append(Column(key, label, reads, length, word.endswith("*"), headings))
        object.__setattr__(self, "columns", tuple(columns))

    @cached_property
    def by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}

    @cached_property
    def by_heading(self) -> dict[str, str]:
        """Folded heading -> key; an earlier column wins."""
        found: dict[str, str] = {}
        for column in self.columns:
            for heading in column.headings:
                found.setdefault(fold_heading(heading), column.key)
        return found

    def held(self) -> Q:
        """Return the condition that an appointment stands in this roster: who is missing there gives up the post.

        Cadres hold posts of departments, township offices and Party committees down to the township. Village cadres
        hold those of the two committees: of the village, and of the Party body that leads there, not of branches below
        it. Who has their work elsewhere and a post beside it stands in neither.
        """
        body = "post__organisation"
        found = Q(**{f"{body}__kind__in": self.bodies})
        if self.code == "cadres":
            return found & Q(**{f"{body}__place__level__lte": Level.TOWNSHIP})
        below = Q(**{f"{body}__parent__place": F(f"{body}__place"), f"{body}__parent__kind__in": PARTY})
        beside = Q(*[Q(post__title__contains=word) for word in BESIDE], _connector=Q.OR)
        return found & Q(**{f"{body}__place__level__gte": Level.VILLAGE}) & ~below & ~beside

    @cached_property
    def required(self) -> list[Column]:
        return [column for column in self.columns if column.required]


_ABOUT = "sex birth_date ethnicity education"
_OFFICE = f"id_number {_ABOUT} joined_party_on since document phone home"
_WORKER = f"phone id_number {_ABOUT}"
KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "members",
            _("Party members"),
            f"name* organisation* id_number {_ABOUT} joined_party_on phone home work since note place",
            membership=Membership.Kind.MEMBER,
            bodies=(Body.BRANCH, Body.PARTY_COMMITTEE, Body.PARTY_GROUP),
            alone=True,
        ),
        Kind(
            "reported",
            _("Reported members"),
            f"name* organisation* id_number {_ABOUT} joined_party_on phone home work since note place",
            membership=Membership.Kind.REPORTED,
            bodies=(Body.BRANCH,),
            alone=True,
        ),
        Kind(
            "cadres",
            _("Cadres"),
            f"name* organisation* post* rank {_OFFICE}",
            becomes="post",
            bodies=(Body.DEPARTMENT, Body.OFFICE, Body.PARTY_COMMITTEE),
            employs=True,
        ),
        Kind(
            "village-cadres",
            _("Village two-committee cadres"),
            f"name* organisation* post* {_OFFICE} rank",
            becomes="post",
            bodies=(Body.COMMUNITY, Body.BRANCH, Body.PARTY_COMMITTEE),
            of_community=True,
        ),
        Kind(
            "grid-workers",
            _("Grid workers"),
            f"name* grid* place organisation {_WORKER} since home note",
            membership=Membership.Kind.GRID_WORKER,
            bodies=(Body.COMMUNITY,),
            of_community=True,
        ),
        Kind(
            "community-workers",
            _("Community workers"),
            f"name* organisation* note {_WORKER} joined_party_on since home",
            membership=Membership.Kind.COMMUNITY_WORKER,
            bodies=(Body.COMMUNITY,),
            of_community=True,
            employs=True,
        ),
        Kind(
            "volunteers",
            _("Volunteers"),
            f"name* organisation* note {_WORKER} since home place",
            membership=Membership.Kind.VOLUNTEER,
            bodies=(Body.VOLUNTEERS,),
        ),
        Kind(
            "organisations",
            _("Bodies"),
            "name* kind* place parent credit_code phone speciality serves aliases since",
            becomes="body",
        ),
    )
}
BODY_KINDS = {fold_heading(word): kind for kind, words in BODY_WORDS.items() for word in words}


def known_as(kind: Kind, heading: str) -> str:
    """Return the key of the column that ``heading`` names, or nothing; help in brackets behind it is passed over."""
    folded = fold_heading(heading)
    if not folded or len(folded) > 60 or heading.startswith(REASON):
        return ""
    if found := kind.by_heading.get(folded):
        return found
    bare = _HELP.sub("", folded)
    return kind.by_heading.get(bare, "") if bare else ""


def _strangeness(kind: Kind, key: str, heading: str) -> int:
    """Return how far a heading is from the one that offices write first of all over a column."""
    names = [fold_heading(name) for name in kind.by_key[key].headings]
    folded = fold_heading(heading)
    return names.index(folded) if folded in names else len(names)


def map_headings(kind: Kind, headings: Iterable[str]) -> dict[int, str]:
    """Return index -> key for the headings that are known; of two of the same column the better name wins."""
    found: dict[str, tuple[int, int]] = {}
    for index, heading in enumerate(headings):
        if key := known_as(kind, heading):
            rank = _strangeness(kind, key, heading)
            if key not in found or rank < found[key][0]:
                found[key] = (rank, index)
    return {index: key for key, (_rank, index) in found.items()}


def likeliest(headings: Iterable[str], other_than: str) -> Kind | None:
    """Return the kind of roster whose required columns all stand in ``headings``, if there is one."""
    texts, best = list(headings), (0, 0, "")
    for kind in KINDS.values():
        found = map_headings(kind, texts)
        if kind.code != other_than and all(column.key in found.values() for column in kind.required):
            strange = sum(_strangeness(kind, key, texts[index]) for index, key in found.items())
            best = max(best, (len(found), -strange, kind.code))
    return KINDS.get(best[2])
