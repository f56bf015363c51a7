"""Laying out the invented city: step by step, each once, so that what was interrupted goes on where it stood."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from weilu.demo.county import COUNTY as DEMO_COUNTY
from weilu.demo.loading import DemoError, analyse
from weilu.demo.published import accounts, bodies, matters, people, rooms
from weilu.demo.published.places import import_places
from weilu.demo.published.plan import CITY, COUNTY, DISTRICTS, District, Plan, spread
from weilu.indicators.folding import rebuild, recount
from weilu.indicators.published import KIND, SIZED, Comparison, compared, scale_laid_out
from weilu.matters.setup import open_jurisdiction
from weilu.orgs.models import Jurisdiction, Place, User
from weilu.records.models import Event

LOCK, STEP, SMALLEST = "weilu.demo.figures", "step", 100
PREFIXES = {CITY: "WL", COUNTY: "YH"} | {code: prefix for code, _name, prefix in DISTRICTS}


class Step(NamedTuple):
    """A part of the work that is done whole or not at all.

    Attributes:
        weight: about how long it takes, in matters that could be written meanwhile.
    """

    name: str
    weight: int
    work: Callable[[], None]


def lay_out(console: Console, *, scale: int = 1) -> list[Comparison]:
    """Lay the city out as far as it is not there, and read each published figure.

    Args:
        console: where progress is shown.
        scale: how many times smaller than published; 1 to 100.

    Raises:
        DemoError: the database is an office's, or holds the city at another scale.
    """
    if not 1 <= scale <= SMALLEST:
        raise DemoError(f"The scale is a whole number from 1, the size published, to {SMALLEST}, a hundredth of it.")
    with _alone():
        _check(scale)
        plan = Plan(scale)
        with tempfile.TemporaryDirectory(prefix="weilu-figures-") as folder:
            if _run(list(steps(plan, Path(folder))), console):
                analyse()
                _count_cells(console)
    return compared()


def _count_cells(console: Console) -> None:
    """Count the cells of figures above the county, which the worker else does once it runs."""
    with Progress(console=console, transient=True) as bar:
        for kind, indicators in rebuild():
            task = bar.add_task(kind.label, total=None)
            recount(kind, indicators)
            bar.update(task, total=1, completed=1)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the work; a second command waits until the first is through, and finds everything done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [LOCK])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK])


def _check(scale: int) -> None:
    """Refuse to mix invented people into what an office keeps, and two sizes into each other."""
    ours = Q(place__code__in=PREFIXES) | Q(place__code=DEMO_COUNTY)
    if other := Jurisdiction.objects.exclude(ours).select_related("place").first():
        raise DemoError(
            f"This database is at work for {other.place.name}; invented people would be mixed into it. "
            "Give the figures a data folder of their own: WEILU_DATA=/some/other/folder weilu demo figures"
        )
    there = scale_laid_out()
    if there and there != scale:
        raise DemoError(
            f"The city is there at a scale of 1:{there}. Go on with --scale {there}, or give the other size a data "
            "folder of its own: WEILU_DATA=/some/other/folder weilu demo figures"
        )
    if not there and User.objects.exists() and not Jurisdiction.objects.exists():
        raise DemoError("This database holds accounts already. Give the figures a database of their own.")


def _run(wanted: list[Step], console: Console) -> bool:
    """Do the steps that are not done; tell whether there were any."""
    done = set(Event.objects.filter(record_kind=KIND, move=STEP).values_list("note", flat=True))
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(TextColumn("figures: {task.description}"), *columns, console=console) as bar:
        task = bar.add_task("looking", total=sum(step.weight for step in wanted))
        for step in wanted:
            bar.update(task, description=step.name)
            if step.name not in done:
                with transaction.atomic():
                    step.work()
                    _note(STEP, step.name)
            bar.advance(task, step.weight)
        bar.update(task, description="ready")
    return any(step.name not in done for step in wanted)


def _note(move: str, text: str = "", changes: dict[str, int] | None = None) -> None:
    """Write down that a step is done, in the transaction that does it."""
    city = Place.objects.get(code=CITY, valid_to=None)
    Event.objects.create(
        jurisdiction_id=city.pk, record_kind=KIND, record_id=city.pk, move=move, note=text, changes=changes or {},
        open_to_resident=False,
    )  # fmt: skip


def steps(plan: Plan, folder: Path) -> Iterator[Step]:
    """Yield all steps, in order."""
    yield Step("places", 4_000, partial(_open, plan, folder))
    yield Step("bodies of the county", 1_500, partial(bodies.enter_county_bodies, plan, folder))
    yield Step("members of the county", 40_000 // plan.scale, partial(people.enter_rural_members, plan, folder))
    yield Step("cadres of the county", 4_000 // plan.scale, partial(people.enter_village_cadres, plan, folder))
    yield Step("heads of the county", 300, partial(people.enter_heads, plan, folder))
    for district in plan.districts:
        yield from _of_district(plan, district, folder)
    yield Step("staff", 500, partial(accounts.make_staff, plan))
    yield Step("honours", 100, partial(rooms.give_honours, plan))
    for district in plan.districts:
        yield Step(f"rooms {district.code}", 500, partial(rooms.enter_rooms, plan, district))
        yield Step(f"accounts {district.code}", 20_000 // plan.scale, partial(_accounts, district))
    for district in plan.districts:
        yield from (Step(*row) for row in matters.of_district(plan, district))
    yield from (Step(*row) for row in matters.of_county(plan))


def _open(plan: Plan, folder: Path) -> None:
    """Import the places, and open the platform for the city, its districts and its county."""
    import_places(plan, folder)
    codes = [CITY, *(district.code for district in plan.districts), COUNTY]
    for code in codes:
        open_jurisdiction(code, prefix=PREFIXES[code])
    _note(SIZED, changes={"scale": plan.scale})


def _of_district(plan: Plan, district: District, folder: Path) -> Iterator[Step]:
    volunteers = spread(accounts.volunteers(plan), len(plan.districts))[district.index]
    entered: tuple[tuple[str, int, Callable[..., None]], ...] = (
        ("bodies", 6_000, bodies.enter_bodies),
        ("workers", 2_000, people.enter_workers),
        ("grid workers", 1_500, people.enter_grid_workers),
        ("members", 3_000, people.enter_members),
        ("posts", 4_000, people.enter_posts),
        ("volunteers", 5_000, partial(people.enter_volunteers, count=volunteers)),
        ("reported", 45_000, people.enter_reported),
    )
    for name, weight, enter in entered:
        yield Step(f"{name} {district.code}", max(1, weight // plan.scale), partial(enter, plan, district, folder))


def _accounts(district: District) -> None:
    accounts.make_accounts(Jurisdiction.objects.select_related("place").get(place__code=district.code))
