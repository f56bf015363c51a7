"""Load the demo county: once, in one transaction, or not at all."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from random import Random

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg import sql
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from weilu.demo.accounts import accounts
from weilu.demo.bodies import found_bodies
from weilu.demo.changes import change_map
from weilu.demo.county import COUNTY, County
from weilu.demo.filing import COUNT, SEED, Filing
from weilu.demo.history import Story
from weilu.demo.parties import Parties
from weilu.demo.persons import Records
from weilu.demo.pictures import picture
from weilu.demo.places import county_place, import_places, lay_out
from weilu.demo.plot import Plot
from weilu.demo.population import Population
from weilu.demo.showcase import showcase
from weilu.demo.venues import Venues
from weilu.indicators.published import CITY
from weilu.lib.copying import copy_rows
from weilu.lib.search import words_of
from weilu.matters.models import Matter
from weilu.matters.queries import copy_words
from weilu.matters.setup import open_jurisdiction
from weilu.orgs.models import Jurisdiction, User
from weilu.records.attachments import attach
from weilu.records.calendar import BEIJING
from weilu.records.models import Attachment, Event, Notification, next_numbers

TITLE = "苍溪县群众诉求平台"
HOTLINE = "0839-5550123"
LOCK = "weilu.demo"
OPEN_FOR = dt.timedelta(days=400)
PHOTOS = 40
UNREAD = dt.timedelta(days=5)


class DemoError(RuntimeError):
    """The demo county cannot be loaded here; the message says why."""


def load(console: Console, *, now: dt.datetime | None = None) -> list[tuple[str, str, str]]:
    """Load the demo county if it is not there.

    Args:
        console: where progress is shown.
        now: up to when the county's history goes; by default to this moment.

    Returns:
        role, account and password, one for each role.

    Raises:
        DemoError: the database is an office's: it holds another county, or people of its own.
    """
    if not is_loaded():
        bar = Progress(
            TextColumn("demo county: {task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(), console=console,
        )  # fmt: skip
        with bar, transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
            if not is_loaded():
                Loading(bar, now or timezone.now()).run()
        analyse()
    return accounts()


def is_loaded() -> bool:
    """Tell whether the demo county is there.

    Raises:
        DemoError: something else is.
    """
    if Matter.objects.filter(jurisdiction__place__code=COUNTY, intake_key="demo:1").exists():
        return True
    counties = Jurisdiction.objects.select_related("place")
    invented = Q(place__path__contains=f"/{CITY}/")
    if other := counties.exclude(invented).first():
        raise DemoError(
            f"This database is at work for {other.place.name}; the demo's invented people would be mixed into it. "
            "Give the demo a data folder or a database of its own: WEILU_DATA=/some/other/folder weilu demo"
        )
    if User.objects.exists() and not counties.filter(invented).exists():
        raise DemoError("This database holds accounts already. Give the demo a database of its own.")
    return False


def analyse() -> None:
    """Tell the planner what is there now, where the role may; else PostgreSQL does so by itself in a minute.

    Of all tables: one that it takes for empty is enough for a plan that takes a minute.
    """
    ours = [model for model in apps.get_models() if model.__module__.startswith("weilu.") and model._meta.managed]
    tables = sql.SQL(", ").join(sql.Identifier(model._meta.db_table) for model in ours)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ANALYZE {}").format(tables))


class Loading:
    """One loading: its bar, its county, its stories."""

    def __init__(self, bar: Progress, now: dt.datetime):
        self.bar, self.now = bar, now
        # Parts are weighed by about how many matters' time they take.
        self.task = bar.add_task("places", total=3 * COUNT)
        self.rng = Random(SEED)
        self.stories: list[Story] = []

    def run(self) -> None:
        """Load everything."""
        self._places()
        self._people()
        self._tell()
        self._number()
        self._write()
        self._photos()
        change_map(self.county, self.now)
        self.bar.update(self.task, description="ready", completed=3 * COUNT)

    def _step(self, what: str) -> None:
        self.bar.update(self.task, description=what)

    def _places(self) -> None:
        import_places()
        jurisdiction = open_jurisdiction(COUNTY, prefix="CX", title=TITLE)
        jurisdiction.hotline, jurisdiction.opened_at = HOTLINE, self.now - OPEN_FOR
        jurisdiction.save(update_fields=["hotline", "opened_at"])
        place = county_place()
        jurisdiction.place = place
        self.county = County(jurisdiction, place)
        lay_out(self.county, self.rng)
        self.bar.advance(self.task, COUNT / 5)

    def _people(self) -> None:
        self._step("people")
        found_bodies(self.county, self.rng)
        population = Population(self.county, self.rng, self.now - OPEN_FOR)
        population.settle()
        Parties(self.county, population).found()
        Records(self.county, population.persons, population.memberships, self.now).keep()
        Venues(self.county, self.now).furnish()
        self.bar.advance(self.task, COUNT / 5)

    def _tell(self) -> None:
        self._step("matters")
        filing = Filing(self.county, self.now)
        for filed in filing.all():
            story = Story(filed.matter, self.county, self.now)
            self.stories.append(Plot(filed, story, self.county).tell())
            self.bar.advance(self.task)
        self.stories += showcase(self.county, filing)
        self.stories.sort(key=lambda story: story.matter.created_at)

    def _number(self) -> None:
        """Give numbers in the order of time, without gaps in any year."""
        years = defaultdict(list)
        for story in self.stories:
            years[story.matter.created_at.astimezone(BEIJING).year].append(story.matter)
        for matters in years.values():
            numbers = next_numbers(self.county.jurisdiction, "matter", matters[0].created_at, len(matters))
            for matter, number in zip(matters, numbers, strict=True):
                matter.number = number
        for story in self.stories:
            if story.into:
                merged = next(event for event in story.events if event.move == "merge")
                merged.changes = {"into": story.into.number}

    def _write(self) -> None:
        self._step("writing")
        copy_rows(Matter, (story.matter for story in self.stories))
        self.bar.advance(self.task, COUNT / 4)
        copy_rows(Event, (event for story in self.stories for event in story.events))
        copy_rows(Notification, self._notifications())
        self.bar.advance(self.task, COUNT / 4)
        self._step("words")
        copy_words((story.matter, self._words(story)) for story in self.stories)

    def _words(self, story: Story) -> list[str]:
        self.bar.advance(self.task, 0.5)
        matter = story.matter
        return words_of(f"{matter.subject} {matter.detail} {matter.address} {story.place}")

    def _notifications(self) -> Iterator[Notification]:
        for story in self.stories:
            matter = story.matter
            for notice in story.notices:
                read = None if notice.at > self.now - UNREAD else notice.at + dt.timedelta(minutes=40)
                yield Notification(
                    jurisdiction=matter.jurisdiction, user=notice.user, at=notice.at, kind=notice.kind,
                    record_kind="matter", record_id=matter.pk, record_number=matter.number, subject=matter.subject,
                    read_at=read,
                )  # fmt: skip

    def _photos(self) -> None:
        """Attach drawings to the latest matters that can be photographed, those of the shown community first."""
        self._step("photos")
        rows = []
        for story in self._photographed():
            rng = Random(f"{SEED}:photo:{story.matter.intake_key}")
            for event in story.events:
                if event.move in ("file", "settle"):
                    rows.append(self._photo(story, event, rng))
                    self.bar.advance(self.task, COUNT / 3 / PHOTOS)
        Attachment.objects.bulk_update(rows, ["created_at"])

    def _photographed(self) -> list[Story]:
        found = [story for story in self.stories if story.picture and story.matter.state != "merged"]
        village = self.county.community.pk
        found.sort(key=lambda story: (story.matter.village_id == village, story.at), reverse=True)
        here = [story for story in found if story.matter.village_id == village][: PHOTOS // 2]
        there = [story for story in found if story.matter.village_id != village and story.matter.published]
        return here + there[: PHOTOS - len(here)]

    def _photo(self, story: Story, event: Event, rng: Random) -> Attachment:
        done = event.move == "settle"
        upload = SimpleUploadedFile("after.jpg" if done else "photo.jpg", picture(story.picture, done, rng))
        row = attach(
            upload, jurisdiction=self.county.jurisdiction, record_kind="matter", record_id=story.matter.pk,
            by=event.actor, photo_only=True, event_id=event.pk,
        )  # fmt: skip
        row.created_at = event.at
        return row
