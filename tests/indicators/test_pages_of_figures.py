"""Pages of figures: every number opens into its rows, as far as the reader may see."""

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from weilu.indicators.catalogue import catalogue
from weilu.matters import services

YEAR = str(timezone.localdate().year)


@pytest.fixture
def work(world):
    """Three matters of the village, one of them handed to the department, and one of another township."""
    found = [world.matter(subject=f"第{number}盏路灯") for number in range(3)]
    services.dispatch(found[0], to=world.department, by=world.county_clerk, version=1)
    world.matter(at=world.other_village, subject="别处的水渠")
    return world


def test_the_catalogue_names_every_figure_with_what_counts(work, sign_in):
    page = sign_in(work.county_clerk).get("/figures/").text
    for indicator in catalogue().values():
        assert f"/figures/{indicator.code}/" in page
        assert str(indicator.scope) in page


def test_a_figure_shows_its_value_and_opens_its_rows(work, sign_in):
    client = sign_in(work.county_clerk)
    page = client.get(f"/figures/matters.raised/?place={work.county.code}&period={YEAR}&by=township").text
    assert ">4 <small>" in page
    rows = client.get(f"/figures/matters.raised/rows/?place={work.county.code}&period={YEAR}").text
    assert rows.count("/matters/CX-") == 4
    part = client.get(
        f"/figures/matters.raised/rows/?place={work.county.code}&period={YEAR}&by=township&key={work.other_township.code}"
    ).text
    assert "别处的水渠" in part
    assert "路灯" not in part


def test_rows_that_the_reader_may_not_open_are_counted_not_shown(work, sign_in):
    page = sign_in(work.handler).get(f"/figures/matters.raised/rows/?place={work.county.code}&period={YEAR}").text
    assert "第0盏路灯" in page
    assert "别处的水渠" not in page
    assert "其中3条超出您的查看范围" in page


@pytest.mark.parametrize(
    "page", ["/figures/", "/figures/matters.raised/", "/figures/matters.raised/rows/", "/dashboard/"]
)
def test_a_place_outside_the_scope_is_not_there(work, sign_in, page):
    assert sign_in(work.clerk).get(f"{page}?place={work.other_township.code}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/figures/no.such/",
        "/figures/matters.raised/?period=gestern",
        "/figures/matters.raised/rows/?by=colour&key=red",
        "/figures/matters.raised/rows/?by=month&key=gestern",
    ],
)
def test_what_is_not_there_is_said_so(work, sign_in, address):
    assert sign_in(work.clerk).get(address).status_code == 404


def test_the_query_is_for_administrators_only(work, sign_in):
    assert "SELECT" in sign_in(work.administrator).get("/figures/matters.raised/").text
    assert "SELECT" not in sign_in(work.clerk).get("/figures/matters.raised/").text


def test_the_excel_file_holds_the_parts_and_the_whole(work, sign_in):
    answer = sign_in(work.county_clerk).get(f"/figures/matters.raised/?period={YEAR}&by=township&format=xlsx")
    import io

    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert [row[:2] for row in rows[7:]] == [["陵江镇", 3.0], ["云峰镇", 1.0], ["合计", 4.0]]


def test_the_rows_of_a_figure_come_in_pages(work, sign_in):
    for number in range(98):
        work.matter(subject=f"第{number}条水渠")
    client = sign_in(work.county_clerk)
    address = f"/figures/matters.raised/rows/?place={work.county.code}&period={YEAR}"
    first, second = client.get(address).text, client.get(f"{address}&page=2").text
    assert first.count("/matters/CX-") == 100
    assert second.count("/matters/CX-") == 2
    assert "第1页，共2页" in first
    assert client.get(f"{address}&page=99").text.count("/matters/CX-") == 2


def test_the_excel_file_of_rows_holds_those_that_the_reader_may_open(work, sign_in):
    address = f"/figures/matters.raised/rows/?place={work.county.code}&period={YEAR}&format=xlsx"
    import io

    content = sign_in(work.handler).get(address).content
    lines = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    said = [str(cell) for line in lines for cell in line]
    assert "第0盏路灯" in said
    assert "别处的水渠" not in said
    assert any("另有3条" in cell for cell in said)


def test_the_dashboard_of_a_grid_has_nothing_below_and_still_opens(work, sign_in):
    assert sign_in(work.grid_worker).get("/dashboard/").status_code == 200


def test_numbers_days_and_names_are_not_broken_over_lines(world, sign_in):
    matter = world.matter(subject="村口的路灯坏了三天没有人来修")
    page = sign_in(world.county_clerk).get("/figures/matters.raised/rows/").text
    assert f'<td class="nobr"><a href="{matter.get_absolute_url()}">{matter.number}' in page
    assert "<td>村口的路灯坏了三天没有人来修" in page
