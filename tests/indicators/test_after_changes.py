"""After the map changed a figure says the same of a place by itself and among its neighbours."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.conftest import place as make_place
from weilu.indicators import boards
from weilu.indicators.catalogue import catalogue
from weilu.indicators.models import Board, Edition
from weilu.indicators.reading import read, ways
from weilu.lib.period import Period
from weilu.matters.models import Matter
from weilu.matters.workflow import State
from weilu.orgs.bodies import close_body, make_body
from weilu.orgs.changes import NewPlace, merge, rename, split
from weilu.orgs.models import Grant, Level, Organisation, Place
from weilu.orgs.roles import Role
from weilu.orgs.succession import asked_in_split

TODAY = timezone.localdate()
BEFORE = TODAY - dt.timedelta(days=60)
YEARS = Period.of(f"{TODAY.year - 1}-{TODAY.year}")


@pytest.fixture
def merged(world) -> Place:
    """Two villages that became one, after a branch and a grant of the second had ended."""
    other = make_place(f"{world.township.code}777", "并出村", Level.VILLAGE, world.township)
    body = make_body(
        place=other, kind=Organisation.Kind.BRANCH, name="并出村党支部", by=None, since=TODAY - dt.timedelta(days=900)
    )
    close_body(body, by=None, on=BEFORE)
    Grant.objects.create(
        user=world.member, role=Role.GRID_WORKER, place=other, jurisdiction=world.jurisdiction,
        valid_from=TODAY - dt.timedelta(days=900), valid_to=BEFORE,
    )  # fmt: skip
    return merge([world.village, other], into=NewPlace(f"{world.township.code}888", "合并村"), on=TODAY, by=None)


@pytest.mark.parametrize("period", [YEARS, Period.of(f"{BEFORE - dt.timedelta(days=40):%Y-%m}")], ids=str)
@pytest.mark.parametrize("code", list(catalogue()))
def test_a_merged_village_reads_the_same_alone_and_among_the_villages_of_its_township(world, merged, code, period):
    indicator = catalogue()[code]
    if "village" not in ways(indicator, world.township):
        return
    alone = read(indicator, Place.objects.get(pk=merged.pk), period).whole
    among = next((part for part in read(indicator, world.township, period, "village").parts if part.key == merged.code),
                 None)  # fmt: skip
    assert (alone.rows, alone.value) == ((among.rows, among.value) if among else (0, alone.value))


def test_what_ended_before_the_merger_is_counted_at_all(world, merged):
    branches, then = catalogue()["bodies.branches"], Period.of(f"{BEFORE - dt.timedelta(days=40):%Y-%m}")
    before = Organisation.objects.filter(kind=Organisation.Kind.BRANCH, place__path__startswith=world.township.path)
    assert read(branches, Place.objects.get(pk=merged.pk), then).whole.rows == before.count()


# --- boards --------------------------------------------------------------------------------------------------------
MAY = dt.datetime(2025, 5, 5, 10, tzinfo=dt.UTC)


def settled(world, at, late=False):
    matter = world.matter(at=at)
    Matter.objects.filter(pk=matter.pk).update(
        state=State.SETTLED, created_at=MAY - dt.timedelta(days=2), settled_at=MAY, settled_late=late, due_at=None
    )
    return matter


def published(world, code: str) -> Edition:
    """A published board of the townships by one indicator."""
    board = Board.objects.create(
        jurisdiction=world.jurisdiction, place=world.county, title="乡镇榜", level=Level.TOWNSHIP,
        measures=[{"code": code, "weight": 1, "more": True}],
    )  # fmt: skip
    found = boards.start_edition(board, period=Period.of("2025Q2"), by=world.administrator)
    boards.show(found, by=world.administrator, until=TODAY - dt.timedelta(days=1))
    return boards.publish(found, by=world.administrator)


@pytest.fixture
def edition(world) -> Edition:
    """A published board of two townships, all in time."""
    for at in (world.village, world.village, world.other_village):
        settled(world, at)
    return published(world, "matters.in_time")


def test_a_place_that_was_renamed_after_a_board_was_published_is_corrected_all_the_same(world, edition):
    rename(world.township, name="新陵江镇", on=TODAY, by=None)
    assert boards.correct(edition, by=world.administrator, reason="再看一次") == []
    Matter.objects.filter(pk=Matter.objects.filter(township=world.township).first().pk).update(settled_late=True)
    [found] = boards.correct(edition, by=world.administrator, reason="一件误记")
    assert (found.place, found.was, found.now) == (world.township, 100, 50)


def test_places_that_were_merged_after_a_board_was_published_keep_a_value_each(world, edition):
    merge([world.township, world.other_township], into=NewPlace("510824199", "大镇"), on=TODAY, by=None)
    assert boards.correct(edition, by=world.administrator, reason="再看一次") == []
    Matter.objects.filter(township=world.other_township).update(settled_late=True)
    [found] = boards.correct(edition, by=world.administrator, reason="一件误记")
    assert (found.place, found.was, found.now) == (world.other_township, 100, 0)


def test_a_place_that_was_split_after_a_board_was_published_keeps_its_value(world, edition):
    parts = [NewPlace("510824197", "东镇"), NewPlace("510824198", "西镇")]
    asked = asked_in_split(world.township, TODAY)
    split(world.township, parts=parts, belongs=dict.fromkeys(dict(asked), 0), on=TODAY, by=None)
    assert boards.correct(edition, by=world.administrator, reason="再看一次") == []
    Matter.objects.filter(pk=Matter.objects.filter(township=world.township).first().pk).update(settled_late=True)
    [found] = boards.correct(edition, by=world.administrator, reason="一件误记")
    assert (found.place, found.was, found.now) == (world.township, 100, 50)


def test_what_bodies_and_people_say_is_no_correction_once_their_place_was_merged(world):
    """They went on to the place of today: of those that were published nothing is left, and that is no mistake."""
    found = published(world, "bodies.branches")
    merge([world.township, world.other_township], into=NewPlace("510824199", "大镇"), on=TODAY, by=None)
    assert boards.correct(found, by=world.administrator, reason="再看一次") == []


# --- names ---------------------------------------------------------------------------------------------------------
def test_grids_of_one_name_are_told_apart_by_what_lies_above_or_by_their_code(world):
    village = make_place(f"{world.township.code}778", "二村", Level.VILLAGE, world.township)
    twins = [
        make_place(f"{village.code}-{number}", name, Level.GRID, village)
        for number, name in (("01", world.grid.name), ("02", "同名网格"), ("03", "同名网格"))
    ]
    for at in (world.grid, *twins):
        world.matter(at=at)
    names = {part.key: part.name for part in read(catalogue()["matters.raised"], world.township, YEARS, "grid").parts}
    assert names[world.grid.code] == f"{world.grid.name}（{world.village.short_name}）"
    assert names[twins[0].code] == f"{world.grid.name}（二村）"
    assert names[twins[1].code] == f"同名网格（{twins[1].code}）"
