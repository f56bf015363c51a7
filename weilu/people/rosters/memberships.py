"""Memberships of a roster: who joins, who moves, who is missing from it."""

from typing import Any

from weilu.people.models import Membership
from weilu.people.rosters.persons import insert_from
from weilu.people.rosters.staging import Scope, ask

# What a roster says of a membership that is there, where it says it.
DIFFERS = """
UPDATE roster_stage s SET differs = differs || array_remove(ARRAY[
  CASE WHEN s.place_id IS NOT NULL AND s.place_id IS DISTINCT FROM m.place_id THEN 'grid' END,
  CASE WHEN s.note <> '' AND s.note <> m.note THEN 'note' END,
  CASE WHEN s.since IS NOT NULL AND s.since <> m.valid_from AND NOT EXISTS (
    SELECT 1 FROM people_membership o WHERE o.person_id = m.person_id AND o.organisation_id = m.organisation_id
      AND o.kind = m.kind AND o.id <> m.id AND o.valid_to > s.since) THEN 'since' END], NULL)
FROM people_membership m WHERE m.id = s.link AND NOT s.again
"""
CHANGE = """
UPDATE people_membership m SET
  place_id = CASE WHEN 'grid' = ANY(s.differs) THEN s.place_id ELSE m.place_id END,
  note = CASE WHEN 'note' = ANY(s.differs) THEN s.note ELSE m.note END,
  valid_from = CASE WHEN 'since' = ANY(s.differs) THEN s.since ELSE m.valid_from END
FROM roster_stage s WHERE s.link = m.id AND NOT s.again AND s.differs && ARRAY['grid', 'note', 'since']
"""
# A membership that ends on the day it began never was.
GONE = "DELETE FROM people_membership WHERE id = ANY(%(ids)s::uuid[]) AND valid_from >= %(today)s::date"
ENDED = """
UPDATE people_membership SET valid_to = %(today)s::date
WHERE id = ANY(%(ids)s::uuid[]) AND valid_from < %(today)s::date
"""
# Who comes back begins when they left at the earliest. Asked once for all: asked row by row of a table that fills
# while it is asked, it takes a minute.
BEFORE = """
FROM roster_stage s LEFT JOIN (SELECT person_id, organisation_id, max(valid_to) AS until FROM people_membership
  WHERE kind = %(membership)s::text AND valid_to <= %(today)s::date GROUP BY person_id, organisation_id) o
  ON o.person_id = s.person AND o.organisation_id = s.organisation_id
WHERE s.link IS NULL AND NOT s.again
"""


def link(scope: Scope) -> None:
    """Find for each row the membership or appointment that is there already, and who stood elsewhere until now."""
    ask(
        "UPDATE roster_stage s SET link = l.id FROM roster_link l"
        " WHERE l.person = s.person AND l.organisation_id = s.organisation_id AND l.post = s.post"
        if scope.becomes == "post"
        else "UPDATE roster_stage s SET link = l.id FROM roster_link l"
        " WHERE l.person = s.person AND l.organisation_id = s.organisation_id"
    )
    if scope.alone:
        ask(
            "UPDATE roster_stage s SET moved = true FROM roster_link l"
            " WHERE l.person = s.person AND s.link IS NULL AND l.organisation_id <> s.organisation_id"
        )


def settle() -> None:
    """Say of each row whether it is new, changed or as it was."""
    ask(
        "UPDATE roster_stage SET outcome = CASE WHEN again THEN 'same' WHEN link IS NULL AND moved THEN 'changed'"
        " WHEN link IS NULL THEN 'new' WHEN differs <> '{}' THEN 'changed' ELSE 'same' END"
    )


def leaving(scope: Scope) -> list[tuple[Any, str, str, str]]:
    """Return the links of those who are missing from the roster: id, name, body, post."""
    moved = "AND NOT EXISTS (SELECT 1 FROM roster_stage s WHERE s.person = l.person)" if scope.alone else ""
    return ask(
        "SELECT l.id, l.name, o.name, l.post FROM roster_link l JOIN orgs_organisation o ON o.id = l.organisation_id"  # noqa: S608
        f" WHERE l.mine AND NOT EXISTS (SELECT 1 FROM roster_stage s WHERE s.link = l.id) {moved}"
        " ORDER BY o.name, l.name"
    )


def write(scope: Scope, *, end: list[Any]) -> None:
    """Enter memberships, change those that differ, end those that moved and those in ``end``."""
    moved = ask(
        "SELECT l.id FROM roster_link l JOIN roster_stage s ON s.person = l.person AND s.moved"
        " WHERE l.organisation_id <> s.organisation_id"
    )
    values = {**scope.values, "ids": [row[0] for row in moved] + end}
    for statement in (GONE, ENDED):
        ask(statement, values)
    ask(CHANGE)
    insert_from(
        Membership,
        {
            "id": "s.fresh", "jurisdiction_id": "%(jurisdiction)s::uuid", "person_id": "s.person",
            "organisation_id": "s.organisation_id",
            "kind": "%(membership)s::text", "place_id": "s.place_id", "note": "s.note",
            "valid_from": "GREATEST(COALESCE(s.since, %(today)s::date), o.until)",
        },
        BEFORE,
        scope.values,
    )  # fmt: skip
