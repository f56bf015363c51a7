"""Posts of a roster: made where they are missing, filled seat by seat; who is missing from it gives theirs up."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from weilu.lib.copying import copy_rows
from weilu.orgs.models import Organisation, User
from weilu.people.appointments import AppointmentError, end_appointment, give_grant, may_give, take_back
from weilu.people.models import Appointment, Post
from weilu.people.rosters.checking import Problem
from weilu.people.rosters.staging import Scope, ask
from weilu.records.models import Event

DIFFERS = """
UPDATE roster_stage s SET differs = differs || array_remove(ARRAY[
  CASE WHEN s.rank <> '' AND s.rank <> a.rank THEN 'rank' END,
  CASE WHEN s.document <> '' AND s.document <> a.document THEN 'document' END,
  CASE WHEN s.since IS NOT NULL AND s.since <> a.valid_from AND NOT EXISTS (
    SELECT 1 FROM people_appointment o WHERE o.post_id = a.post_id AND (o.person_id = a.person_id OR o.seat = a.seat)
      AND o.id <> a.id AND o.valid_to > s.since) THEN 'since' END], NULL)
FROM people_appointment a WHERE a.id = s.link AND NOT s.again
"""
CHANGE = """
UPDATE people_appointment a SET
  rank = CASE WHEN 'rank' = ANY(s.differs) THEN s.rank ELSE a.rank END,
  document = CASE WHEN 'document' = ANY(s.differs) THEN s.document ELSE a.document END,
  valid_from = CASE WHEN 'since' = ANY(s.differs) THEN s.since ELSE a.valid_from END
