"""Persons are found by what somebody has at hand: name, pinyin, organisation, a number in full or as it is masked."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.contrib.postgres.fields.array import ArrayContains  # type: ignore[attr-defined]
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from weilu.lib.crypto import keyed_hash
from weilu.lib.pinyin import fold
from weilu.orgs.models import Jurisdiction, Organisation, Place, User, signs_of_name, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.people.models import Appointment, Membership, Person
from weilu.people.persons import tail_hash

PAGE = 50
# As many are looked through for what several share: the end of a number, a part of a name, an organisation.
MOST = 400

ID_NUMBER = re.compile(r"\d{17}[\dX]")
# As much of a number as is shown: 510824********1237, 5108********1237, 138****5678.
MASKED_ID = re.compile(r"(\d{1,14})\*+(\d{3}[\dX])")
PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})|(0\d{9,11}|\d{7,8})")
MASKED_PHONE = re.compile(r"([01]\d{0,6})\*+(\d{4})")
TAIL = re.compile(r"\d{3}[\dX]")
LATIN = re.compile(r"[a-zü:ǖǘǚǜāáǎàēéěèīíǐìōóǒòūúǔù' -]+")

Rows = QuerySet[Person]


@dataclass
class Found:
    """A page of persons.

    Attributes:
        more: whether there are others behind these.
        after: for the next page of a list that was not searched; empty where there is none.
    """

    rows: list[Person]
    more: bool = False
    after: str = ""


def people(user: User, *, kind: str = "", organisation: Organisation | None = None, place: Place | None = None) -> Rows:
    """Return the persons in the scope of ``user``, as far as the filters go.

    Args:
        kind: of a membership that they have today.
        organisation: a body that they belong to, or hold a post in, today.
        place: a place that they live in.
    """
    rows = Person.objects.visible_to(user).current()
    if place:
        rows = rows.filter(home__path__startswith=place.path)
    today = timezone.localdate()
    if kind or organisation:
        joined = Membership.objects.filter(valid_on(today), person=OuterRef("pk"))
        joined = joined.filter(kind=kind) if kind else joined
        held = Appointment.objects.filter(valid_on(today), person=OuterRef("pk"), post__organisation=organisation)
        if organisation:
            belongs = Exists(joined.filter(organisation=organisation))
            rows = rows.filter(belongs if kind else belongs | Exists(held))
        else:
            rows = rows.filter(Exists(joined))
    return rows


def find(rows: Rows, text: str, *, user: User) -> Found:
    """Return those of ``rows`` that ``text`` may mean, the closest first.

    Args:
        text: a name or a part of one, pinyin, initials, the name of a body, an ID number or a telephone number in
            full, as it is masked, or its last four signs.
    """
    found: dict[object, Person] = {}
    for way in _ways(tidy(text), user):
        for person in way(rows):
            found.setdefault(person.pk, person)
            if len(found) > PAGE:
                break
        if len(found) > PAGE:
            break
    shown = list(found.values())
    return Found(with_roles(shown[:PAGE]), more=len(shown) > PAGE)


def listed(rows: Rows, after: str = "") -> Found:
    """Return a page of ``rows`` in the order of their pinyin, behind the person that ``after`` names."""
    spelt, _sep, key = after.partition(" ")
    if re.fullmatch(r"[0-9a-f-]{36}", key):
        rows = rows.filter(Q(pinyin=spelt, pk__gt=key) | Q(pinyin__gt=spelt), pinyin__gte=spelt)
    page = list(rows.order_by("pinyin", "pk")[: PAGE + 1])
    last = page[PAGE - 1] if len(page) > PAGE else None
    return Found(with_roles(page[:PAGE]), bool(last), f"{last.pinyin} {last.pk}" if last else "")


def tidy(text: str) -> str:
    """Return what was typed in one spelling: half width, upper case, no blanks at the ends, one star for any."""
    plain = unicodedata.normalize("NFKC", text).replace("×", "*").replace("＊", "*").strip()
    compact = re.sub(r"[\s-]", "", plain).upper()
    return compact if re.fullmatch(r"[\d*X+]+", compact) else plain


Way = Callable[[Rows], Iterator[Person]]


def _ways(text: str, user: User) -> list[Way]:
    """Return the ways to look for ``text``, the most exact first."""
    if ID_NUMBER.fullmatch(text):
        return [_exactly(id_number_hash=keyed_hash(text))]
    if masked := MASKED_ID.fullmatch(text):
        ways = [_shown(id_tail_hash=tail_hash(masked[2]), number="id_number", begins=masked[1])]
        if MASKED_PHONE.fullmatch(text):
            ways.insert(0, _shown(phone_tail_hash=tail_hash(masked[2]), number="phone", begins=masked[1]))
        return ways
    if phone := PHONE.fullmatch(text):
        return [_exactly(phone_hash=keyed_hash(phone[1] or phone[2]))]
    if TAIL.fullmatch(text):
        return [_exactly(id_tail_hash=tail_hash(text)), _exactly(phone_tail_hash=tail_hash(text))]
    if not text:
        return []
    spelt = fold(text)
    if spelt and LATIN.fullmatch(text.lower()):
        by_initials = _beginning("initials", spelt, "initials", "pinyin", "pk")
        return [by_initials, _beginning("pinyin", spelt, "pinyin", "pk"), _part(spelt), _member(text, user)]
    name = re.sub(r"\s+", "", text)
    return [_beginning("name", name, "name", "birth_date", "pk"), _part(name), _member(text, user)]


def _exactly(**hashed: bytes) -> Way:
    mine = _in_counties(**hashed)
    return lambda rows: iter(rows.filter(mine).order_by("pinyin", "pk")[: PAGE + 1])


def _in_counties(**hashed: bytes) -> Q:
    """The condition with which the indexes of hashes begin: a county."""
    return Q(jurisdiction__in=Jurisdiction.objects.values("pk"), **hashed)


def _shown(*, number: str, begins: str, **hashed: bytes) -> Way:
    """By the last four signs of a number, then by what else of it is shown."""
    mine = _in_counties(**hashed)

    def look(rows: Rows) -> Iterator[Person]:
        for person in rows.filter(mine)[:MOST]:
            if getattr(person, number).startswith(begins):
                yield person

    return look


def _beginning(column: str, text: str, *order: str) -> Way:
    return lambda rows: iter(rows.filter(**{f"{column}__startswith": text}).order_by(*order)[: PAGE + 1])


def _part(text: str) -> Way:
    """By a part of the name that does not begin it; sorted only among those looked through."""

    def look(rows: Rows) -> Iterator[Person]:
        keys = sorted(rows.filter(parts__contains=[text]).order_by().values_list("pinyin", "pk")[:MOST])
        yield from rows.filter(pk__in=[pk for _spelt, pk in keys[: PAGE + 1]]).order_by("pinyin", "pk")

    return look


def _member(text: str, user: User) -> Way:
    """By the body that somebody belongs to, holds a post in or works at: a part of its name, or an alias."""

    def look(rows: Rows) -> Iterator[Person]:
        today = timezone.localdate()
        scope = organisations_in_scope(user, Permission.VIEW_PEOPLE)
        mine = Organisation.objects.filter(scope, valid_on(today))
        named = bodies_called(text), bodies_shortened(text)
        bodies: list[object] = []
        for condition in named:
            bodies = bodies or list(mine.filter(condition).order_by().values_list("pk", flat=True)[:MOST])
        if bodies:
            joined = Membership.objects.filter(valid_on(today), organisation__in=bodies)
            held = Appointment.objects.filter(valid_on(today), post__organisation__in=bodies)
            work = Person.objects.filter(work__in=bodies, merged_into=None)
            found = [joined.values_list("person"), held.values_list("person"), work.values_list("pk")]
            keys = {key for query in found for (key,) in query.order_by()[: MOST * 4]}
            yield from rows.filter(pk__in=keys).order_by("pinyin", "pk")[: PAGE + 1]

    return look


def bodies_called(text: str) -> Q:
    """The condition that ``text`` is a part of a body's name, or an alias; by an index of the signs of names."""
    return Q(aliases__contains=[text]) | (Q(ArrayContains(signs_of_name(), sorted(set(text)))) & Q(name__contains=text))


def bodies_shortened(text: str) -> Q:
    """The condition that ``text`` shortens a body's name: its signs stand there in this order (住建局)."""
    if not 3 <= len(text) <= 12:
        return Q(pk__in=[])
    pattern = ".*".join(re.escape(sign) for sign in text)
    return Q(ArrayContains(signs_of_name(), sorted(set(text)))) & Q(name__regex=pattern)


def with_roles(rows: list[Person], day: dt.date | None = None) -> list[Person]:
    """Add to each person where they live, and ``roles``: what they belong to and the posts they hold on a day."""
    on = valid_on(day or timezone.localdate())
    joined = Membership.objects.filter(on).select_related("organisation")
    held = Appointment.objects.filter(on).select_related("post__organisation")
    prefetch_related_objects(
        rows,
        "home__parent__parent",
        Prefetch("memberships", joined, to_attr="memberships_now"),
        Prefetch("appointments", held, to_attr="appointments_now"),
    )
    return rows
