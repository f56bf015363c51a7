"""Matching a roster with what is there, inside PostgreSQL: who is known, who is new, what differs.

The rows lie in a temporary table. A person is known by the ID number; else by name and telephone; else by name and
birth date in the same body; else by a name that only one holds in the body and in the roster; else by having belonged
to the body before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from weilu.lib.copying import copy_lines
from weilu.lib.crypto import encrypt_all, mask_name
from weilu.people.models import Appointment
from weilu.people.rosters.checking import BATCH, Entry, Problem

COLUMNS: dict[str, str] = {
    "row": "int", "fresh": "uuid", "name": "text", "pinyin": "text", "initials": "text", "parts": "text",
    "sex": "text", "birth_date": "date", "birth_day_known": "bool", "id_number": "bytea", "id_number_hash": "bytea",
    "id_tail_hash": "bytea", "phone": "bytea", "phone_hash": "bytea", "phone_tail_hash": "bytea", "ethnicity": "text",
    "education": "text", "joined_party_on": "date", "home_id": "uuid", "home_given": "bool", "work_id": "uuid",
    "organisation_id": "uuid", "place_id": "uuid", "since": "date", "note": "text", "post": "text", "rank": "text",
    "document": "text",
}  # fmt: skip
# What is found out: whose row it is, whether it is the person's first, what is new and what differs.
FOUND = (
    "person uuid, known bool NOT NULL DEFAULT false, lead bool NOT NULL DEFAULT false,"
    " again bool NOT NULL DEFAULT false, link uuid, moved bool NOT NULL DEFAULT false,"
    " differs text[] NOT NULL DEFAULT '{}', outcome text"
)
STAGE = (
    "CREATE TEMP TABLE roster_stage ("
    + ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    + f", {FOUND}) ON COMMIT DROP"
)
# Links of the roster's kind that hold today: who is what in which body. ``mine``: who is missing there leaves.
LINK = """
CREATE TEMP TABLE roster_link (id uuid, person uuid, organisation_id uuid, post text, name text, birth_date date,
 id_number_hash bytea, mine bool) ON COMMIT DROP
"""
MEMBERSHIPS = """
INSERT INTO roster_link
SELECT m.id, m.person_id, m.organisation_id, '', p.name, p.birth_date, p.id_number_hash, true
FROM people_membership m JOIN people_person p ON p.id = m.person_id JOIN orgs_organisation o ON o.id = m.organisation_id
JOIN orgs_place h ON h.id = o.place_id
WHERE m.kind = %(membership)s::text AND m.valid_from <= %(today)s::date
  AND (m.valid_to IS NULL OR m.valid_to > %(today)s::date)
  AND p.merged_into_id IS NULL AND o.jurisdiction_id = %(jurisdiction)s::uuid AND h.path LIKE %(path)s::text
"""
APPOINTMENTS = """
INSERT INTO roster_link
SELECT a.id, a.person_id, t.organisation_id, t.title, p.name, p.birth_date, p.id_number_hash, false
FROM people_appointment a JOIN people_person p ON p.id = a.person_id JOIN people_post t ON t.id = a.post_id
JOIN orgs_organisation o ON o.id = t.organisation_id JOIN orgs_place h ON h.id = o.place_id
WHERE a.valid_from <= %(today)s::date AND (a.valid_to IS NULL OR a.valid_to > %(today)s::date)
  AND p.merged_into_id IS NULL AND o.jurisdiction_id = %(jurisdiction)s::uuid AND h.path LIKE %(path)s::text
"""
BY_ID = """
UPDATE roster_stage s SET person = found.person, known = true
FROM (SELECT DISTINCT ON (p.id_number_hash) p.id_number_hash, COALESCE(p.merged_into_id, p.id) AS person
      FROM people_person p JOIN (SELECT DISTINCT id_number_hash FROM roster_stage WHERE id_number_hash <> '') h
        ON h.id_number_hash = p.id_number_hash
      WHERE p.jurisdiction_id = %(jurisdiction)s::uuid AND p.id_number_hash <> ''
      ORDER BY p.id_number_hash, p.merged_into_id NULLS FIRST) found
