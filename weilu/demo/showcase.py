"""What stands open around the accounts that are shown, so that each finds work of every kind on the first look."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from random import Random

from weilu.demo.county import County
from weilu.demo.filing import COUNT, SEED, Filing
from weilu.demo.history import Story, Unfinished
from weilu.demo.plot import Filed
from weilu.demo.topics import draw_module, topics, wording
from weilu.orgs.models import Organisation, Place, User
from weilu.records.calendar import BEIJING, is_working_day

# Topic and which of its texts; where it lies; who has it; where it stands; raised how many working days ago.
# What was raised more days ago than its category allows is late.
SCENES = [
    # Nobody has them yet.
    *[("grid", "", "raised", *row) for row in (("street-lamp", 0, 1), ("rubbish", 1, 1), ("dogs", 0, 2))],
    *[("village", "", "raised", *row) for row in (("meals", 1, 1), ("neighbours", 0, 1), ("drain", 0, 7))],
    *[("township", "", "raised", *row) for row in (("pothole", 0, 1), ("bus", 1, 1), ("parking", 0, 2))],
    *[("township", "", "raised", *row) for row in (("after-school", 0, 2), ("public-toilet", 0, 6))],
    *[("county", "", "raised", *row) for row in (("training", 0, 1), ("reimburse", 0, 1), ("deed", 1, 2))],
    # Open orders of the member's branch, and what the member took.
    *[("grid", "branch", "ordered", *row) for row in (("medicine-run", 0, 1), ("haircut", 0, 1), ("rubbish", 0, 2))],
    *[("village", "branch", "ordered", *row) for row in (("haircut", 1, 2), ("drain", 0, 2), ("notice-board", 0, 3))],
    *[("village", "branch", "ordered", *row) for row in (("street-lamp", 1, 2), ("meals", 0, 9))],
    *[("grid", "branch", "under_way", *row) for row in (("medicine-run", 1, 2), ("haircut", 1, 3), ("rubbish", 2, 9))],
    ("village", "branch", "settled", "haircut", 0, 4),
    # The grid worker.
    *[("grid", "grid", "dispatched", *row) for row in (("rubbish", 0, 2), ("manhole", 0, 2), ("dogs", 1, 3))],
    *[("grid", "grid", "under_way", *row) for row in (("street-lamp", 2, 2), ("social-card", 1, 3), ("pests", 0, 8))],
    *[
        ("grid", "grid", state, *row)
        for state, row in (("asked", ("neighbours", 0, 3)), ("settled", ("rubbish", 1, 3)))
    ],
    # The community's office.
    *[("village", "committee", "dispatched", *row) for row in (("notice-board", 2, 2), ("neighbours", 2, 2))],
    *[
        ("village", "committee", "under_way", *row)
        for row in (("pension", 0, 3), ("neighbours", 1, 2), ("sewage", 0, 8))
    ],
    ("grid", "committee", "asked", "allowance", 0, 3),
    *[("grid", "committee", state, "night-noise", 0, 4) for state in ("settled", "reopened")],
    # The township's office.
    *[("township", "office", "dispatched", *row) for row in (("property-firm", 1, 2), ("deed", 0, 3))],
    *[("village", "office", "under_way", *row) for row in (("fees", 1, 2), ("roof-leak", 1, 3), ("fees", 0, 8))],
    ("village", "office", "settled", "property-firm", 0, 3),
    # The county department.
    *[("grid", "housing", "dispatched", *row) for row in (("manhole", 1, 2), ("falling-tiles", 0, 2))],
    *[("village", "housing", "dispatched", *row) for row in (("lift", 1, 3), ("drain", 1, 2))],
    *[("village", "housing", "under_way", *row) for row in (("roof-leak", 0, 4), ("charging", 0, 3), ("sewage", 1, 3))],
    *[("township", "housing", "under_way", *row) for row in (("street-lamp", 1, 6), ("water-pressure", 0, 2))],
    ("village", "housing", "asked", "roof-leak", 0, 3),
    ("village", "housing", "settled", "falling-tiles", 1, 3),
    *[("village", "housing", "returned", *row) for row in (("manhole", 0, 2), ("sewage", 0, 3))],
]


def showcase(county: County, filing: Filing) -> Iterator[Story]:
    """Yield the stories that are left where the accounts find them."""
    for number, scene in enumerate(SCENES):
        yield Scene(county, filing, number, *scene).tell()


def days_before(now: dt.datetime, count: int) -> dt.date:
    """Return the working day that lies ``count`` working days before the day of ``now``."""
    day = now.astimezone(BEIJING).date()
    while count:
        day -= dt.timedelta(days=1)
        count -= is_working_day(day)
    return day


class Scene:
    """One story, told quickly up to where it is left."""

    def __init__(
        self, county: County, filing: Filing, number: int, level: str, to: str, stop: str, topic: str, variant: int,
        back: int,
    ):  # fmt: skip
        self.county, self.filing, self.to, self.stop = county, filing, to, stop
        self.topic, self.variant = topics()[topic], variant
        self.rng = Random(f"{SEED}:scene:{number}")
        opened = dt.datetime.combine(days_before(filing.now, back), dt.time(8, 30), BEIJING)
        at = opened + dt.timedelta(minutes=self.rng.randint(0, 120), seconds=self.rng.randint(0, 59))
        draft = filing.draft(2 * COUNT + number + 1, self.topic, self._place(level), at, self.rng)
        draft.variant, draft.module = variant, draw_module(self.rng, self.topic, variant)
        self.slots = draft.slots
        self.filed = Filed(filing.matter(draft), self.topic, variant, draft.slots, None, "")
        self.story = Story(self.filed.matter, county, filing.now, stop)
        self.story.picture = self.topic.picture

    def _place(self, level: str) -> Place:
        community = self.county.community
        places = {"county": self.county.place, "township": self.county.town, "village": community}
        return places.get(level) or self.county.grids[community.pk][0]

    def tell(self) -> Story:
        """Tell it as far as it is to go."""
        with suppress(Unfinished):
            self.story.file(None)
            self._pass_on()
        return self.story

    def _soon(self) -> dt.datetime:
        return self.filing.hours.add(self.story.at, dt.timedelta(minutes=self.rng.randint(15, 100)))

    def _target(self) -> Organisation | Place:
        county, community = self.county, self.county.community
        targets: dict[str, Organisation | Place] = {
            "branch": county.branches[community.pk][0],
            "grid": county.grids[community.pk][0],
            "committee": county.committees[community.pk],
            "office": county.offices[county.town.pk][0],
            "housing": county.departments["housing"],
        }
        return targets[self.to]

    def _clerk(self) -> User:
        return self.county.shown["village" if self.filed.matter.village_id else "township"]

    def _pass_on(self) -> None:
        story, to = self.story, self._target()
        by = self.county.hands[to.pk][0]
        story.hand(self._soon(), to, self._clerk())
        if self.stop == "returned":
            story.give_back(self._soon(), by, self.rng.choice(wording()["return"]))
        story.begin(self._soon(), by)
        if self.stop == "asked":
            question, _answer = self.topic.question or self.rng.choice(wording()["question"])
            story.ask(self._soon(), by, question.format(**self.slots))
        self._end(by)

    def _end(self, by: User) -> None:
        outcome, public = self.topic.outcomes, self.topic.public
        at = self._soon()
        if by is self.county.shown["member"]:  # after work, on whatever day yesterday was
            at = (self.filing.now - dt.timedelta(days=1)).astimezone(BEIJING).replace(hour=19, minute=10)
        done, told = (texts[self.variant % len(texts)].format(**self.slots) for texts in (outcome, public))
        with suppress(Unfinished):
            self.story.settle(at, by, done, told, publish=True)
        if self.stop == "reopened":
            self.story.reopen(self._soon(), self.rng.choice(wording()["works"]["reopen"]))
        self.story.lapse()
