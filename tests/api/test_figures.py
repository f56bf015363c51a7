"""Figures as JSON: the same as on the page and the command line, for the same readers."""

import datetime as dt
import json

import pytest
from django.test import Client
from django.utils import timezone
from typer.testing import CliRunner

from weilu.api.figures import cell
from weilu.indicators.catalogue import catalogue
from weilu.indicators.opening import SHOWN
from weilu.indicators.reading import read
from weilu.lib.period import Period
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.people.models import Membership
from weilu.people.persons import make_person

THIS_YEAR = str(timezone.localdate().year)
AT = f"?place=510824&period={THIS_YEAR}"


def get(client, address):
    answer = client.get(f"/api/v1/{address}")
    return answer.status_code, answer.json()


def test_the_catalogue_says_of_each_figure_what_it_means_and_how_it_may_be_taken_apart(world, sign_in):
    status, found = get(sign_in(world.county_clerk), "figures")
    assert status == 200
    assert [item["code"] for item in found] == list(catalogue())
    raised = next(item for item in found if item["code"] == "matters.raised")
    assert {"township", "month", "category"} <= {way["code"] for way in raised["breakdowns"]}
    assert raised["adds"] == "places_and_time"


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_a_figure_is_the_object_of_the_reading(world, sign_in, code):
    world.matter()
    by = "township"
    status, found = get(sign_in(world.county_clerk), f"figures/{code}{AT}&by={by}")
    wanted = read(catalogue()[code], world.county, Period.of(THIS_YEAR), by).as_dict()
    assert (status, found) == (200, json.loads(json.dumps(wanted)))


def test_without_place_and_period_it_is_the_widest_place_and_this_year(world, sign_in):
    world.matter()
    status, found = get(sign_in(world.clerk), "figures/matters.raised")
    assert (status, found["place"], found["period"], found["value"]) == (200, "510824100", THIS_YEAR, 1)


@pytest.mark.parametrize("place", ["510824101", "510823", "51", "999"])
@pytest.mark.parametrize("part", ["", "/rows"])
def test_a_place_outside_the_scope_does_not_exist(world, sign_in, place, part):
    status, found = get(sign_in(world.clerk), f"figures/matters.raised{part}?place={place}")
    assert (status, found) == (404, {"detail": f"没有代码为{place}的地点。"})


@pytest.mark.parametrize(
    ("address", "status", "named"),
    [
        ("figures/matters.rised", 404, "matters.raised"),
        ("figures/matters.raised?period=lately", 422, "2025Q3"),
        ("figures/matters.raised?by=moon", 422, "category"),
        ("figures/matters.raised/rows?by=moon", 422, "category"),
        ("figures/matters.raised/rows?page=x", 422, "page"),
        ("figures/matters.raised/rows?page=0", 422, "page"),
        ("figures/matters.raised/rows?page=999", 422, "999"),
        ("figures/matters.raised/rows?key=2025-03", 422, "2025-03"),
    ],
)
def test_what_is_not_understood_is_said_with_what_there_is(world, sign_in, address, status, named):
    got, found = get(sign_in(world.clerk), address)
    assert got == status
    assert named in found["detail"]


def test_an_error_speaks_the_readers_language(world, sign_in):
    client = sign_in(world.clerk)
    client.cookies["django_language"] = "en"
    assert get(client, "figures/matters.raised?place=999")[1] == {"detail": "There is no place 999."}


# --- rows -------------------------------------------------------------------------------------------------------------
def test_rows_have_the_columns_of_the_page_and_come_by_the_hundred(world, sign_in):
    world.matter()
    first = Matter.objects.get()
    copies = [world.matter() for _number in range(2)]
    status, found = get(sign_in(world.county_clerk), f"figures/matters.raised/rows{AT}")
    assert (status, found["total"], found["hidden"], found["pages"]) == (200, 3, 0, 1)
    assert [row["url"] for row in found["rows"]][-1] == first.get_absolute_url()
    assert {row["values"]["number"] for row in found["rows"]} == {first.number, *(copy.number for copy in copies)}
    assert [column["key"] for column in found["columns"]] == [
        attribute for _label, attribute in catalogue()["matters.raised"].columns
    ]
    assert SHOWN == 100


