"""How it goes: one page for each role and place, whose every number opens."""

import datetime as dt
import html
import io
import json
import re

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests import conftest
from weilu.indicators.asked import Asked
from weilu.indicators.below import Reads, compared
from weilu.indicators.catalogue import catalogue
from weilu.indicators.dashboard import CARDS
from weilu.indicators.figure_map import as_shown, shades
from weilu.indicators.reading import read
from weilu.lib.period import BEIJING, Period
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.orgs.changes import NewPlace, merge
from weilu.orgs.models import Level
from weilu.orgs.outlines import set_outline

EVERYBODY = [
    "member", "grid_worker", "village_clerk", "clerk", "county_clerk", "handler", "observer", "administrator",
]  # fmt: skip


def square(x, y, side):
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "coordinates": [[[106 + a / 100, 31 + b / 100] for a, b in ring]]}


@pytest.fixture
def work(world):
    """Three matters of the village, one handed to the department and one open to the branch; one elsewhere."""
    found = [world.matter(at=world.grid, subject=f"第{number}盏路灯") for number in range(3)]
    services.dispatch(found[0], to=world.department, by=world.county_clerk, version=1)
    services.dispatch(found[1], to=world.branch, by=world.clerk, version=1)
    world.matter(at=world.other_village, subject="别处的水渠")
    return world


def chart(page, name):
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)[1])


def numbers(page):
    """The addresses behind the numbers of a page."""
    return {html.unescape(link) for link in re.findall(r'href="(/figures/[^"]+)"', page)}


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_role_sees_how_it_goes_for_it_and_every_number_opens(work, sign_in, name):
    client = sign_in(getattr(work, name))
    answer = client.get("/dashboard/")
    assert answer.status_code == 200
    assert "这里还没有记录" not in answer.text
    links = numbers(answer.text)
    assert len(links) > 10
    assert [link for link in sorted(links) if client.get(link).status_code != 200] == []


def test_a_department_sees_its_own_work_first_and_all_of_its_place_on_request(work, sign_in):
    client = sign_in(work.handler)
    own, everything = client.get("/dashboard/").text, client.get("/dashboard/?of=all").text
    assert "本单位经办" in own
    assert sum(chart(own, "chart-trend")["series"][0]["values"]) == 1
    assert sum(chart(everything, "chart-trend")["series"][0]["values"]) == 4


def test_a_member_sees_the_orders_of_the_branch(work, sign_in):
    page = sign_in(work.member).get("/dashboard/").text
    assert "金穗社区第一党支部" in page
    assert sum(chart(page, "chart-trend")["series"][0]["values"]) == 1


def test_the_own_rows_of_a_department_hide_nothing(work, sign_in):
    page = sign_in(work.handler).get("/figures/matters.raised/rows/?of=own").text
    assert "第0盏路灯" in page
    assert "超出您的查看范围" not in page


def test_nobody_else_narrows_figures_to_their_own(work, sign_in):
    page = sign_in(work.clerk).get("/dashboard/?of=own").text
    assert "本单位经办" not in page
    assert sum(chart(page, "chart-trend")["series"][0]["values"]) == 3


def test_a_department_reads_the_places_below_its_own_and_no_other_county(work, sign_in):
    client = sign_in(work.handler)
    assert client.get(f"/dashboard/?place={work.township.code}").status_code == 200
    assert client.get(f"/dashboard/?place={work.far_county.code}").status_code == 404


def test_what_grows_is_named_with_three_numbers_that_open(work, sign_in):
    for number in range(6):
        work.matter(at=work.other_village, subject=f"又一条水渠{number}")
    client = sign_in(work.county_clerk)
    page = client.get("/dashboard/").text
    grown = page[page.index("增长较快") :]
    grown = grown[: grown.index("</table>")]
    assert "云峰镇" in grown
    assert "陵江镇" not in grown
    rows = client.get(html.unescape(re.search(r'href="([^"]+)">7<', grown)[1])).text
    assert rows.count("/matters/CX-") == 7