FROM roster_stage s WHERE s.link = a.id AND NOT s.again AND s.differs && ARRAY['rank', 'document', 'since']
"""
# Titles that lead a body, for posts that a roster makes.
LEADS = ("书记", "主任", "局长", "部长", "镇长", "乡长", "院长", "校长", "理事长", "会长", "站长", "所长")


@dataclass
class Seating:
    """Seats the people of a roster.

    Attributes:
        ending: ids of appointments that end today.
        posts: (body, title) -> post, there or new.
        new: posts to write.
        raised: posts whose strength grows.
        rows: appointments to write.
    """

    scope: Scope
    by: User | None
    ending: set[UUID]
    bodies: dict[UUID, Organisation] = field(default_factory=dict)
    posts: dict[tuple[UUID, str], Post] = field(default_factory=dict)
    new: list[Post] = field(default_factory=list)
    raised: dict[UUID, Post] = field(default_factory=dict)
    rows: list[Appointment] = field(default_factory=list)

    def plan(self, made: Iterable[Organisation]) -> Iterator[Problem]:
        """Find posts and seats for the rows that are not seated yet; yield what cannot be."""
        found = ask(
            "SELECT row, person, organisation_id, post, since, rank, document FROM roster_stage"
            " WHERE link IS NULL AND NOT again ORDER BY row"
        )
        wanted: dict[tuple[UUID, str], list[tuple[Any, ...]]] = defaultdict(list)
        for line in found:
            wanted[line[2], line[3]].append(line)
        self._load(wanted, made)
        for key, lines in wanted.items():
            yield from self._seat(key, lines)

    def _load(self, wanted: Iterable[tuple[UUID, str]], made: Iterable[Organisation]) -> None:
        ids = {body for body, _title in wanted}
        self.bodies = {body.pk: body for body in made}
        self.bodies |= Organisation.objects.select_related("place").in_bulk(ids - set(self.bodies))
        rows = Post.objects.filter(organisation__in=ids, valid_to=None).select_related("organisation__place")
        self.posts = {(post.organisation_id, post.title): post for post in rows}
        held = Appointment.objects.filter(post__in=[post.pk for post in self.posts.values()]).select_related("person")
        self.held: dict[UUID, list[Appointment]] = defaultdict(list)
        for row in held.order_by("valid_from"):
            self.held[row.post_id].append(row)
        self.position: dict[UUID, int] = defaultdict(int)

    def _seat(self, key: tuple[UUID, str], lines: list[tuple[Any, ...]]) -> Iterator[Problem]:
        post = self.posts.get(key) or self._make(key, len(lines))
        try:
            may_give(self.by, post)
        except AppointmentError as error:
            yield Problem(lines[0][0], "post", error.message)
            return
        today = self.scope.today
        sitting = {
            row.seat: row for row in self.held[post.pk] if not row.valid_to or row.valid_to > today
            if row.pk not in self.ending
        }  # fmt: skip
        if len(sitting) + len(lines) > post.strength:
            staying = [row for row in sitting.values() if row.pk not in self._in_roster]
            if staying:
                names = "、".join(row.person.name for row in staying[:3])
                yield Problem(
                    lines[0][0], "post",
                    _("The post “%(post)s” is held by %(names)s, who is not in this roster. End those who are missing "
                      "from it, or end that appointment first.") % {"post": post, "names": names},
                )  # fmt: skip
                return
            post.strength = len(sitting) + len(lines)
            if not post._state.adding:
                self.raised[post.pk] = post
        free = (seat for seat in range(1, post.strength + 1) if seat not in sitting)
        for line in lines:
            self.rows.append(self._appointment(post, next(free), line))

    @property
    def _in_roster(self) -> set[UUID]:
        if not hasattr(self, "_linked"):
            self._linked = {row[0] for row in ask("SELECT link FROM roster_stage WHERE link IS NOT NULL")}
        return self._linked

    def _make(self, key: tuple[UUID, str], strength: int) -> Post:
        body, title = self.bodies[key[0]], key[1]
        self.position[body.pk] += 1
        post = Post(
            jurisdiction_id=body.jurisdiction_id, organisation=body, title=title, strength=strength,
            position=self.position[body.pk], leads=title.endswith(LEADS) and not title.startswith("副"),
            valid_from=body.valid_from,
        )  # fmt: skip
        self.posts[key] = post
        self.new.append(post)
        return post

    def _appointment(self, post: Post, seat: int, line: tuple[Any, ...]) -> Appointment:
        """Return the appointment of a row; it begins when those before it on the seat, and of the person, are over."""
        _row, person, _body, _title, since, rank, document = line
        today: dt.date = self.scope.today
        begins = since or today
        for row in self.held[post.pk]:
            if row.seat == seat or row.person_id == person:
                over = today if row.pk in self.ending else row.valid_to
                begins = max(begins, over) if over and over <= today else begins
        return Appointment(
            jurisdiction_id=post.jurisdiction_id, post=post, person_id=person, seat=seat, rank=rank,
            document=document, valid_from=begins,
        )  # fmt: skip

    def write(self) -> None:
        """End, make and fill."""
        self._end()
        ask(CHANGE)
        copy_rows(Post, self.new)
        Post.objects.bulk_update(self.raised.values(), ["strength"], batch_size=500)
        copy_rows(Appointment, self.rows)
        copy_rows(Event, (self._event(row) for row in self.rows))
        with_role = [row.pk for row in self.rows if row.post.role]
        found = Appointment.objects.filter(pk__in=with_role, person__user__isnull=False)
        for row in found.select_related("post__organisation__place", "person__user"):
            give_grant(row)

    def _end(self) -> None:
        today = self.scope.today
        rows = Appointment.objects.filter(pk__in=self.ending)
        for row in rows.filter(Q(valid_from__gte=today)).select_related("post"):
            take_back(row, by=self.by)
        for row in rows.filter(valid_from__lt=today).select_related("post"):
            end_appointment(row, by=self.by, on=today)

    def _event(self, row: Appointment) -> Event:
        return Event(
            jurisdiction_id=row.jurisdiction_id, record_kind="organisation", record_id=row.post.organisation_id,
            move="appoint", actor=self.by, actor_name=self.by.name if self.by else "", open_to_resident=False,
            changes={
                "post": row.post.title, "appointment": str(row.pk), "seat": str(row.seat),
                "since": row.valid_from.isoformat(), "until": "",
            },
        )  # fmt: skip
