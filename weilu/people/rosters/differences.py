"""What a roster changes, for the preview: old and new value of each field, numbers masked."""

import datetime as dt
from typing import Any
from uuid import UUID

from weilu.lib.crypto import decrypt, mask_phone
from weilu.people.rosters.staging import ask

# Of each field of a change: the old and the new value.
PERSON = {
    "sex": ("p.sex", "s.sex"), "birth_date": ("p.birth_date", "s.birth_date"), "id_number": ("NULL", "s.id_number"),
    "phone": ("p.phone", "s.phone"), "ethnicity": ("p.ethnicity", "s.ethnicity"),
    "education": ("p.education", "s.education"), "joined_party_on": ("p.joined_party_on", "s.joined_party_on"),
    "home": ("ph.name", "sh.name"), "work": ("pw.name", "COALESCE(sw.name, s.work_id::text)"),
}  # fmt: skip
MEMBERSHIP = {
    "note": ("m.note", "s.note"), "since": ("m.valid_from", "s.since"), "grid": ("mg.name", "sg.name"),
    "organisation": ("lo.names", "s.organisation_id::text"),
}  # fmt: skip
APPOINTMENT = {
    "rank": ("m.rank", "s.rank"), "document": ("m.document", "s.document"), "since": ("m.valid_from", "s.since"),
}  # fmt: skip
ROWS = """
FROM (SELECT * FROM roster_stage WHERE outcome IN ('new', 'changed') AND (differs <> '{}' OR moved)
    AND NOT row = ANY(%(refused)s::int[])
  ORDER BY outcome, row LIMIT %(limit)s) s
LEFT JOIN people_person p ON p.id = s.person AND s.known
LEFT JOIN orgs_place ph ON ph.id = p.home_id LEFT JOIN orgs_place sh ON sh.id = s.home_id
LEFT JOIN orgs_organisation pw ON pw.id = p.work_id LEFT JOIN orgs_organisation sw ON sw.id = s.work_id
"""
OF_MEMBERSHIP = """
LEFT JOIN people_membership m ON m.id = s.link
LEFT JOIN orgs_place mg ON mg.id = m.place_id LEFT JOIN orgs_place sg ON sg.id = s.place_id
LEFT JOIN LATERAL (SELECT string_agg(b.name, '、') AS names FROM roster_link l
  JOIN orgs_organisation b ON b.id = l.organisation_id
  WHERE s.moved AND l.person = s.person AND l.organisation_id <> s.organisation_id) lo ON true
"""
BODIES = "SELECT id, name FROM orgs_organisation WHERE id IN (SELECT organisation_id FROM roster_stage)"
OF_APPOINTMENT = "LEFT JOIN people_appointment m ON m.id = s.link"
HEAD = "s.row, s.name, s.organisation_id, s.outcome, s.post"
PLAIN = """
FROM roster_stage s
WHERE s.outcome = 'new' AND s.differs = '{}' AND NOT s.moved AND NOT s.row = ANY(%(refused)s::int[])
ORDER BY s.row LIMIT %(limit)s
"""

Change = list[Any]


def changes(becomes: str, refused: list[int], made: dict[UUID, str], limit: int) -> list[Change]:
    """Return what is changed and then what is new: row, name, body, outcome, fields with old and new value, post.

    Args:
        made: names of bodies that are not written yet.
    """
    fields = PERSON | (APPOINTMENT if becomes == "post" else MEMBERSHIP)
    joins = OF_APPOINTMENT if becomes == "post" else OF_MEMBERSHIP
    columns = ", ".join(f"{old}, {new}" for old, new in fields.values())
    # Asked by themselves: the planner does not know yet how many rows there are, and would look row by row.
    bodies = {**dict(ask(BODIES)), **made}
    names = {str(pk): name for pk, name in bodies.items()}
    lines: list[Change] = []
    for row, name, body_id, outcome, post, differs, moved, day_known, *values in ask(
        f"SELECT {HEAD}, s.differs, s.moved, s.birth_day_known, {columns} {ROWS} {joins} ORDER BY s.outcome, s.row",
        {"refused": refused, "limit": limit},
    ):
        given = dict(zip(fields, zip(values[::2], values[1::2], strict=True), strict=True))
        keys = [*differs, *(["organisation"] if moved else [])]
        told = [[key, *(_shown(key, value, day_known, names) for value in given[key])] for key in keys if key in given]
        lines.append([row, name, bodies.get(body_id, ""), outcome, told, post])
    for row, name, body_id, outcome, post in ask(
        f"SELECT {HEAD} {PLAIN}", {"refused": refused, "limit": limit - len(lines)}
    ):
        lines.append([row, name, bodies.get(body_id, ""), outcome, [], post])
    return lines


def _shown(key: str, value: Any, day_known: bool, names: dict[str, str]) -> str:
    if value is None or value == "" or value == b"":
        return ""
    if key == "id_number":
        text = decrypt(value)
        return f"{text[:6]}********{text[-4:]}"
    if key == "phone":
        return mask_phone(decrypt(value))
    if key == "sex":
        return {"male": "男", "female": "女"}.get(value, "")
    if isinstance(value, dt.date):
        return f"{value:%Y.%m}" if key == "birth_date" and not day_known else value.isoformat()
    return names.get(value, value)
