"""The verbs that write persons: enter one, change one, look at their numbers in full."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from stdnum import numdb
from stdnum.cn import ric

from weilu.lib.crypto import keyed_hash
from weilu.lib.pinyin import spell, syllables
from weilu.orgs.bodies import constraint_of
from weilu.orgs.models import Grant, Jurisdiction, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.sharding import key_of
from weilu.people.models import Person
from weilu.records.looking import NoReason, keep_look
from weilu.records.models import Event

COLUMNS = (
    *("name", "sex", "birth_date", "birth_day_known", "id_number", "phone", "ethnicity", "education"),
    *("home", "work", "joined_party_on"),
)
DERIVED = ("pinyin", "initials", "parts", "id_number_hash", "id_tail_hash", "phone_hash", "phone_tail_hash")
KIND = "person"
ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}\d{7,8}|\d{7,8}")
TAIL_BYTES = 8
LONGEST_PART = 4
PARTY_AGE = 18
OLDEST = dt.date(1880, 1, 1)


class PersonProblem(ValueError):
    """A person cannot be so.

    Attributes:
        message: what is wrong and what to do, in the reader's language.
        column: the field it lies in; empty where it lies in none.
    """

    def __init__(self, message: str, column: str = ""):
        super().__init__(message)
        self.message, self.column = message, column


class PersonChanged(PersonProblem):
    """Somebody else changed the person since they were read."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else has changed this person in the meantime; nothing was overwritten."))


# What is kept beside a person so that they are found.


def tail_hash(tail: str) -> bytes:
    """Return the keyed hash of the last four signs of a number, by which a masked number is found."""
    return keyed_hash(f"tail {tail}")[:TAIL_BYTES]


def parts_of(name: str) -> list[str]:
    """Return what of a name is typed to find somebody and does not stand at its beginning: 晓红, 红, xiaohong, xh."""
    text = "".join(name.split())
    found = {text[at : at + size] for at in range(1, len(text)) for size in range(1, LONGEST_PART + 1)}
    sounds = syllables(name)
    for at in range(1, min(len(sounds), LONGEST_PART)):
        found |= {"".join(sounds[at:]), "".join(sound[0] for sound in sounds[at:])}
    return sorted(found)


def prepare(person: Person) -> tuple[str, ...]:
    """Fill the columns that are derived from name and numbers; return their names.

    Whoever writes persons past :func:`make_person` (an import, the demo) calls this for each.
    """
    person.pinyin, person.initials = spell(person.name)
    person.parts = parts_of(person.name)
    person.id_number_hash = keyed_hash(person.id_number)
    person.id_tail_hash = tail_hash(person.id_number[-4:]) if person.id_number else b""
    person.phone_hash = keyed_hash(person.phone)
    person.phone_tail_hash = tail_hash(person.phone[-4:]) if person.phone else b""
    return DERIVED


# Checks.


