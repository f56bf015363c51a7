"""What the page of a body shows: the seats of its posts with all who held them, and its history in words."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from weilu.orgs.models import Organisation
from weilu.people.models import Appointment, Person, Post
from weilu.records.models import Event

SHOWN = 200

EVENTS: dict[str, str | Promise] = {
    "post_make": _lazy("Post made"),
    "post_change": _lazy("Post changed"),
    "post_close": _lazy("Post closed"),
    "appoint": _lazy("Appointed"),
    "appointment_end": _lazy("Appointment ended"),
    "appointment_undo": _lazy("Appointment taken back"),
}
COLUMNS: dict[str, str | Promise] = {
    "name": pgettext_lazy("of a place or body", "name"),
    "kind": _lazy("kind"),
    "place": _lazy("place"),
    "parent": _lazy("body above"),
    "phone": _lazy("office telephone"),
    "speciality": _lazy("speciality"),
    "credit_code": _lazy("unified social credit code"),
    "serves": _lazy("estate or address"),
    "aliases": _lazy("other names"),
    "valid_from": _lazy("valid from"),
}


@dataclass
class Seats:
    """A post with who holds it now, who will, and who did.

    Attributes:
        vacant: how many seats nobody holds today.
        elsewhere: other posts that its holders have today, by person.
    """

    post: Post
    now: list[Appointment] = field(default_factory=list)
    later: list[Appointment] = field(default_factory=list)
    past: list[Appointment] = field(default_factory=list)
    elsewhere: dict[UUID, list[Appointment]] = field(default_factory=dict)
    closed: bool = False

    @property
    def vacant(self) -> int:
        return max(0, self.post.strength - len(self.now))

    @property
    def holders(self) -> list[tuple[Appointment, list[Appointment]]]:
        """Who holds it today, each with their other posts."""
        return [(row, self.elsewhere.get(row.person_id, [])) for row in self.now]


def seats_of(body: Organisation) -> list[Seats]:
    """Return the posts of a body, in order, each with all its holders; three queries however many."""
    today = timezone.localdate()
    posts = {post.pk: Seats(post) for post in body.posts.order_by("position", "title")}
    rows = Appointment.objects.filter(post__in=posts).select_related("person").order_by("seat", "-valid_from")
    for row in rows:
        seats = posts[row.post_id]
        row.post = seats.post
        ended = row.valid_to is not None and row.valid_to <= today
        (seats.past if ended else seats.later if row.valid_from > today else seats.now).append(row)
    others = _other_posts({row.person_id for seats in posts.values() for row in seats.now}, body, today)
    for seats in posts.values():
        seats.elsewhere = others
        seats.closed = seats.post.valid_to is not None and seats.post.valid_to <= today
    return list(posts.values())


def _other_posts(people: set[UUID], body: Organisation, today: dt.date) -> dict[UUID, list[Appointment]]:
    """Return the posts that people hold in other bodies today."""
    rows = Appointment.objects.filter(person__in=people, valid_from__lte=today).exclude(valid_to__lte=today)
    found: dict[UUID, list[Appointment]] = defaultdict(list)
    for row in rows.exclude(post__organisation=body).select_related("post__organisation"):
        found[row.person_id].append(row)
    return found


@dataclass(frozen=True)
class Step:
    """One line of a body's history: what was done, from which day, when it was entered and by whom."""

    what: str
    detail: str
    day: dt.date | None
    at: dt.datetime
    by: str
    document: str = ""


def history_of(body: Organisation) -> list[Step]:
    """Return what became of a body and its posts, the newest first."""
    changes = body.changes.select_related("created_by")[:SHOWN]
    steps = [
        Step(
            str(change.get_kind_display()),
            _columns(change.columns) if change.kind != "begin" else "",
            change.day,
            change.created_at,
            change.created_by.name if change.created_by else "",
            change.document,
        )
        for change in changes
    ]
    events = list(Event.objects.filter(record_kind="organisation", record_id=body.pk).order_by("-at", "-id")[:SHOWN])
    names = _holders(events)
    steps += [_step(event, names) for event in events]
    return sorted(steps, key=lambda step: step.at, reverse=True)[:SHOWN]


def _holders(events: list[Event]) -> dict[str, str]:
    """Return who the events' appointments are of, by the appointment's id; one that was taken back is of nobody."""
    ids = {event.changes["appointment"] for event in events if "appointment" in event.changes}
    rows = Person.objects.filter(appointments__in=ids).values_list("appointments", "name")
    return {str(pk): name for pk, name in rows if str(pk) in ids}


def _step(event: Event, names: dict[str, str]) -> Step:
    changes: dict[str, Any] = event.changes
    day = changes.get("until") if event.move in ("appointment_end", "post_close") else changes.get("since")
    who = names.get(changes.get("appointment", ""), "")
    return Step(
        str(EVENTS.get(event.move, event.move)), " · ".join(part for part in (changes.get("post", ""), who) if part),
        dt.date.fromisoformat(day) if day else None, event.at, event.actor_name, changes.get("document", ""),
    )  # fmt: skip


def _columns(columns: dict[str, list[str]]) -> str:
    return "；".join(
        _("%(column)s: %(old)s → %(new)s") % {"column": COLUMNS.get(name, name), "old": old or "–", "new": new or "–"}
        for name, (old, new) in columns.items()
    )
