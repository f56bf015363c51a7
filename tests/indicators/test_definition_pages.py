"""The catalogue: each definition in words, with its query for who may see it and who uses it."""

import html
import re

import pytest
from django.db import connection
from django.utils import timezone

from weilu.indicators.catalogue import catalogue
from weilu.indicators.models import Board
from weilu.indicators.reading import read
from weilu.lib.period import Period
from weilu.matters import services
from weilu.orgs.models import Level


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_definition_stands_in_words(world, sign_in, code):
    page = sign_in(world.clerk).get(f"/figures/{code}/definition/").text
    for words in (
        "口径",
        "计算方式",
        "能否相加",
        "时间",
        "地点",
        "分列方式",
        "机制",
        "版本",
        str(catalogue()[code].scope),
    ):
        assert words in page


def test_the_definition_says_how_values_add_up(world, sign_in):
    client = sign_in(world.clerk)
    assert "各地点、各时段的数值都可以相加" in client.get("/figures/matters.raised/definition/").text
    assert "取时段最后一天的数" in client.get("/figures/matters.unsettled/definition/").text
    assert "数值不能相加" in client.get("/figures/matters.in_time/definition/").text
    assert "少于5人的不显示" in client.get("/figures/people.members/definition/").text


def test_the_query_of_a_definition_is_for_administrators_only(world, sign_in):
    assert "SELECT" in sign_in(world.administrator).get("/figures/matters.raised/definition/").text
    assert "SELECT" not in sign_in(world.clerk).get("/figures/matters.raised/definition/").text


def test_the_definition_names_the_boards_that_use_it_and_counts_those_of_others(world, sign_in):
    rule = {"level": Level.TOWNSHIP, "measures": [{"code": "matters.days", "weight": 1, "more": False}]}
    Board.objects.create(jurisdiction=world.jurisdiction, place=world.county, title="办理质效榜", **rule)
    Board.objects.create(jurisdiction=world.far_jurisdiction, place=world.far_county, title="别县的榜", **rule)
    page = sign_in(world.clerk).get("/figures/matters.days/definition/").text
    assert "办理质效榜" in page
    assert "别县的榜" not in page
    assert "其他地点的1个榜单" in page
    assert "运行情况" in page


def test_the_catalogue_is_searched_by_words_and_by_mechanism(world, sign_in):
    client = sign_in(world.clerk)
    page = client.get("/figures/?q=F25").text
    assert "/figures/matters.on_platform/" in page
    assert "/figures/matters.raised/" not in page
    page = client.get("/figures/?mechanism=B2").text
    assert "/figures/orders.services/" in page
    assert "/figures/matters.settled/" not in page
    assert "没有符合条件的指标" in client.get("/figures/?q=没有这样的词").text


def test_a_definition_that_is_not_there_is_said_so(world, sign_in):
    assert sign_in(world.clerk).get("/figures/no.such/definition/").status_code == 404


@pytest.mark.parametrize("code", list(catalogue()))
def test_the_query_of_a_definition_runs_as_it_stands_and_gives_the_figure(world, sign_in, code):
    """Pasted into psql it says what the page says, and reads nothing that is secret."""
    matter = world.matter()
    services.settle(matter, by=world.clerk, version=1, outcome="好", public_outcome="好")
    page = sign_in(world.administrator).get(f"/figures/{code}/definition/?place={world.county.code}").text
    sql = html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)[1])
    assert "secret_hash" not in sql
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found = cursor.fetchone()
    whole = read(catalogue()[code], world.county, Period.of(str(timezone.localdate().year))).whole
    assert (found[0] if found else 0) == whole.rows
