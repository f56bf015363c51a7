"""Persons of a roster: the new ones, and what is new of those who are known."""

from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone
from psycopg import sql
from psycopg.types.json import Jsonb

from weilu.orgs.models import User
from weilu.people.models import Person
from weilu.people.rosters.staging import Scope, ask
from weilu.records.models import Event

# Of each field of a person: when the roster says something, whether that is something else, whether there was nothing.
# Where people live elsewhere, a roster fills what is missing and changes nothing.
FIELDS: dict[str, tuple[str, str, str]] = {
    "sex": ("s.sex <> ''", "s.sex <> p.sex", "p.sex = ''"),
    "birth_date": (
        "s.birth_date IS NOT NULL",
        "(p.birth_date IS NULL OR (s.birth_day_known AND s.birth_date <> p.birth_date)"
        " OR date_trunc('month', s.birth_date) <> date_trunc('month', p.birth_date))",
        "p.birth_date IS NULL",
    ),
    "id_number": ("s.id_number_hash <> ''", "p.id_number_hash = ''", "true"),
    "phone": ("s.phone_hash <> ''", "s.phone_hash <> p.phone_hash", "p.phone_hash = ''"),
    "ethnicity": ("s.ethnicity <> ''", "s.ethnicity <> p.ethnicity", "p.ethnicity = ''"),
    "education": ("s.education <> ''", "s.education <> p.education", "p.education = ''"),
    "joined_party_on": (
        "s.joined_party_on IS NOT NULL",
        "s.joined_party_on IS DISTINCT FROM p.joined_party_on",
        "p.joined_party_on IS NULL",
    ),
    "home": ("s.home_given", "s.home_id <> p.home_id", "false"),
    "work": ("s.work_id IS NOT NULL", "s.work_id IS DISTINCT FROM p.work_id", "p.work_id IS NULL"),
}
# What is written when a field differs.
WRITES = {
    "birth_date": ("birth_date", "birth_day_known"),
    "id_number": ("id_number", "id_number_hash", "id_tail_hash"),
    "phone": ("phone", "phone_hash", "phone_tail_hash"),
    "home": ("home_id",),
    "work": ("work_id",),
}
COPIED = (
    "name", "pinyin", "initials", "parts", "sex", "birth_date", "birth_day_known", "id_number", "id_number_hash",
    "id_tail_hash", "phone", "phone_hash", "phone_tail_hash", "ethnicity", "education", "joined_party_on", "home_id",
    "work_id",
)  # fmt: skip


def compare(scope: Scope) -> int:
    """Note what of each known person differs; return how many differ who live elsewhere and are left as they are."""
    inside = "h.path LIKE %(path)s::text"
    cases = ", ".join(
        f"CASE WHEN {said} AND {other} AND ({inside} OR {blank}) THEN '{name}' END"
        for name, (said, other, blank) in FIELDS.items()
    )
    ask(
        f"UPDATE roster_stage s SET differs = array_remove(ARRAY[{cases}]::text[], NULL)"  # noqa: S608  texts of ours
        " FROM people_person p JOIN orgs_place h ON h.id = p.home_id WHERE p.id = s.person AND s.known AND s.lead",
        scope.values,
    )
    left = " OR ".join(f"({said} AND {other} AND NOT ({blank}))" for said, other, blank in FIELDS.values())
    statement = (
        "SELECT count(*) FROM roster_stage s JOIN people_person p ON p.id = s.person JOIN orgs_place h"  # noqa: S608
        f" ON h.id = p.home_id WHERE s.known AND s.lead AND NOT ({inside}) AND ({left})"
    )
    return ask(statement, scope.values)[0][0]


def write(scope: Scope, *, by: User | None, note: str) -> None:
    """Enter the new persons and change the known ones, with a line in the history of each."""
    insert_from(
        Person,
        {
            "id": "person",
            "jurisdiction_id": "%(jurisdiction)s::uuid",
            **{name: name for name in COPIED},
            "parts": "string_to_array(parts, ' ')",
        },
        "FROM roster_stage WHERE lead AND NOT known",
        scope.values,
    )
    given = ", ".join(
        f"{column} = CASE WHEN '{name}' = ANY(s.differs) THEN s.{column} ELSE p.{column} END"
        for name in FIELDS
        for column in WRITES.get(name, (name,))
    )
    ask(
        f"UPDATE people_person p SET {given}, version = p.version + 1 FROM roster_stage s"  # noqa: S608
        " WHERE p.id = s.person AND s.lead AND s.known AND s.differs <> '{}'"
    )
    _history(scope, by, note)


def _history(scope: Scope, by: User | None, note: str) -> None:
    values = {
        **scope.values, "at": timezone.now(), "by": by.pk if by else None, "by_name": by.name if by else "",
        "note": note, "none": Jsonb({}),
    }  # fmt: skip
    same = {
        "id": "gen_random_uuid()", "jurisdiction_id": "%(jurisdiction)s::uuid", "record_kind": "'person'",
        "record_id": "person", "at": "%(at)s::timestamptz",
        "from_state": "''", "to_state": "''", "actor_id": "%(by)s::uuid",
        "actor_name": "%(by_name)s::text", "note": "%(note)s::text", "open_to_resident": "false",
    }  # fmt: skip
    insert_from(
        Event,
        {**same, "move": "'make'", "changes": "%(none)s::jsonb"},
        "FROM roster_stage WHERE lead AND NOT known",
        values,
    )
    changes = "jsonb_build_object('columns', to_jsonb(differs))"
    insert_from(
        Event, {**same, "move": "'change'", "changes": changes},
        "FROM roster_stage WHERE lead AND known AND differs <> '{}'", values,
    )  # fmt: skip


def insert_from(model: type[Model], columns: dict[str, str], rest: str, values: dict[str, Any]) -> None:
    """Insert rows of a query into the table of ``model``; columns that it does not give get their default."""
    values = dict(values)
    columns = dict(columns)
    for field in model._meta.local_concrete_fields:
        if field.column not in columns:
            columns[str(field.column)] = f"%(default_{field.column})s"
            values[f"default_{field.column}"] = field.get_db_prep_save(_default(field), connection)
    statement = sql.SQL("INSERT INTO {} ({}) SELECT ").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        text = statement.as_string(cursor.connection) + ", ".join(columns.values()) + " " + rest
        cursor.execute(text, values)


def _default(field: Any) -> Any:
    """Return what the column is given where nothing is said."""
    if field.has_default() or field.null or not field.has_db_default():
        return field.get_default()
    default = field.db_default
    return getattr(default, "value", default)
