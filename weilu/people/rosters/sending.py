"""The roster of today, in the columns in which it comes in."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.lib.copying import copy_rows
from weilu.orgs.models import Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission
from weilu.people.models import Appointment, Membership, Person
from weilu.people.persons import KIND as PERSON
from weilu.people.persons import keeps
from weilu.people.rosters.directory import Names
from weilu.people.rosters.jobs import RosterProblem
from weilu.people.rosters.kinds import BODY_WORDS, Kind
from weilu.people.rosters.papers import roster_book
from weilu.records.models import Event

READ_AT_ONCE = 2_000


def send_out(kind: Kind, place: Place, *, by: User, reason: str = "") -> bytes:
    """Return the roster of a place as a workbook that can be sent in again.

    Args:
        reason: what the numbers are needed for; without one they are masked. With one, each person can read who took
            their numbers along and why.

    Raises:
        RosterProblem: ``by`` may not see numbers there, or the reason says nothing.
    """
    why = reason.strip()
    if why and len(why) < 2:
        raise RosterProblem(_("Say why you need the numbers: the person can read it."))
    if why and not keeps(by, place, Permission.UNMASK):
        raise RosterProblem(_("Your account may not do this here."))
    title = f"{place} · {kind.label} · {timezone.localdate()}"
    names = Names(place)
    if kind.becomes == "body":
        return roster_book(kind, (_body(kind, row, names) for row in _bodies(place)), title)
    rows = _links(kind, place, by)
    with transaction.atomic():  # who is named in the roster is whom it says so to
        if why:
            _note(rows, by, why)
        some = rows.iterator(chunk_size=READ_AT_ONCE)
        return roster_book(kind, (_person(kind, row, bool(why), names) for row in some), title)


def empty(kind: Kind) -> bytes:
    """Return a workbook to fill in."""
    return roster_book(kind, [], str(kind.label))


def _bodies(place: Place) -> QuerySet[Organisation]:
    rows = Organisation.objects.filter(valid_on(timezone.localdate()), place__path__startswith=place.path)
    return rows.select_related("place", "parent").order_by("place__path", "name")


def _body(kind: Kind, row: Organisation, names: Names) -> list[str]:
    values = {
        "name": row.name, "kind": BODY_WORDS[row.kind][0], "place": names.of("place", row.place),
        "parent": row.parent.name if row.parent else "", "credit_code": row.credit_code, "phone": row.phone,
        "speciality": row.speciality, "serves": row.serves, "aliases": "、".join(row.aliases),
        "since": row.valid_from.isoformat(),
    }  # fmt: skip
    return [values[column.key] for column in kind.columns]


def _links(kind: Kind, place: Place, by: User) -> QuerySet[Any]:
    """Return memberships or appointments with their person; bodies and places, which repeat, are read beside them."""
    today = timezone.localdate()
    seen = Person.objects.visible_to(by).current()
    if kind.becomes == "post":
        rows: QuerySet[Any] = Appointment.objects.filter(
            valid_on(today), kind.held(), post__organisation__place__path__startswith=place.path, person__in=seen,
        )  # fmt: skip
        rows = (
            rows.select_related("person")
            .prefetch_related("person__home", "post__organisation__place")
            .order_by("post__organisation__place__path", "post__organisation__name", "post__position", "seat", "pk")
        )
    else:
        rows = Membership.objects.filter(
            valid_on(today), organisation__place__path__startswith=place.path, kind=kind.membership, person__in=seen
        )
        rows = rows.select_related("person").prefetch_related(
            "person__home", "person__work", "organisation__place", "place"
        )
        rows = rows.order_by("organisation__place__path", "organisation__name", "person__name", "pk")
    return rows


def _person(kind: Kind, row: Any, full: bool, names: Names) -> list[str]:
    person: Person = row.person
    post = row.post if kind.becomes == "post" else None
    body = post.organisation if post else row.organisation
    born = person.birth_date
    values = {
        "name": person.name,
        "sex": {"male": "男", "female": "女"}.get(person.sex, ""),
        "birth_date": "" if not born else born.isoformat() if person.birth_day_known else f"{born:%Y.%m}",
        "id_number": person.id_number if full else person.masked_id_number,
        "phone": person.phone if full else person.masked_phone,
        "ethnicity": person.ethnicity,
        "education": person.education,
        "joined_party_on": person.joined_party_on.isoformat() if person.joined_party_on else "",
        "home": names.of("home", person.home),
        "work": person.work.name if kind.becomes != "post" and person.work else "",
        "organisation": body.name,
        "place": names.of("place", body.place) if body.place.level >= 4 else "",
        "post": post.title if post else "",
        "rank": row.rank if post else "",
        "document": row.document if post else "",
        "note": "" if post else row.note,
        "since": row.valid_from.isoformat(),
        "grid": names.of("grid", row.place) if not post and row.place else "",
    }
    return [values[column.key] for column in kind.columns]


def _note(rows: QuerySet[Any], by: User, why: str) -> None:
    """Write into each person's history who took the numbers along, and why."""
    people = dict(rows.order_by().values_list("person_id", "person__jurisdiction_id").distinct())
    copy_rows(
        Event,
        (
            Event(
                jurisdiction_id=jurisdiction, record_kind=PERSON, record_id=person, move="unmask", actor=by,
                actor_name=by.name, note=why, open_to_resident=False,
            )
            for person, jurisdiction in people.items()
        ),
    )  # fmt: skip