def test_what_is_late_is_counted_by_place_and_opens(work, sign_in):
    Matter.objects.filter(township=work.township).update(due_at=timezone.now() - dt.timedelta(hours=1))
    client = sign_in(work.county_clerk)
    page = client.get("/dashboard/").text
    late = page[page.index("当前超期") :]
    link = html.unescape(re.search(r'href="([^"]+)">3<', late)[1])
    assert client.get(link).text.count("/matters/CX-") == 3


def test_a_matter_that_is_due_later_today_is_not_late(work):
    from weilu.indicators.reading import read
    from weilu.lib.period import last_days

    Matter.objects.update(due_at=timezone.now() + dt.timedelta(minutes=5))
    assert read(catalogue()["matters.late"], work.county, last_days(timezone.localdate(), 90)).whole.value == 0


def test_places_without_a_row_are_compared_too(work, sign_in):
    Matter.objects.filter(township=work.other_township).update(township=work.township)
    page = sign_in(work.county_clerk).get("/dashboard/?measure=matters.raised").text
    found = chart(page, "chart-below")
    assert dict(zip(found["labels"], found["series"][0]["values"], strict=True)) == {"陵江镇": 4, "云峰镇": 0}
    assert found["median"] == 2
    assert f"/dashboard/?place={work.other_township.code}" in page


def test_the_title_of_the_comparison_says_the_answer(work, sign_in):
    page = sign_in(work.county_clerk).get("/dashboard/?measure=matters.raised").text
    assert "陵江镇收到诉求最多" in page


def test_a_measure_that_is_not_there_leaves_the_comparison_out_and_breaks_nothing(work, sign_in):
    assert sign_in(work.county_clerk).get("/dashboard/?measure=no.such").status_code == 200


def test_a_place_without_records_says_what_will_be_here(world, sign_in):
    page = sign_in(world.clerk).get("/dashboard/").text
    assert "这里还没有记录" in page
    assert "登记诉求" in page


def test_the_trend_has_twelve_months_for_those_without_a_script_too(work, sign_in):
    page = sign_in(work.county_clerk).get("/dashboard/").text
    assert page.count("<rect") >= 24
    assert f"{timezone.localdate():%Y-%m}" in page
    assert len(chart(page, "chart-trend")["labels"]) == 12


def test_the_dashboard_asks_one_query_a_figure(work, sign_in, django_assert_max_num_queries):
    client = sign_in(work.county_clerk)
    client.get("/dashboard/")
    with django_assert_max_num_queries(30):
        client.get("/dashboard/")