def tidy_phone(text: str) -> str:
    """Return a telephone number in digits alone.

    Raises:
        PersonProblem: it is neither a mobile number nor one of a landline.
    """
    digits = re.sub(r"[\s\-‐–—()]+", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(\+|00)?86(?=1[3-9]\d{9}$)", "", digits)
    if digits and not PHONE.fullmatch(digits):
        raise PersonProblem(
            _("This is no telephone number: 11 digits of a mobile, or area code and number of a landline."), "phone"
        )
    return digits


def born_by(number: str) -> dt.date:
    """Return the date of birth in an ID number of 18 signs (GB 11643).

    Raises:
        ValueError: there is no such day.
    """
    return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def tidy_id_number(text: str) -> str:
    """Return an ID number as GB 11643 writes it.

    Of the first six digits only the province is checked: they name the county that gave the number out, under a code
    that may be younger than the person.

    Raises:
        PersonProblem: it lacks digits, its date or province does not exist, or its last sign does not check the others.
    """
    number = text
    if not ID_NUMBER.fullmatch(number):
        number = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if not number:
        return ""
    if not ID_NUMBER.fullmatch(number):
        raise PersonProblem(_("An ID number has 18 signs: 17 digits, and a digit or X."), "id_number")
    if number[-1] != ric.calc_check_digit(number):
        raise PersonProblem(
            _("The last sign of this ID number does not fit the others: a digit is wrong or swapped."), "id_number"
        )
    try:
        born_by(number)
    except ValueError as error:
        raise PersonProblem(_("This ID number names a date of birth that never was."), "id_number") from error
    if not _is_province(number[:2]):
        raise PersonProblem(_("This ID number names a province that never was."), "id_number")
    return number


@cache
def _is_province(code: str) -> bool:
    return bool(numdb.get("cn/loc").info(code)[0][1])


def _agree(person: Person) -> None:
    """Hold birth date and sex against the ID number (GB 11643), and fill them from it."""
    number = person.id_number
    if not number:
        return
    born, sex = born_by(number), Person.Sex.MALE if int(number[16]) % 2 else Person.Sex.FEMALE
    given = person.birth_date
    same_day = (
        given == born if person.birth_day_known else given and (given.year, given.month) == (born.year, born.month)
    )
    if given and not same_day:
        raise PersonProblem(
            _("The ID number says: born on %(day)s. Correct one of the two.") % {"day": born}, "birth_date"
        )
    if person.sex and person.sex != sex:
        raise PersonProblem(_("The ID number says: %(sex)s. Correct one of the two.") % {"sex": sex.label}, "sex")
    person.birth_date, person.birth_day_known, person.sex = born, True, sex


def _check(person: Person) -> None:
    person.name = re.sub(r"\s+", " ", unicodedata.normalize("NFC", person.name)).strip()
    if re.fullmatch(r"[㐀-鿿 ]+", person.name):
        person.name = person.name.replace(" ", "")
    if not person.name:
        raise PersonProblem(_("The person needs a name."), "name")
    if len(person.name) > 40:
        raise PersonProblem(_("A name has at most 40 characters."), "name")
    person.phone = tidy_phone(person.phone)
    person.id_number = tidy_id_number(person.id_number)
    _agree(person)
    today = timezone.localdate()
    if person.birth_date and not OLDEST <= person.birth_date <= today:
        raise PersonProblem(_("Nobody in these lists was born on %(day)s.") % {"day": person.birth_date}, "birth_date")
    joined, born = person.joined_party_on, person.birth_date
    if joined and (joined > today or (person.birth_date and joined < person.birth_date)):
        raise PersonProblem(_("Nobody joined the Party before they were born or after today."), "joined_party_on")
    if joined and born and joined < add_years(born, PARTY_AGE):
        raise PersonProblem(
            _("Nobody joins the Party before the age of 18 (Party constitution, article 1)."), "joined_party_on"
        )
    if person.work and person.work.jurisdiction_id != person.jurisdiction_id:
        raise PersonProblem(_("This body belongs to another county."), "work")


def add_years(day: dt.date, years: int) -> dt.date:
    """Return the same day some years later; of 29 February, 1 March where the year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)


def keeps(user: User, place: Place, permission: Permission = Permission.KEEP) -> bool:
    """Tell whether ``user`` holds ``permission`` at ``place``."""
    grants: list[Grant] = user.grants_for(permission)
    return any(not grant.by_organisation and place.path.startswith(grant.place.path) for grant in grants)


def _may(by: User | None, place: Place) -> None:
    if by is not None and not keeps(by, place):
        raise PersonProblem(_("%(place)s lies outside your scope.") % {"place": place}, "home")


@contextmanager
def in_words(by: User | None) -> Iterator[None]:
    """Do all or nothing, and say in words that another record has the ID number."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint_of(error) != "person_id_number_once":
            raise
        raise PersonProblem(
            _("Another record has this ID number. Find it by the number; if it is the same person, merge the two."),
            "id_number",
        ) from error


def note(person: Person, move: str, by: User | None, *, text: str = "", changes: dict[str, Any] | None = None) -> Event:
    """Write into a person's history; ``changes`` holds names of columns and keys, never what stands in them."""
    return Event.objects.create(
        jurisdiction_id=person.jurisdiction_id, record_kind=KIND, record_id=person.pk, move=move, actor=by,
        actor_name=by.name if by else "", note=text, changes=changes or {}, open_to_resident=False,
    )  # fmt: skip


# Verbs.


def make_person(*, by: User | None, home: Place, name: str, **given: Any) -> Person:
    """Enter a person who lives at ``home``.

    Args:
        by: who enters them; None for an import or the demo.
        given: further columns of :class:`Person`; birth date and sex are read from the ID number where it is given.

    Raises:
        PersonProblem: something given cannot be, contradicts the ID number (GB 11643), or the number is taken.
    """
    _may(by, home)
    jurisdiction = Jurisdiction.of(home)
    if jurisdiction is None:
        raise PersonProblem(_("%(place)s lies in no county that is open.") % {"place": home}, "home")
    person = Person(jurisdiction=jurisdiction, home=home, name=name, **given)
    _check(person)
    prepare(person)
    with in_words(by):
        person.save(force_insert=True)
        note(person, "make", by)
    return person


def lock(person: Person, version: int | None) -> Person:
    """Return the person as they are now, locked.

    Raises:
        PersonChanged: the version is not the one seen.
        PersonProblem: the record was merged into another.
    """
    held = Person.objects.select_for_update(of=("self",)).select_related("home", "work").get(**key_of(person))
    if version is not None and held.version != version:
        raise PersonChanged
    if held.merged_into_id:
        raise PersonProblem(_("This record was merged into another of the same person: choose that one."))
    return held


def change_person(person: Person, *, by: User | None, version: int | None, **given: Any) -> Person:
    """Change what is known of a person; the event keeps which columns, not what stood in them.

    Args:
        version: the version that ``by`` saw; None only where nobody looked.
        given: columns and their new values; those that do not differ are left alone.

    Raises:
        PersonChanged: somebody else was faster.
        PersonProblem: as for :func:`make_person`.
    """
    with in_words(by):
        held = lock(person, version)
        _may(by, held.home)
        was = {name: getattr(held, name) for name in COLUMNS}
        for name in given.keys() & set(COLUMNS):
            setattr(held, name, given[name])
        if held.home_id != was["home"].pk:
            _may(by, held.home)
            if not held.home.path.startswith(held.jurisdiction.place.path):
                raise PersonProblem(_("A person's record stays in its county."), "home")
        _check(held)
        changed = [name for name in COLUMNS if getattr(held, name) != was[name]]
        if not changed:
            return held
        held.version += 1
        held.save(update_fields=[*changed, *prepare(held), "version"])
        note(held, "change", by, changes={"columns": changed})
    return held


@dataclass(frozen=True)
class Numbers:
    """A person's numbers in full."""

    id_number: str
    phone: str


@transaction.atomic
def unmask(person: Person, *, reason: str, by: User) -> Numbers:
    """Return a person's numbers in full, and keep who looked at them and why; the person can read it.

    Raises:
        PersonProblem: no reason is given, or ``by`` may not see numbers of people who live there.
    """
    if not keeps(by, person.home, Permission.UNMASK):
        raise PersonProblem(_("Your account may not do this here."))
    try:
        keep_look(person, reason=reason, by=by)
    except NoReason as error:
        raise PersonProblem(str(error.message), "reason") from error
    return Numbers(person.id_number, person.phone)
