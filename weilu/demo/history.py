"""The history of one matter, step by step, each as the services would have written it at the time."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from weilu.demo.county import County
from weilu.lib.ids import id_at
from weilu.matters.judging import EMPTY_RESULT
from weilu.matters.models import Matter
from weilu.matters.services import check_public
from weilu.matters.workflow import WORKFLOW
from weilu.orgs.models import Organisation, Place, User
from weilu.records.models import Event
from weilu.records.moves import THE_RESIDENT, THE_SYSTEM, Actor, permitted

NO_HANDLER = {"handler": None, "handler_grid": None, "taken_by": None}
NOTICE_DAYS = 30


class Unfinished(Exception):
    """The story goes no further: the rest lies in the future, or it was to stop here."""


@dataclass
class Notice:
    """A message to somebody, written once the matter has its number."""

    user: User
    kind: str
    at: dt.datetime


class Story:
    """One matter from being filed to where it stands now.

    Args:
        matter: as it was filed, without a state.
        now: nothing happens after it.
        stop: state at which the story is left, for what is to be seen there.
    """

    def __init__(self, matter: Matter, county: County, now: dt.datetime, stop: str = ""):
        self.matter, self.county, self.now, self.stop = matter, county, now, stop
        self.at, self.place, self.picture = matter.created_at, matter.place, ""
        self.events: list[Event] = []
        self.notices: list[Notice] = []
        self.into: Matter | None = None

    def _event(
        self, name: str, at: dt.datetime, before: str, actor: Actor, note: str, changes: dict[str, Any]
    ) -> Event:
        event = Event(
            id=id_at(at), jurisdiction_id=self.matter.jurisdiction_id, record_kind="matter", record_id=self.matter.pk,
            at=at, move=name, from_state=before, to_state=self.matter.state, actor=actor.user, actor_name=actor.name,
            note=note, changes=changes,
        )  # fmt: skip
        self.events.append(event)
        self.at = at
        return event

    def _tell(self, users: list[User], kind: str, by: User | None = None) -> None:
        if self.at < self.now - dt.timedelta(days=NOTICE_DAYS):
            return
        shown = self.county.shown
        self.notices += [
            Notice(user, kind, self.at) for user in users if user is not by and shown.get(user.username) is user
        ]

    def _move(
        self, name: str, at: dt.datetime, actor: Actor, *, note: str = "", columns: dict[str, Any] | None = None,
        changes: dict[str, Any] | None = None, target: str = "",
    ) -> None:  # fmt: skip
        """Make a move as :func:`weilu.records.moves.move` does, in memory and at the time given.

        Raises:
            Unfinished: it would lie in the future, or the state to stop at is reached.
            ValueError: the workflow does not allow it; the demo would tell an untrue story.
        """
        at = max(at, self.at + dt.timedelta(seconds=40))
        if at > self.now:
            raise Unfinished
        matter, step = self.matter, WORKFLOW.moves[name]
        if matter.state not in step.sources or not permitted(step, actor, matter, Matter.may):
            raise ValueError(f"{name} from {matter.state} by {actor.name or actor.kind} is not allowed")
        for column, value in (columns or {}).items():
            setattr(matter, column, value)
        if any(not getattr(matter, column) for column in step.needs) or (step.needs_note and not note):
            raise ValueError(f"{name} lacks what it needs")
        before, matter.state = matter.state, target or step.target or matter.state
        self._wind_clock(step.clock, at)
        matter.version += 1
        self._event(name, at, before, actor, note, changes or {}).open_to_resident = step.open_to_resident

    def _wind_clock(self, what: str, at: dt.datetime) -> None:
        if what == "pause":
            self.matter.pause_clock(at)
        elif what == "resume":
            self.matter.resume_clock(at)
        elif what == "stop":
            self.matter.stop_clock()

    def _leave(self, state: str = "") -> None:
        """Leave the story here, if here is where it was to stop."""
        if self.stop and (state or self.matter.state) == self.stop:
            raise Unfinished

    # The verbs, as in weilu.matters.services.

    def file(self, by: User | None) -> None:
        """The first event, and the clock's start."""
        self.matter.state = "raised"
        self.matter.start_clock(self.matter.category.days, self.matter.created_at)
        actor = Actor.account(by) if by else THE_RESIDENT
        self._event("file", self.at, "", actor, "", {"channel": str(self.matter.channel)})
        self._leave("raised")

    def hand(self, at: dt.datetime, to: Organisation | Place, by: User) -> None:
        """Hand it over; to a branch or a team as an order."""
        order = isinstance(to, Organisation) and to.kind in (Organisation.Kind.BRANCH, Organisation.Kind.VOLUNTEERS)
        columns = {**NO_HANDLER, "handler_grid" if isinstance(to, Place) else "handler": to}
        name = "order" if order else "dispatch"
        self._move(name, at, Actor.account(by), columns=columns, changes={"to": str(to)})
        self._tell(self.county.hands[to.pk], "ordered" if order else "dispatched", by)
        self._leave()

    def transfer(self, at: dt.datetime, place: Place, by: User, note: str) -> None:
        """Send it to the clerks of another place."""
        self._move("transfer", at, Actor.account(by), note=note, columns=NO_HANDLER, changes={"to": str(place)})
        self.matter.set_place(place)
        self._tell(self.county.desks[place.pk], "transferred", by)

    def decline(self, at: dt.datetime, by: User, note: str) -> None:
        self._move("decline", at, Actor.account(by), note=note)
        self._leave()

    def merge(self, at: dt.datetime, by: User, into: Matter) -> None:
        """Merge it; the other's number goes into the event once there is one."""
        self._move("merge", at, Actor.account(by), columns={"merged_into": into})
        self.into = into
        self._leave()

    def begin(self, at: dt.datetime, by: User) -> None:
        """Sign for it, or take the order."""
        if self.matter.state == "ordered":
            self._move("take", at, Actor.account(by), columns={"taken_by": by})
        else:
            self._move("start", at, Actor.account(by))
        self._leave()

    def progress(self, at: dt.datetime, by: User, note: str) -> None:
        self._move("progress", at, Actor.account(by), note=note)

    def give_back(self, at: dt.datetime, by: User, note: str) -> None:
        """Give it back to whoever handed it over."""
        sender = next(event.actor for event in reversed(self.events) if event.move in ("dispatch", "order"))
        self._move("return", at, Actor.account(by), note=note, columns=NO_HANDLER)
        self._tell([sender] if sender else [], "returned", by)
        self._leave("returned")

    def ask(self, at: dt.datetime, by: User, note: str) -> None:
        self._move("ask", at, Actor.account(by), note=note)
        self._leave()

    def answer(self, at: dt.datetime, note: str) -> None:
        asked = next(event for event in reversed(self.events) if event.move == "ask")
        self._move("answer", at, THE_RESIDENT, note=note, target=asked.from_state)
        self._tell([asked.actor] if asked.actor else [], "answered")
        self._leave("answered")

    def settle(self, at: dt.datetime, by: User, outcome: str, public: str, publish: bool) -> None:
        """Settle it, with what the resident and what everybody may read."""
        matter, at = self.matter, max(at, self.at + dt.timedelta(seconds=40))
        check_public(public, matter)
        rules = matter.jurisdiction
        columns = {
            "outcome": outcome, "public_outcome": public, "published": publish, "settled_at": at,
            "settled_late": bool(matter.due_at and matter.due_at < at),
            "rate_until": at + dt.timedelta(days=rules.rate_days),
            "reopen_until": at + dt.timedelta(days=rules.reopen_days),
            "public_title": f"{matter.module.name} · {matter.category.name}",
        }  # fmt: skip
        self._move("settle", at, Actor.account(by), note=outcome, columns=columns, changes={"published": publish})
        self._leave()

    def _who_settled(self) -> list[User]:
        settled = next(event for event in reversed(self.events) if event.move == "settle")
        return [settled.actor] if settled.actor else []

    def rate(self, at: dt.datetime, rating: int, comment: str) -> None:
        columns = {"rating": rating, "rating_comment": comment, "rated_at": at}
        self._move("rate", at, THE_RESIDENT, note=comment, columns=columns, changes={"rating": rating})
        self._tell(self._who_settled(), "rated")
        self._leave()

    def lapse(self) -> None:
        """The time to rate is over."""
        until = self.matter.rate_until
        if until is None or until >= self.now:
            raise Unfinished
        self._move("lapse", min(until + dt.timedelta(minutes=2), self.now), THE_SYSTEM)
        self._leave()

    def reopen(self, at: dt.datetime, note: str) -> None:
        people, matter = self._who_settled(), self.matter
        self._move("reopen", at, THE_RESIDENT, note=note, columns={**EMPTY_RESULT, "reopened_at": at})
        matter.start_clock(matter.category.days, at)
        self._tell(people, "reopened")
        self._leave("reopened")