WHERE s.id_number_hash = found.id_number_hash AND s.id_number_hash <> ''
"""
# Each of these takes the one person that fits; where several do, the row is left for AMBIGUOUS.
FITS = """
(s.id_number_hash = '' OR p.id_number_hash = '') AND (s.birth_date IS NULL OR p.birth_date IS NULL
 OR date_trunc('month', s.birth_date) = date_trunc('month', p.birth_date))
"""
BY_PHONE = f"""
UPDATE roster_stage s SET person = found.person, known = true
FROM (SELECT s.row, (array_agg(p.id))[1] AS person FROM roster_stage s JOIN people_person p
        ON p.jurisdiction_id = %(jurisdiction)s::uuid AND p.phone_hash = s.phone_hash AND p.name = s.name
      WHERE s.person IS NULL AND s.phone_hash <> '' AND p.merged_into_id IS NULL AND {FITS}
      GROUP BY s.row HAVING count(*) = 1) found
WHERE s.row = found.row
"""  # noqa: S608  only texts of ours
BY_BIRTH = f"""
UPDATE roster_stage s SET person = found.person, known = true
FROM (SELECT s.row, (array_agg(DISTINCT p.person))[1] AS person FROM roster_stage s JOIN roster_link p
        ON p.organisation_id = s.organisation_id AND p.name = s.name
      WHERE s.person IS NULL AND s.birth_date IS NOT NULL AND p.birth_date IS NOT NULL AND {FITS}
      GROUP BY s.row HAVING count(DISTINCT p.person) = 1) found
WHERE s.row = found.row
"""  # noqa: S608
BY_NAME = f"""
UPDATE roster_stage s SET person = found.person, known = true
FROM (SELECT s.organisation_id, s.name, (array_agg(DISTINCT p.person))[1] AS person
      FROM roster_stage s JOIN roster_link p ON p.organisation_id = s.organisation_id AND p.name = s.name
      WHERE s.person IS NULL AND {FITS}
      GROUP BY s.organisation_id, s.name HAVING count(DISTINCT p.person) = 1
         AND count(DISTINCT s.id_number_hash) = 1 AND count(DISTINCT s.phone_hash) = 1
         AND count(DISTINCT s.birth_date) <= 1) found
WHERE s.person IS NULL AND s.organisation_id = found.organisation_id AND s.name = found.name
  AND NOT EXISTS (SELECT 1 FROM roster_stage o WHERE o.person = found.person)
"""  # noqa: S608
# Of the same name and telephone and born at another time: one of the two is wrong, or two share a telephone.
BORN_OTHERWISE = """
SELECT DISTINCT s.row FROM roster_stage s JOIN people_person p
  ON p.jurisdiction_id = %(jurisdiction)s::uuid AND p.phone_hash = s.phone_hash AND p.name = s.name
WHERE NOT s.known AND s.phone_hash <> '' AND s.id_number_hash = '' AND p.merged_into_id IS NULL
  AND date_trunc('month', s.birth_date) <> date_trunc('month', p.birth_date) ORDER BY s.row
"""
# Who left the body and comes back; and who was entered by mistake, stands nowhere, and lives where the body stands.
BY_PAST = f"""
UPDATE roster_stage s SET person = found.person, known = true
FROM (SELECT s.row, (array_agg(DISTINCT p.id))[1] AS person FROM roster_stage s
      JOIN orgs_organisation o ON o.id = s.organisation_id
      JOIN people_person p ON p.jurisdiction_id = %(jurisdiction)s::uuid AND p.name = s.name
      WHERE s.person IS NULL AND p.merged_into_id IS NULL AND {FITS} AND (
        EXISTS (SELECT FROM people_membership m WHERE m.person_id = p.id AND m.organisation_id = s.organisation_id)
        OR EXISTS (SELECT FROM people_appointment a JOIN people_post t ON t.id = a.post_id
                   WHERE a.person_id = p.id AND t.organisation_id = s.organisation_id)
        OR (p.home_id = o.place_id AND p.birth_date = s.birth_date
            AND NOT EXISTS (SELECT FROM people_membership m WHERE m.person_id = p.id)
            AND NOT EXISTS (SELECT FROM people_appointment a WHERE a.person_id = p.id)))
      GROUP BY s.row HAVING count(DISTINCT p.id) = 1) found
