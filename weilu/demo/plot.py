"""How matters usually go in the demo county: who does what next, and how long it takes."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from weilu.demo.county import County
from weilu.demo.history import Story, Unfinished
from weilu.demo.topics import Topic, wording
from weilu.matters.models import Matter
from weilu.orgs.models import Organisation, Place, User
from weilu.records.calendar import BEIJING, WorkingHours

Target = Organisation | Place
# What is built, mended or cleaned; the rest is talked over.
WORKS = {"public_works", "traffic", "environment", "urban_rural", "farming"}
LEGAL = {"disputes", "labour"}
# The department that has a matter of a category when nothing lower is known or able.
DEFAULT_DEPARTMENT = {
    "urban_rural": "housing", "traffic": "transport", "environment": "ecology", "labour": "labour",
    "education": "education", "commerce": "market", "health": "health", "public_works": "housing",
    "farming": "farming", "civil_affairs": "civil", "disputes": "justice", "other": "civil",
}  # fmt: skip
RATINGS = {"good": (2, 2, 6, 31, 59), "late": (9, 12, 22, 32, 25), "again": (8, 10, 22, 35, 25)}


@dataclass(frozen=True)
class Filed:
    """A matter that was raised, before anything happened to it."""

    matter: Matter
    topic: Topic
    variant: int
    slots: dict[str, str]
    by: User | None
    seed: str
    duplicate_of: Matter | None = None


class Pace:
    """Draws the moments at which people act: offices in working hours, others while awake."""

    def __init__(self, rng: Random, hours: WorkingHours):
        self.rng, self.hours = rng, hours

    def office(self, at: dt.datetime, median: float, limit: float = 400) -> dt.datetime:
        """A moment in working hours, about ``median`` working hours after ``at``."""
        amount = min(median * self.rng.lognormvariate(0, 0.7), limit)
        return self.hours.add(at, dt.timedelta(hours=amount))

    def awake(self, at: dt.datetime, median: float, limit: float = 400) -> dt.datetime:
        """A moment between breakfast and bedtime on any day, about ``median`` hours after ``at``."""
        moment = at + dt.timedelta(hours=min(median * self.rng.lognormvariate(0, 0.8), limit))
        local = moment.astimezone(BEIJING)
        if 7 <= local.hour < 22:
            return moment
        morning = local.replace(hour=7, minute=20) + dt.timedelta(days=local.hour >= 22)
        return morning + dt.timedelta(minutes=self.rng.randint(0, 150))


class Plot:
    """Tells one story; all its chances come from the matter's own seed, so that one story never changes another."""

    def __init__(self, filed: Filed, story: Story, county: County):
        self.filed, self.story, self.county = filed, story, county
        self.matter, self.topic = filed.matter, filed.topic
        story.picture = filed.topic.picture
        self.rng = Random(filed.seed)
        self.pace = Pace(self.rng, self.matter.hours)
        self.praise = self.matter.module.code == "praise"
        self.limit = self.matter.category.days * 8

    def tell(self) -> Story:
        """Tell it up to now."""
        with suppress(Unfinished):
            self.story.file(self.filed.by)
            original = self.filed.duplicate_of
            if original and original.state != "declined":
                self._merge(original)
            elif self.rng.random() < 0.035 and not self.praise:
                self._decline()
            else:
                self._round()
                self._reopen()
        return self.story

    # Places and people.

    def clerk(self) -> User:
        """Somebody who triages at the matter's place."""
        matter, desks = self.matter, self.county.desks
        places = [place for place in (matter.village, matter.township) if place]
        place = self.rng.choices(places, (3, 2)[: len(places)])[0] if places else matter.county
        return self.rng.choice(desks[place.pk])

    def target(self, not_to: Target | None = None) -> Target:
        """Somebody who can do it: what the topic asks for, as far as the place has it."""
        wanted = self.rng.choices(self.topic.hands, (5, 2, 1.5, 1)[: len(self.topic.hands)])
        names = [*wanted, *self.topic.hands, "office", DEFAULT_DEPARTMENT[self.topic.category], "urban", "civil"]
        for name in names:
            for found in self._bodies(name):
                if self.county.hands.get(found.pk) and found is not not_to:
                    return found
        raise LookupError(f"nobody can do {self.topic.code}")

    def _bodies(self, name: str) -> list[Target]:
        county, matter = self.county, self.matter
        village, township = matter.village_id, matter.township_id
        if name == "committee":
            return [county.committees[village]] if village else []
        if name == "grid":
            return [matter.grid] if matter.grid else []
        if name == "branch":
            return self.rng.sample(county.branches[village], len(county.branches[village])) if village else []
        if name == "volunteers":
            return self.rng.sample(county.teams[township], len(county.teams[township])) if township else []
        if name in ("office", "service"):
            return [county.offices[township][name == "service"]] if township else []
        return [county.departments[name]]

    def words(self, texts: list[str]) -> str:
        return self.rng.choice(texts).format(**self.filed.slots)

    def usual(self, what: str) -> list:
        """What is said of matters like this one."""
        return wording()["works"][what] if self.topic.category in WORKS else wording()[what]

    def of_variant(self, texts: list[str]) -> str:
        """The text that belongs to what the resident wrote."""
        return texts[self.filed.variant % len(texts)].format(**self.filed.slots)

    # What happens.

    def _merge(self, into: Matter) -> None:
        self.story.merge(self.pace.office(self.story.at, 3, 16), self.clerk(), into)

    def _decline(self) -> None:
        texts = wording()["decline"] + (wording()["decline_legal"] if self.topic.category in LEGAL else [])
        self.story.decline(self.pace.office(self.story.at, 4, 20), self.clerk(), self.words(texts))

    def _round(self, again: bool = False) -> None:
        """From a clerk's desk to the resident's rating."""
        to = self._hand_over()
        by = self._work(to)
        self._settle(by, again)
        self._judge(again)

    def _hand_over(self) -> Target:
        clerk, story = self.clerk(), self.story
        township = self.matter.township
        if township and self.matter.village_id and self.rng.random() < 0.03:
            clerk = self.rng.choice(self.county.desks[self.matter.village_id])
            reason = self.words(wording()["transfer"])
            story.transfer(self.pace.office(story.at, 2, 12), township, clerk, reason)
            clerk = self.clerk()
        to = self.target()
        story.hand(self.pace.office(story.at, 2, 14), to, clerk)
        if self.matter.state == "dispatched" and self.rng.random() < 0.035:
            by = self.rng.choice(self.county.hands[to.pk])
            story.give_back(self.pace.office(story.at, 4, 24), by, self.words(wording()["return"]))
            to = self.target(not_to=to)
            story.hand(self.pace.office(story.at, 2, 10), to, self.clerk())
        return to

    def _work(self, to: Target) -> User:
        """Somebody starts, reports, asks; returns who."""
        story = self.story
        by = self.rng.choice(self.county.hands[to.pk])
        story.begin(self._when(3.5), by)
        if self.rng.random() < 0.07:
            self._ask(by)
        return by

    def _when(self, median: float) -> dt.datetime:
        """The next moment at which whoever has it may act: members act after work too."""
        ordered = self.matter.state == "ordered" or self.matter.taken_by
        return (self.pace.awake if ordered else self.pace.office)(self.story.at, median * (1.6 if ordered else 1))

    def _ask(self, by: User) -> None:
        asks = [self.topic.question] if self.topic.question and self._fits() else self.usual("question")
        question, answer = (text.format(**self.filed.slots) for text in self.rng.choice(asks))
        self.story.ask(self._when(2), by, question)
        late = 15 if self.rng.random() < 0.25 else 1
        self.story.answer(self.pace.awake(self.story.at, 14 * late), answer)

    def _fits(self) -> bool:
        return not self.topic.first_only or self.filed.variant == 0

    def _settle(self, by: User, again: bool) -> None:
        effort = self.limit * 0.32 * self.rng.lognormvariate(0, 0.55)
        if self.rng.random() < 0.028:  # some things hang
            effort = self.limit * self.rng.uniform(1.5, 7)
        if self.praise:
            effort = 3
        steps = self.rng.choices((0, 1, 2), (45, 42, 13))[0] if effort > 4 else 0
        for _ in range(steps):
            self.story.progress(self._after(effort / (steps + 1)), by, self._report())
        if again:
            outcome = self.words(self.usual("settled_again"))
        else:
            outcome = self.of_variant(self.topic.outcomes)
        public = self.of_variant(self.topic.public) if self.rng.random() < 0.85 else ""
        publish = self.rng.random() < 0.9
        self.story.settle(self._after(effort / (steps + 1)), by, outcome, public, publish)

    def _report(self) -> str:
        """What is reported next; nobody says the same twice."""
        own = [text.format(**self.filed.slots) for text in self.topic.progress] if self._fits() else []
        said = {event.note for event in self.story.events}
        new = [text for text in own if text not in said and self.rng.random() < 0.6]
        return self.rng.choice(new or [text for text in self.usual("progress") if text not in said])

    def _after(self, amount: float) -> dt.datetime:
        """A moment after ``amount`` working hours; members do it in their own time."""
        moment = self.matter.hours.add(self.story.at, dt.timedelta(hours=amount))
        if self.matter.taken_by_id:
            return self.pace.awake(moment - dt.timedelta(hours=3), 3)
        return moment

    def _judge(self, again: bool) -> None:
        matter, story = self.matter, self.story
        at = self.pace.awake(story.at, 20)
        if not again and self.rng.random() < 0.015:  # who is cross does not rate first
            return
        willing = self.rng.random() < 0.77
        rating, comment = self._rating(again)
        if willing and matter.rate_until and at < matter.rate_until:
            story.rate(at, rating, comment)
        else:
            story.lapse()

    def _rating(self, again: bool) -> tuple[int, str]:
        mood = "again" if again else "late" if self.matter.settled_late else "good"
        if self.praise:
            return 5, ""
        rating = self.rng.choices((1, 2, 3, 4, 5), RATINGS[mood])[0]
        comment = self.rng.choice(wording()["comments"][str(rating)]) if self.rng.random() < 0.45 else ""
        return rating, comment

    def _reopen(self) -> None:
        rating = self.matter.rating
        chance = 1.0 if self.matter.state == "settled" else 0.05 if not rating else 0.4 if rating < 3 else 0.012
        again = self.rng.random() < chance and not self.praise
        at = self.pace.awake(self.story.at, 30, 24 * 6)
        if again and self.matter.reopen_until and at < self.matter.reopen_until:
            self.story.reopen(at, self.words(self.usual("reopen")))
            self._round(again=True)
        elif self.matter.state == "settled":
            self.story.lapse()
