"""A figure beside another: two periods, two places, a place and the median of its siblings."""

import datetime as dt
import io

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests.conftest import place
from tests.indicators.test_dashboards import chart
from weilu.lib.period import BEIJING
from weilu.matters.models import Matter
from weilu.orgs.models import Level

YEAR = timezone.localdate().year


@pytest.fixture
def work(world):
    """Four matters of this year, one of last year in the same township."""
    for at in (world.village, world.village, world.village, world.other_village):
        world.matter(at=at)
    old = world.matter(at=world.village)
    Matter.objects.filter(pk=old.pk).update(created_at=dt.datetime(YEAR - 1, 6, 1, 12, tzinfo=BEIJING))
    return world


def test_two_periods_stand_side_by_side_with_difference_and_per_cent(work, sign_in):
    page = sign_in(work.county_clerk).get(f"/figures/matters.raised/compare/?period={YEAR}").text
    assert f"{YEAR}年比{YEAR - 1}年高300.0 %" in page
    assert "+3 <small>件</small>" in page
    assert "+300.0 <small>%</small>" in page
    found = chart(page, "chart-compare")
    assert [line["name"] for line in found["series"]] == [f"{YEAR - 1}年", f"{YEAR}年"]
    assert found["labels"][0] == "陵江镇"


def test_a_quarter_is_set_beside_the_same_quarter_of_last_year(work, sign_in):
    page = sign_in(work.county_clerk).get("/figures/matters.raised/compare/?period=2026Q2").text
    assert 'name="with_period" value="2025Q2"' in page


def test_two_places_are_compared_by_name_or_code(work, sign_in):
    client = sign_in(work.county_clerk)
    base = f"/figures/matters.raised/compare/?kind=places&place={work.township.code}&period={YEAR}"
    for text in ("云峰镇", work.other_township.code):
        page = client.get(f"{base}&with_place={text}").text
        assert "陵江镇比云峰镇高200.0 %" in page


def test_places_of_a_larger_one_are_not_the_groups_of_two_places(work, sign_in):
    base = f"/figures/matters.raised/compare/?kind=places&place={work.township.code}&with_place=云峰镇&by=village"
    assert "红旗村" not in sign_in(work.county_clerk).get(base).text


@pytest.mark.parametrize(
    ("query", "words", "kept"),
    [
        ("period=gestern", "“gestern”不是时段", 'value="gestern"'),
        ("with_period=morgen", "“morgen”不是时段", 'value="morgen"'),
        ("kind=places&with_place=没有村", "“没有村”", 'value="没有村"'),
        ("kind=places&with_place=510824100", "两个地点相同", 'value="510824100"'),
        ("kind=places&with_place=510823", "510823", 'value="510823"'),
    ],
)
def test_what_cannot_be_compared_is_said_and_the_input_stays(work, sign_in, query, words, kept):
    answer = sign_in(work.clerk).get(f"/figures/matters.raised/compare/?{query}")
    assert answer.status_code == 422
    assert words in answer.text
    assert kept in answer.text


def test_a_place_outside_the_reach_is_not_compared_with(work, sign_in):
    answer = sign_in(work.clerk).get("/figures/matters.raised/compare/?kind=places&with_place=云峰镇")
    assert answer.status_code == 422


def test_a_place_is_set_beside_the_median_of_the_others(work, sign_in):
    place("510824102", "三川镇", Level.TOWNSHIP, work.county)
    base = f"/figures/matters.raised/compare/?kind=siblings&place={work.township.code}&period={YEAR}"
    page = sign_in(work.county_clerk).get(base).text
    assert "与苍溪县其他2个同级地点比较" in page
    assert "排第1位" in page
    found = chart(page, "chart-compare")
    assert found["median"] == 0.5
    assert found["marked"] == "陵江镇"
    assert found["labels"] == ["陵江镇", "云峰镇", "三川镇"]


def test_who_does_not_see_the_siblings_reads_their_median_only_and_only_of_three(work, sign_in):
    base = f"/figures/matters.raised/compare/?kind=siblings&place={work.township.code}&period={YEAR}"
    client = sign_in(work.clerk)
    assert "可比较的同级地点太少" in client.get(base).text
    for number in range(2, 4):
        place(f"51082410{number}", f"第{number}镇", Level.TOWNSHIP, work.county)
    page = client.get(base).text
    assert "同级中位数" in page
    assert "云峰镇" not in page


def test_the_excel_file_of_a_comparison_holds_both_sides_and_what_lies_between(work, sign_in):
    answer = sign_in(work.county_clerk).get(f"/figures/matters.raised/compare/?period={YEAR}&format=xlsx")
    lines = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert ["陵江镇", "件", 3.0, 1.0, 2.0, 200.0] in lines
    assert lines[-1] == ["合计", "件", 4.0, 1.0, 3.0, 300.0]


def test_shares_lie_percentage_points_apart(work, sign_in):
    Matter.objects.update(state="settled", settled_at=timezone.now(), due_at=None)
    Matter.objects.filter(township=work.other_township).update(settled_late=True)
    base = f"/figures/matters.in_time/compare/?kind=places&place={work.township.code}&with_place=云峰镇"
    assert "陵江镇比云峰镇高100.0 个百分点" in sign_in(work.county_clerk).get(base).text


def test_every_figure_can_be_compared_in_every_way(work, sign_in):
    from weilu.indicators.catalogue import catalogue

    client = sign_in(work.county_clerk)
    base = f"compare/?place={work.township.code}&with_place=云峰镇"
    wrong = [
        (code, kind)
        for code in catalogue()
        for kind in ("periods", "places", "siblings")
        if client.get(f"/figures/{code}/{base}&kind={kind}").status_code != 200
    ]
    assert wrong == []