WHERE s.row = found.row AND NOT EXISTS (SELECT FROM roster_stage o WHERE o.person = found.person)
"""  # noqa: S608
# The rows of one new person: by ID number, else name and telephone, else name, birth and body, else name and body.
KEY = """
COALESCE(person::text, CASE WHEN id_number_hash <> '' THEN encode(id_number_hash, 'hex')
  WHEN phone_hash <> '' THEN name || encode(phone_hash, 'hex')
  ELSE name || '|' || COALESCE(birth_date::text, '') || '|' || organisation_id END)
"""
# Marked at once, as each statement writes all rows anew: the first row of each person, and rows that say what a row
# before them says.
NEW = f"""
UPDATE roster_stage s SET person = found.person, again = found.n > 1, lead = found.first
FROM (SELECT row, person, row_number() OVER (PARTITION BY person, organisation_id, post ORDER BY row) AS n,
        row = min(row) OVER (PARTITION BY person) AS first
      FROM (SELECT row, organisation_id, post,
              COALESCE(person, first_value(fresh) OVER (PARTITION BY {KEY} ORDER BY row)) AS person
            FROM roster_stage) named) found
WHERE s.row = found.row
"""  # noqa: S608
# Each new person gives the fields in which rows of one person contradict each other.
TWICE = ("name", "sex", "birth_date", "id_number_hash", "phone_hash", "ethnicity", "education", "joined_party_on")
FIELDS = {"id_number_hash": "id_number", "phone_hash": "phone"}
BLANK = {"birth_date": "NULL", "joined_party_on": "NULL", "id_number_hash": "''::bytea", "phone_hash": "''::bytea"}


@dataclass(frozen=True)
class Scope:
    """What the statements are asked for."""

    jurisdiction: UUID
    path: str
    today: Any
    membership: str
    held: Q
    becomes: str
    alone: bool

    @property
    def values(self) -> dict[str, Any]:
        return {
            "jurisdiction": self.jurisdiction, "path": self.path + "%", "today": self.today,
            "membership": self.membership,
        }  # fmt: skip


def ask(statement: str, values: dict[str, Any] | Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a statement that names its values; return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or {})
        return cursor.fetchall() if cursor.description else []


def fill(entries: Iterable[Entry]) -> None:
    """Make the stage and copy the rows into it."""
    ask("DROP TABLE IF EXISTS roster_stage, roster_link")
    # A sample of 6,000 rows says enough of a table whose rows are much alike.
    ask("SET LOCAL default_statistics_target = 20")
    ask(STAGE)
    rows = iter(entries)
    # By batches: while rows are copied the connection answers no questions, and checking them asks some.
    while batch := list(islice(rows, BATCH)):
        id_numbers = encrypt_all([entry.id_number for entry in batch])
        phones = encrypt_all([entry.phone for entry in batch])
        lines = map(Entry.line, batch, id_numbers, phones)
        copy_lines("roster_stage", list(COLUMNS), lines)
    for statement in (
        "CREATE INDEX ON roster_stage (row)",
        "CREATE INDEX ON roster_stage (person)",
        "ANALYZE roster_stage",
    ):
        ask(statement)


def match(scope: Scope) -> None:
    """Find who is known; the others become new persons, one for all of their rows."""
    ask(LINK)
    if scope.becomes == "post":
        ask(APPOINTMENTS, scope.values)
        held = Appointment.objects.filter(scope.held, post__organisation__place__path__startswith=scope.path)
        text, params = held.values("pk").query.sql_with_params()
        ask(f"UPDATE roster_link SET mine = true WHERE id IN ({text})", params)  # noqa: S608
    else:
        ask(MEMBERSHIPS, scope.values)
    ask("CREATE INDEX ON roster_link (organisation_id, name)")
    ask("CREATE INDEX ON roster_link (person)")
    ask("ANALYZE roster_link")
    for statement in (BY_ID, BY_PHONE, BY_BIRTH, BY_NAME, BY_PAST, NEW):
        ask(statement, scope.values)
    ask("ANALYZE roster_stage")


def contradictions(scope: Scope) -> Iterator[Problem]:
    """Yield what is wrong with rows beside each other and beside what is there."""
    for row, first, column in _twice():
        yield Problem(
            row, FIELDS.get(column, column),
            _("Row %(first)s is the same person and says otherwise here. Correct one of the two.") % {"first": first},
        )  # fmt: skip
    if scope.alone:
        rows = ask(
            "SELECT row, first FROM (SELECT row, min(row) OVER w AS first, organisation_id,"
            " first_value(organisation_id) OVER w AS there FROM roster_stage"
            " WINDOW w AS (PARTITION BY person ORDER BY row)) found WHERE organisation_id <> there"
        )
        for row, first in rows:
            yield Problem(
                row, "organisation",
                _("Row %(first)s is the same person in another body; here everybody stands in one.") % {"first": first},
            )  # fmt: skip
    if scope.becomes == "membership":
        rows = ask(
            "SELECT row, first FROM (SELECT row, min(row) OVER w AS first, place_id, first_value(place_id) OVER w"
            " AS there FROM roster_stage WINDOW w AS (PARTITION BY person, organisation_id ORDER BY row)) found"
            " WHERE place_id <> there"
        )
        for row, first in rows:
            yield Problem(
                row, "grid",
                _("Row %(first)s is the same person with another grid; in one community everybody has one.")
                % {"first": first},
            )  # fmt: skip
    for found in ask(
        "SELECT s.row, p.name FROM roster_stage s JOIN people_person p ON p.id = s.person AND s.known"
        " WHERE s.id_number_hash <> '' AND p.name <> s.name AND p.id_number_hash = s.id_number_hash"
    ):
        yield Problem(
            found[0], "name",
            _("Under this ID number another name is entered: %(name)s. Check both; a person who changed their name is corrected under “People”.")  # noqa: E501
            % {"name": mask_name(found[1])},
        )  # fmt: skip
    for found in ask(AMBIGUOUS, scope.values):
        yield Problem(
            found[0], "name", _("Several people of this name and telephone are entered. Give the ID number.")
        )  # fmt: skip
    for (row,) in ask(BORN_OTHERWISE, scope.values):
        yield Problem(
            row, "birth_date",
            _("A person of this name and telephone is entered with another date of birth. Correct it here or there; "
              "if it is somebody else, give the ID number."),
        )  # fmt: skip
    for row, first in ask(HALF_KNOWN):
        yield Problem(
            row, "id_number",
            _("Row %(first)s has the same name and telephone. If it is the same person, give the ID number in both; "
              "else correct the telephone.") % {"first": first},
        )  # fmt: skip

    for found in ask(SEVERAL_HERE):
        yield Problem(
            found[0], "name",
            _("Several people of this name belong to this body, and the row does not say which. Give the ID number in full."),  # noqa: E501
        )  # fmt: skip
    for row, first in ask(TWINS):
        yield Problem(
            row, "name",
            _("Row %(first)s has the same name in the same body, and nothing tells the two apart. Give the ID number, "
              "the telephone or the date of birth; if it is one person, remove one of the rows.") % {"first": first},
        )  # fmt: skip


def masked(rows: set[int]) -> Iterator[Problem]:
    """Yield the rows whose ID number is masked and that fit nobody who is entered: they would double somebody."""
    for found in ask(
        "SELECT row FROM roster_stage WHERE NOT known AND row = ANY(%(rows)s::int[]) ORDER BY row", {"rows": list(rows)}
    ):
        yield Problem(
            found[0], "id_number",
            _("The ID number is masked, and nobody is entered whom the row fits. Give it in full."),
        )  # fmt: skip


# Whom a row without an ID number may be, where several of its name stand in its body.
SEVERAL_HERE = f"""
SELECT s.row FROM roster_stage s JOIN roster_link p ON p.organisation_id = s.organisation_id AND p.name = s.name
WHERE NOT s.known AND s.id_number_hash = '' AND {FITS}
GROUP BY s.row HAVING count(DISTINCT p.person) > 1 ORDER BY s.row
"""  # noqa: S608
# Rows that say nothing but a name, where another row has the same name in the same body.
TWINS = """
SELECT s.row, min(o.row) FROM roster_stage s JOIN roster_stage o
  ON o.name = s.name AND o.organisation_id = s.organisation_id AND o.post = s.post AND o.row <> s.row
 AND o.place_id IS NOT DISTINCT FROM s.place_id
