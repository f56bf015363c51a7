"""What the page of a body shows: the seats of its posts with all who held them, and its history in words."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from weilu.orgs.models import Organisation
from weilu.people.models import Appointment, Membership, Person, Post
from weilu.records.models import Event

SHOWN = 200

EVENTS: dict[str, str | Promise] = {
    "post_make": _lazy("Post made"),
    "post_change": _lazy("Post changed"),
    "post_close": _lazy("Post closed"),
    "appoint": _lazy("Appointed"),
    "appointment_end": _lazy("Appointment ended"),
    "appointment_undo": _lazy("Appointment taken back"),
    "appointment_end_undo": _lazy("Dismissal taken back"),
    "member_join": _lazy("Joined"),
    "member_leave": _lazy("Left"),
    "member_join_undo": _lazy("Joining taken back"),
}
# Of what was taken back only the event is left, or an appointment that goes on.
UNDONE = {"appointment_undo", "appointment_end_undo", "member_join_undo"}
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
    def former(self) -> list[tuple[Appointment, bool]]:
        """Who held it, each with whether their end can be taken back: nobody holds the seat or the post since."""
        held = self.now + self.later
        busy = {row.seat for row in held}
        people = {row.person_id for row in held}
        found = []
        for row in sorted(self.past, key=lambda row: row.valid_to or dt.date.max, reverse=True):
            free = row.seat <= self.post.strength and row.seat not in busy and row.person_id not in people
            found.append((row, not self.closed and free))
            busy.add(row.seat)
        return found

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
    """One line of a body's history: what became of it, from which day; when it was entered and by whom, if known."""

    what: str
    detail: str
    day: dt.date
    at: dt.datetime | None = None
    by: str = ""
    document: str = ""


def history_of(body: Organisation) -> list[Step]:
    """Return what became of a body, its posts and who held them, the latest day first."""
    events = list(Event.objects.filter(record_kind="organisation", record_id=body.pk).order_by("-at", "-id")[:SHOWN])
    steps = [
        Step(
            str(change.get_kind_display()),
            _columns(change.columns) if change.kind != "begin" else "",
            change.day,
            change.created_at,
            change.created_by.name if change.created_by else "",
            change.document,
        )
        for change in body.changes.select_related("created_by")[:SHOWN]
    ]
    steps += _of_posts(events) + _of_appointments(body, events)
    return sorted(steps, key=lambda step: step.day, reverse=True)[:SHOWN]


def _of_posts(events: list[Event]) -> list[Step]:
    """What was done to posts, who joined and left, and what was taken back: of that only the event is left."""
    keys = [event.changes["membership"] for event in events if event.changes.get("membership")]
    names = {str(row.pk): row.person.name for row in Membership.objects.filter(pk__in=keys).select_related("person")}
    people = [event.changes["person"] for event in events if event.move in UNDONE and event.changes.get("person")]
    undone = {str(pk): name for pk, name in Person.objects.filter(pk__in=people).values_list("pk", "name")}
    return [
        Step(
            str(EVENTS[event.move]),
            _of_post(event, undone) or _as_what(event, names),
            dt.date.fromisoformat(_when(event)),
            event.at,
            event.actor_name,
        )
        for event in events
        if event.move in EVENTS and event.move not in ("appoint", "appointment_end")
    ]


def _of_post(event: Event, undone: dict[str, str]) -> str:
    """Return the post that an event is about; of an appointment that was taken back also whose it was and from when."""
    parts = [event.changes.get("post", ""), undone.get(event.changes.get("person", ""), "")]
    if event.move in UNDONE:
        parts.append(event.changes.get("until" if event.move == "appointment_end_undo" else "since", ""))
    return " · ".join(part for part in parts if part)


def _when(event: Event) -> str:
    """Return the day of which an event speaks; what was taken back was so on the day it was done."""
    if event.move in UNDONE:
        return _day(event)
    return event.changes.get("until") or event.changes.get("since") or _day(event)


def _as_what(event: Event, names: dict[str, str]) -> str:
    kind = event.changes.get("kind", "")
    label = str(Membership.Kind(kind).label) if kind in Membership.Kind.values else ""
    return " · ".join(part for part in (label, names.get(event.changes.get("membership", ""), "")) if part)


def _day(event: Event) -> str:
    return timezone.localtime(event.at).date().isoformat()


def _of_appointments(body: Organisation, events: list[Event]) -> list[Step]:
    """Who came and who went: the appointments say it, the events who entered it."""
    entered = {(event.move, event.changes.get("appointment")): event for event in reversed(events)}
    rows = Appointment.objects.filter(post__organisation=body).select_related("post", "person")
    steps = []
    for row in rows.order_by("-valid_from", "-id")[:SHOWN]:
        for move, day in (("appoint", row.valid_from), ("appointment_end", row.valid_to)):
            if day is not None:
                event = entered.get((move, str(row.pk)))
                document = row.document if move == "appoint" else event.changes.get("document", "") if event else ""
                what, detail = str(EVENTS[move]), f"{row.post} · {row.person}"
                at, by = (event.at, event.actor_name) if event else (None, "")
                steps.append(Step(what, detail, day, at, by, document))
    return steps


def _columns(columns: dict[str, list[str]]) -> str:
    return "；".join(
        _("%(column)s: %(old)s → %(new)s") % {"column": COLUMNS.get(name, name), "old": old or "–", "new": new or "–"}
        for name, (old, new) in columns.items()
    )
