"""The matters that residents of the demo county raised in the last twelve months."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random

from weilu.demo.county import COMMUNITY, County, in_town, is_community
from weilu.demo.names import Names
from weilu.demo.places import near
from weilu.demo.plot import Filed
from weilu.demo.topics import Topic, draw_address, draw_module, draw_slots, draw_topic
from weilu.lib.crypto import keyed_hash
from weilu.lib.ids import id_at
from weilu.matters.models import Category, Channel, Matter, Module
from weilu.matters.services import secret_for, secret_hash
from weilu.orgs.models import Level, Place, User
from weilu.records.calendar import BEIJING, WorkingHours, is_working_day

SEED = 510824
COUNT = 4_860
DAYS = 365
RECENT_DAYS = 12
# How many of a thousand come in each hour of the day.
HOURS = [4, 2, 1, 1, 2, 6, 18, 42, 78, 104, 98, 62, 40, 44, 70, 84, 80, 62, 52, 58, 48, 28, 12, 4]
ALSO = ["我们这边几户也一样，", "我也来反映一下，", "听说有人报过了，还是说一声，"]
CHANNELS = {Channel.WEB: 45, Channel.QR: 25, Channel.HOTLINE: 18, Channel.VISIT: 12}


@dataclass
class Draft:
    """What is known of a matter before it is written."""

    number: int
    topic: Topic
    variant: int
    slots: dict[str, str]
    place: Place
    module: str
    at: dt.datetime
    rng: Random
    channel: Channel = Channel.WEB
    by: User | None = None


class Filing:
    """Draws matters, each from a seed of its own."""

    def __init__(self, county: County, now: dt.datetime):
        self.county, self.now = county, now
        jurisdiction = county.jurisdiction
        self.modules = {row.code: row for row in Module.objects.filter(jurisdiction=jurisdiction)}
        self.categories = {row.code: row for row in Category.objects.filter(jurisdiction=jurisdiction)}
        for row in (*self.modules.values(), *self.categories.values()):
            row.jurisdiction = jurisdiction
        self.residents = Names(Random(f"{SEED}:residents")).residents(2_600)
        self.hours = WorkingHours(jurisdiction.work_starts, jurisdiction.work_ends)

    def all(self) -> Iterator[Filed]:
        """Yield the year's matters, and some that were raised twice."""
        for number in range(1, COUNT + 1):
            filed = self._filed(self._draw(number), seed=f"{SEED}:{number}:life")
            yield filed
            if Random(f"{SEED}:{number}:twice").random() < 0.045 and (twice := self._again(filed, number)):
                yield twice

    # Where and when.

    @cached_property
    def _village_weights(self) -> list[float]:
        return list(accumulate(self._busy(village) for village in self.county.villages))

    @staticmethod
    def _busy(village: Place) -> float:
        if village.code == COMMUNITY:
            return 36
        if in_town(village):
            return 12 if is_community(village) else 3
        return 3.2 if is_community(village) else 1

    def _place(self, rng: Random) -> Place:
        village = rng.choices(self.county.villages, cum_weights=self._village_weights)[0]
        level = rng.random()
        if level < 0.02:
            return self.county.place
        if level < 0.08 and village.parent:
            return village.parent
        return rng.choice(self.county.grids[village.pk]) if level > 0.4 else village

    @cached_property
    def _day_weights(self) -> list[float]:
        """More as the platform becomes known, more on working days, and a campaign of visits in the last days."""
        today = self.now.astimezone(BEIJING).date()
        weights = []
        for back in range(DAYS):
            known = 2.6 - 1.8 * back / DAYS
            campaign = 1.75 if back < RECENT_DAYS else 1
            work = 1 if is_working_day(today - dt.timedelta(days=back)) else 0.5
            weights.append(known * campaign * work)
        return list(accumulate(weights))

    def _moment(self, rng: Random) -> dt.datetime:
        back = rng.choices(range(DAYS), cum_weights=self._day_weights)[0]
        day = self.now.astimezone(BEIJING).date() - dt.timedelta(days=back)
        hour = rng.choices(range(24), HOURS)[0]
        time = dt.time(hour, rng.randint(0, 59), rng.randint(0, 59), rng.randint(0, 999) * 1000)
        moment = dt.datetime.combine(day, time, BEIJING)
        return moment if moment < self.now else moment - dt.timedelta(days=1)

    # What.

    def _draw(self, number: int) -> Draft:
        rng = Random(f"{SEED}:{number}")
        place, at = self._place(rng), self._moment(rng)
        topic = draw_topic(rng, at.astimezone(BEIJING).month, town=self._is_town(place))
        draft = self.draft(number, topic, place, at, rng)
        self._receive(draft)
        return draft

    @staticmethod
    def _is_town(place: Place) -> bool:
        village = place.parent if place.level > Level.VILLAGE else place
        return village is None or village.level < Level.VILLAGE or is_community(village)

    @staticmethod
    def draft(number: int, topic: Topic, place: Place, at: dt.datetime, rng: Random) -> Draft:
        """Choose the words of a matter."""
        village = place.parent if place.level > Level.VILLAGE and place.parent else place
        slots = draw_slots(rng, village)
        variant = rng.randrange(len(topic.subjects))
        return Draft(number, topic, variant, slots, place, draw_module(rng, topic, variant), at, rng)

    def _receive(self, draft: Draft) -> None:
        """Choose how it came in; what offices write down themselves comes in their hours."""
        channel = draft.rng.choices(list(CHANNELS), list(CHANNELS.values()))[0]
        if channel in (Channel.HOTLINE, Channel.VISIT):
            at = self.hours.add(draft.at, dt.timedelta(minutes=draft.rng.randint(1, 200)))
            if at >= self.now or at - draft.at > dt.timedelta(days=1):
                return
            draft.at, draft.by = at, self._clerk_at(draft.place, draft.rng)
            if channel == Channel.HOTLINE:
                draft.by = draft.rng.choice(self.county.desks[self.county.place.pk])
        draft.channel = channel

    def _clerk_at(self, place: Place, rng: Random) -> User:
        at: Place | None = place
        while at and not self.county.desks.get(at.pk):
            at = at.parent
        return rng.choice(self.county.desks[at.pk] if at else [])

    # The rows.

    def _filed(self, draft: Draft, seed: str, original: Matter | None = None) -> Filed:
        return Filed(
            self.matter(draft), draft.topic, draft.variant, draft.slots, draft.by, seed, duplicate_of=original
        )  # fmt: skip

    def matter(self, draft: Draft) -> Matter:
        """Return the row as :func:`weilu.matters.services.file_matter` makes it, but for number and state."""
        rng, place, topic = draft.rng, draft.place, draft.topic
        village = place.parent if place.level > Level.VILLAGE and place.parent else place
        key = f"demo:{draft.number}"
        name, phone = rng.choice(self.residents) if rng.random() < 0.9 else ("", "")
        located = place.latitude and place.level >= Level.VILLAGE and rng.random() < 0.6
        latitude, longitude = near(place, rng, 0.25) if located else (None, None)
        mail = f"resident{draft.number}@example.org" if name and rng.random() < 0.06 else ""
        matter = Matter(
            id=id_at(draft.at), jurisdiction=self.county.jurisdiction, module=self.modules[draft.module],
            category=self.categories[topic.category], channel=draft.channel,
            subject=topic.subjects[draft.variant].format(**draft.slots),
            detail=topic.details[draft.variant % len(topic.details)].format(**draft.slots),
            address=draw_address(rng, village, draft.slots),
            latitude=latitude, longitude=longitude, reporter_name=name, reporter_phone=phone,
            reporter_phone_hash=keyed_hash(phone), reporter_email=mail,
            secret_hash=secret_hash(secret_for(key)), intake_key=key, created_at=draft.at, created_by=draft.by,
        )  # fmt: skip
        matter.set_place(place)
        return matter

    def _again(self, filed: Filed, number: int) -> Filed | None:
        """A neighbour raises the same, soon after; none where that lies ahead."""
        rng, first = Random(f"{SEED}:{number}:neighbour"), filed.matter
        at = first.created_at + dt.timedelta(hours=rng.uniform(0.5, 20))
        hour = at.astimezone(BEIJING).hour
        if not first.village_id or at >= self.now or not 7 <= hour < 22:
            return None
        draft = Draft(
            COUNT + number, filed.topic, filed.variant, filed.slots, first.place, first.module.code, at, rng
        )  # fmt: skip
        again = self._filed(draft, seed=f"{SEED}:{number}:merge", original=first)
        again.matter.detail = f"{rng.choice(ALSO)}{again.matter.detail}"
        return again