WHERE s.id_number_hash = '' AND s.phone_hash = '' AND s.birth_date IS NULL
  AND (o.row < s.row OR o.id_number_hash <> '' OR o.phone_hash <> '' OR o.birth_date IS NOT NULL)
GROUP BY s.row ORDER BY s.row
"""
AMBIGUOUS = f"""
SELECT s.row FROM roster_stage s JOIN people_person p
  ON p.jurisdiction_id = %(jurisdiction)s::uuid AND p.phone_hash = s.phone_hash AND p.name = s.name
WHERE NOT s.known AND s.id_number_hash = '' AND s.phone_hash <> '' AND p.merged_into_id IS NULL AND {FITS}
GROUP BY s.row HAVING count(*) > 1
"""  # noqa: S608
HALF_KNOWN = """
SELECT max(row), min(row) FROM roster_stage WHERE phone_hash <> '' AND NOT known
GROUP BY name, phone_hash HAVING count(DISTINCT person) > 1 AND bool_or(id_number_hash = '')
"""


def _twice() -> list[tuple[int, int, str]]:
    """Return rows that contradict the first of the same person: row, first row, column. Blank says nothing."""
    found = []
    for column in TWICE:
        blank = BLANK.get(column, "''")
        said = f"{column} IS NOT NULL" if blank == "NULL" else f"{column} <> {blank}"
        statement = (  # only names of ours
            f"SELECT s.row, f.row, '{column}' FROM roster_stage s JOIN ("  # noqa: S608
            f"SELECT DISTINCT ON (person) person, row, {column} FROM roster_stage WHERE {said} AND person IN"
            " (SELECT person FROM roster_stage GROUP BY person HAVING count(*) > 1) ORDER BY person, row) f"
            f" ON f.person = s.person AND f.row < s.row AND f.{column} <> s.{column}"
        )
        if blank != "NULL":
            statement += f" WHERE s.{column} <> {blank}"
        found += ask(statement)
    seen: dict[tuple[int, str], tuple[int, int, str]] = {}
    for row, first, column in found:
        seen.setdefault((row, column), (row, first, column))
    return sorted(seen.values())


def fill_first_rows() -> None:
    """Fill what the first row of each person leaves empty from the person's other rows."""
    for columns in FILLED:
        blank = "IS NULL" if columns[0] in ("birth_date", "joined_party_on", "work_id") else "= ''"
        given = ", ".join(f"{column} = o.{column}" for column in columns)
        ask(
            f"UPDATE roster_stage s SET {given} FROM roster_stage o WHERE s.lead AND NOT o.lead"  # noqa: S608
            f" AND o.person = s.person AND s.{columns[0]} {blank} AND NOT o.{columns[0]} {blank}"
        )


FILLED = (
    ("birth_date", "birth_day_known"), ("joined_party_on",), ("work_id",), ("sex",), ("ethnicity",), ("education",),
    ("id_number_hash", "id_number", "id_tail_hash"), ("phone_hash", "phone", "phone_tail_hash"),
)  # fmt: skip