def test_the_excel_file_of_the_dashboard_says_place_and_period_on_every_sheet(work, sign_in):
    answer = sign_in(work.county_clerk).get("/dashboard/?format=xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names[:3] == ["数据", "月份", "下级地点"]
    for name in book.sheet_names:
        lines = book.get_sheet_by_name(name).to_python()
        assert "苍溪县" in lines[0][0]
        assert "近90天" in lines[1][0]
    first = book.get_sheet_by_name("数据").to_python()
    assert ["收到诉求", "件", 4.0] in [line[:3] for line in first]


def test_the_cards_are_figures_of_the_catalogue():
    assert set(CARDS) <= set(catalogue())


def test_the_map_colours_places_by_their_figure_and_opens_their_page(work, sign_in):
    set_outline(work.township, square(0, 0, 4))
    client = sign_in(work.county_clerk)
    found = json.loads(client.get(f"/figures/matters.raised/areas/?place={work.county.code}&level=township").content)
    (feature,) = found["features"]
    assert feature["properties"]["count"] == "3 件"
    assert feature["properties"]["url"].startswith(f"/dashboard/?place={work.township.code}")
    page = client.get(f"/figures/matters.raised/map/?place={work.county.code}&level=township").text
    assert "1个地点还没有边界" in page
    assert "云峰镇" in page


def test_a_grid_has_no_map_and_says_so(work, sign_in):
    client = sign_in(work.grid_worker)
    assert "这个地点没有下级" in client.get("/figures/matters.raised/map/").text
    assert client.get("/figures/matters.raised/areas/").status_code == 404


def test_the_map_is_drawn_by_villages_where_one_asks_for_them(work, sign_in):
    page = sign_in(work.county_clerk).get(f"/figures/matters.raised/map/?level={Level.VILLAGE.name.lower()}").text
    assert "红旗村" in page


def test_one_busy_place_does_not_leave_all_others_pale():
    assert shades([1, 2, 3, 4, 1000]) == {1: 1, 2: 2, 3: 3, 4: 4, 1000: 5}
    assert shades([7]) == {7: 4}
    assert shades([]) == {}


def test_the_trend_ends_with_the_period_that_is_asked_for(work, sign_in):
    moment = dt.datetime(2022, 5, 5, 10, tzinfo=BEIJING)
    Matter.objects.filter(pk=Matter.objects.first().pk).update(created_at=moment)
    client = sign_in(work.county_clerk)
    page = client.get("/dashboard/?period=2022").text
    assert chart(page, "chart-trend")["labels"][0] == "2022-01"
    assert sum(chart(page, "chart-trend")["series"][0]["values"]) == 1
    assert "这段时间没有记录" in client.get("/dashboard/?period=2020").text


def test_what_is_late_now_is_late_whatever_period_is_shown(work, sign_in):
    Matter.objects.update(due_at=timezone.now() - dt.timedelta(hours=3))
    client = sign_in(work.county_clerk)
    page = client.get("/dashboard/?period=2022").text
    assert "没有超期的" not in page
    link = html.unescape(re.search(r'href="(/figures/matters.late/[^"]*)"', page)[1])
    assert "4" in re.search(r'class="value">([^<]*)<', client.get(link).text)[1]


def test_a_village_that_was_merged_is_counted_in_what_goes_on_from_it(work, sign_in):
    """In a period of before as well: the places below are those of today, and together they are the whole."""
    other = conftest.place(f"{work.township.code}777", "并出村", Level.VILLAGE, work.township)
    work.matter(at=other)
    Matter.objects.update(created_at=dt.datetime(2025, 5, 5, 10, tzinfo=BEIJING))
    into = NewPlace(code=work.village.code, name="合并村")
    merge([work.village, other], into=into, on=timezone.localdate(), by=None)
    user = work.county_clerk
    wanted = Asked(user, work.township, Period.of("2025Q2"))
    below = compared(wanted, Reads(wanted), ["matters.raised"])
    values = {name: part.value for name, part in below.of("matters.raised")}
    assert values["合并村"] == 4
    assert "并出村" not in values


def test_the_excel_file_has_what_is_late(work, sign_in):
    Matter.objects.update(due_at=timezone.now() - dt.timedelta(days=3))
    answer = sign_in(work.county_clerk).get("/dashboard/?format=xlsx")
    lines = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_name("当前超期").to_python()
    assert [work.township.short_name, 3.0] in [line[:2] for line in lines]


def test_a_period_to_come_says_so(work, sign_in):
    client = sign_in(work.county_clerk)
    assert "尚未开始" in client.get("/figures/matters.unsettled/?period=2099").text
    assert "尚未开始" not in client.get(f"/figures/matters.unsettled/?period={timezone.localdate().year}").text


def test_the_map_counts_what_lies_in_none_of_the_places(work, sign_in):
    """A matter that names the county only: the table has a line for it, so that it adds up to the figure."""
    work.matter(at=work.county)
    page = sign_in(work.county_clerk).get(f"/figures/matters.raised/map/?place={work.county.code}").text
    table = page[page.index("map-table") :]
    rows = re.findall(r'<td class="num">(\d+)</td></tr>', table)
    whole = read(catalogue()["matters.raised"], work.county, Period.of(str(timezone.localdate().year))).whole.rows
    assert sum(map(int, rows)) == whole
    assert "不详" in table


def test_places_that_read_the_same_have_the_same_shade(work):
    """95.21 and 95.24 are 95.2 to the reader, and the legend's steps do not overlap."""
    values = [95.21, 95.24, 80.0, 90.0, 70.0, 60.0, 99.0]
    found = shades([as_shown(value) for value in values])
    assert found[as_shown(95.21)] == found[as_shown(95.24)]
