"""The published figures come out exactly, here at a hundredth of the size: laid out once, whatever interrupts it."""

import io
import re
from collections import Counter, defaultdict

import pytest
from django.db import transaction
from rich.console import Console

from weilu.demo import DemoError
from weilu.demo.loading import is_loaded
from weilu.demo.published import lay_out, rooms
from weilu.demo.published.plan import CITY, Plan
from weilu.demo.published.writing import Writer
from weilu.indicators.catalogue import catalogue
from weilu.indicators.published import PLACES, compared, published
from weilu.indicators.reading import read, rows_of, seen_by
from weilu.lib.period import Period
from weilu.matters.models import Matter, MatterText
from weilu.matters.workflow import WORKFLOW
from weilu.orgs.models import Grant, Jurisdiction, Organisation, Place, User
from weilu.people.models import Appointment, Honour, Membership, Person
from weilu.records.models import Event
from weilu.venues.models import Venue

SCALE = 100
TABLES = [
    *(Place, Organisation, User, Grant, Person, Membership, Appointment, Honour, Venue, Matter, MatterText, Event)
]  # fmt: skip


def quiet() -> Console:
    return Console(file=io.StringIO())


class Fallen(BaseException):
    """Somebody pressed Ctrl-C, or the machine went down."""


def interrupted(after: int, whole):
    """Do ``whole`` so many times; then do it once more and fall over before it is committed."""
    calls = iter(range(after + 1))

    def work(*args, **given):
        whole(*args, **given)
        if next(calls, after) == after:
            raise Fallen

    return work