def test_rows_of_a_group_are_as_many_as_the_group_says(world, sign_in):
    world.matter()
    world.matter(at=world.other_village)
    client = sign_in(world.county_clerk)
    reading = get(client, f"figures/matters.raised{AT}&by=township")[1]
    for part in reading["breakdown"]:
        rows = get(client, f"figures/matters.raised/rows{AT}&by=township&key={part['key']}")[1]
        assert rows["total"] == part["rows"]
    assert get(client, f"figures/matters.raised/rows{AT}&by=month&key=never")[0] == 422


def test_rows_that_the_reader_may_not_open_are_counted_and_not_shown(world, sign_in):
    world.matter(subject="只给镇里看")
    status, found = get(sign_in(world.handler), f"figures/matters.raised/rows{AT}")
    assert (status, found["total"], found["hidden"], found["rows"]) == (200, 1, 1, [])


def test_names_of_people_are_masked_and_telephones_are_not_there(world, sign_in):
    person = make_person(by=None, home=world.village, name="赵大山", phone="13987654321")
    Membership.objects.create(person=person, organisation=world.branch, kind="member")
    matter = world.matter(contact=services.Contact("田七", "13800001111"))
    client = sign_in(world.county_clerk)
    texts = [client.get(f"/api/v1/figures/{code}/rows{AT}").content.decode() for code in catalogue()]
    assert not any("\\u" in text for text in texts)
    assert any("赵**" in text for text in texts)
    for secret in ("赵大山", "13987654321", "田七", "13800001111"):
        assert not any(secret in text for text in texts)
    assert cell(matter, "reporter_phone") is None
    assert cell(person, "name") == "赵**"


def test_moments_are_in_beijing_time(world):
    matter = world.matter()
    matter.created_at = dt.datetime(2026, 1, 1, 16, tzinfo=dt.UTC)
    assert cell(matter, "created_at") == "2026-01-02T00:00:00+08:00"


# --- doors ------------------------------------------------------------------------------------------------------------
def test_without_an_account_the_answer_is_401_in_json(world):
    answer = Client().get("/api/v1/figures")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("address", ["figures", "figures/matters.raised", "figures/matters.raised/rows"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_reads_and_does_nothing_else(world, sign_in, address, method):
    answer = getattr(sign_in(world.clerk), method)(f"/api/v1/{address}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert "GET" in answer.json()["detail"]
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.clerk, backend="weilu.orgs.backends.AccountBackend")
    assert getattr(strict, method)(f"/api/v1/{address}").status_code == 403


def test_no_page_of_documentation_brings_scripts_from_elsewhere(world, sign_in):
    client = sign_in(world.clerk)
    assert {client.get(f"/api/v1/{name}").status_code for name in ("docs", "openapi.json", "")} == {404}


def test_an_account_that_asks_too_often_waits(world, sign_in, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api": 2}
    client = sign_in(world.clerk)
    assert [client.get("/api/v1/figures").status_code for _number in range(3)] == [200, 200, 429]
    assert client.get("/api/v1/figures")["Retry-After"] == "600"


def test_the_second_factor_is_owed_here_too(world, sign_in):
    world.jurisdiction.second_factor_roles = ["township_clerk"]
    world.jurisdiction.save()
    status, found = get(sign_in(world.clerk), "figures")
    assert status == 403
    assert set(found) == {"detail"}


def test_the_command_and_the_api_say_the_same(world, sign_in, monkeypatch):
    from config import cli

    class There:
        def __enter__(self):
            return None

        def __exit__(self, *exc):
            return None

    monkeypatch.setattr(cli, "Database", There)
    world.matter()
    asked = ["figure", "matters.raised", "--place", "510824", "--period", THIS_YEAR, "--by", "month", "--json"]
    printed = json.loads(CliRunner().invoke(cli.app, asked).stdout)
    assert printed == get(sign_in(world.county_clerk), f"figures/matters.raised{AT}&by=month")[1]