@pytest.fixture(scope="module")
def laid_out(django_db_setup, django_db_blocker):
    """The city, interrupted twice and gone on with; for this file only."""
    with django_db_blocker.unblock(), transaction.atomic():
        for holder, name, after in ((rooms, "give_honours", 0), (Writer, "write", 3)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(holder, name, interrupted(after, getattr(holder, name)))
                with pytest.raises(Fallen):
                    lay_out(quiet(), scale=SCALE)
        yield lay_out(quiet(), scale=SCALE)
        transaction.set_rollback(True)


@pytest.fixture
def city(laid_out, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield laid_out
        transaction.set_rollback(True)


def test_every_published_figure_comes_out_of_it_exactly(city):
    assert {row.fact.figure: row.value for row in city} == {fact.figure: fact.at(SCALE) for fact in published()}
    assert all(row.exact for row in city)


def test_what_was_interrupted_went_on_without_anything_twice(city):
    steps = Counter(Event.objects.filter(record_kind="figures", move="step").values_list("note", flat=True))
    assert max(steps.values()) == 1
    assert len([name for name in steps if name.startswith("services")]) == len(Plan(SCALE).districts)


def test_run_again_it_doubles_nothing(city):
    before = [table.objects.count() for table in TABLES]
    assert [row.value for row in lay_out(quiet(), scale=SCALE)] == [row.value for row in city]
    assert [table.objects.count() for table in TABLES] == before


def test_another_size_is_not_mixed_into_it(city):
    with pytest.raises(DemoError, match="--scale 100"):
        lay_out(quiet(), scale=50)


def test_it_does_not_stand_in_the_way_of_the_demo_county(city):
    assert not is_loaded()


def test_at_full_size_the_plan_has_room_for_everybody():
    plan = Plan()
    assert len(plan.communities) == plan.numbers["F17"] == 154
    assert sum(len(each.grids) for each in plan.communities) == 919
    assert len(plan.estates) == 1219
    assert sum(each.owners == "red" for each in plan.estates) == 496
    assert sum(each.firm == "red" for each in plan.estates) == 457
    assert sum(map(len, plan.teams)) == 1148
    assert sum(plan.reported) == 43_000
    assert len({each.branch for each in plan.estates}) == 1219
    assert len({village.name for village in plan.villages}) == 249
    assert {fact.place for fact in published()} == set(PLACES.values())


def test_each_matter_went_the_way_of_the_workflow(city):
    matters = {row.pk: row for row in Matter.objects.order_by("number")[::7]}
    stories = defaultdict(list)
    for event in Event.objects.filter(record_kind="matter", record_id__in=list(matters)).order_by("at"):
        stories[event.record_id].append(event)
    assert set(stories) == set(matters)
    for key, events in stories.items():
        before = ""
        for event in events[1:]:
            step = WORKFLOW.moves[event.move]
            before = before or "raised"
            assert event.from_state == before
            assert before in step.sources
            assert event.to_state == step.target
            before = event.to_state
        matter = matters[key]
        assert (events[0].move, matter.state, matter.version) == ("file", before, len(events))
        assert all(getattr(matter, column) for event in events for column in needs(event.move) if column != "due_at")


def needs(move: str) -> tuple[str, ...]:
    return WORKFLOW.moves[move].needs if move in WORKFLOW.moves else ()


def test_what_was_promised_is_what_the_calendar_says(city):
    for matter in Matter.objects.select_related("jurisdiction", "category")[::97]:
        assert matter.promised_at == matter.hours.add(matter.created_at, matter.category.days * matter.hours.day)
        assert matter.settled_late == (matter.settled_at > matter.promised_at)


def test_those_who_act_may(city):
    matter = Matter.objects.filter(taken_by__isnull=False).select_related("handler", "taken_by").first()
    grant = matter.taken_by.grants.get()
    assert (grant.role, grant.organisation_id) == ("member", matter.handler_id)


def test_what_a_figure_does_not_count_is_there_too(city):
    """A figure that comes out because there is nothing else says little."""
    place, year = Place.objects.get(code=CITY), Period.of("2022")
    for narrow, wide in (
        ("bodies.red_owners_committees", "bodies.owners_committees"), ("orders.reported_services", "orders.services"),
        ("matters.on_platform", "matters.settled"), ("people.rural_members", "people.members"),
        ("places.community_grids", "places.grids"), ("venues.service_centres", "venues.venues"),
        ("bodies.estate_organisations", "bodies.branches"), ("bodies.professional_teams", "bodies.volunteer_teams"),
    ):  # fmt: skip
        assert 0 < read(catalogue()[narrow], place, year).whole.value < read(catalogue()[wide], place, year).whole.value


def test_the_citys_observer_opens_every_figure_with_its_rows(city, client):
    observer = User.objects.get(username="figures-city")
    client.force_login(observer)
    page = client.get("/figures/published/").text
    assert page.count("/rows/?place=") == len(published())
    assert "百分之一" not in page
    assert "不一致" not in page
    for row in compared():
        indicator = row.fact.indicator
        if indicator.code == "accounts.registered":  # accounts are for those who keep them
            observer = User.objects.get(username="figures-admin")
        rows = rows_of(indicator, row.place, Period.of(row.fact.period))
        assert seen_by(indicator, rows, observer).exists(), row.fact.figure
    for code, link in (
        ("orders.reported_services", "/matters/"), ("bodies.red_property_firms", "/organisations/"),
        ("people.reported", "/people/"), ("places.community_grids", "/places/5170"),
    ):  # fmt: skip
        rows = client.get(f"/figures/{code}/rows/?place={CITY}&period=2022").text
        first = re.search(rf'href="({link}[^"]+)"', rows[rows.index("<tbody>") :])
        assert first, code
        assert client.get(first[1]).status_code == 200


def test_who_sees_the_county_only_finds_its_figures_only(city, client):
    client.force_login(User.objects.get(username="figures-county"))
    page = client.get("/figures/published/").text
    assert page.count("/rows/?place=") == sum(fact.scope == "county" for fact in published())
    assert "夜话县" in page
    assert "围炉市" not in page


def test_the_page_says_when_a_value_differs(city, client):
    Grant.objects.filter(user__username="figures-desk").update(valid_from="2023-01-01")
    client.force_login(User.objects.get(username="figures-city"))
    page = client.get("/figures/published/").text
    assert page.count("state-late") == 1


def test_where_nothing_is_laid_out_the_page_names_the_command(world, sign_in):
    assert "weilu demo figures" in sign_in(world.observer).get("/figures/published/").text


def test_an_office_at_work_is_left_alone(world):
    Jurisdiction.objects.get(place__code="510823")
    with pytest.raises(DemoError, match="剑阁县"):
        lay_out(quiet(), scale=SCALE)


@pytest.mark.parametrize("scale", [0, -1, 101])
def test_a_size_that_cannot_be_is_refused(db, scale):
    with pytest.raises(DemoError, match="from 1"):
        lay_out(quiet(), scale=scale)


def test_each_published_figure_has_one_indicator():
    claimed = Counter(figure for item in catalogue().values() for figure in item.figures)
    assert {fact.figure for fact in published()} <= set(claimed)
    assert max(claimed.values()) == 1
