"""Maps in a real browser: outlines are drawn and opened; an outline is drawn by taps and kept."""

import json

from tests.conftest import place as make_place
from tests.orgs.test_import_grids import square
from weilu.orgs.models import Level, PlaceOutline
from weilu.orgs.outlines import set_outline

WIDE = {"viewport": {"width": 1280, "height": 900}}


def desk(browser, browser_context_args):
    return browser.new_context(**browser_context_args | WIDE).new_page()


def test_the_map_shows_outlines_and_a_tap_opens_the_place(site, browser, browser_context_args, log_in):
    set_outline(site.township, square(0, 0, 4, 4))
    set_outline(site.village, square(0, 0, 2, 2))
    page = log_in(desk(browser, browser_context_args), "clerk")
    refused = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: refused.append(request.url) if not request.url.startswith(site.url) else None)
    page.goto(f"{site.url}/map/")
    page.wait_for_selector("[data-map][data-ready='1'] path.map-area")
    assert "金穗社区" in page.inner_text("[data-map]")
    page.click("path.map-area", force=True)
    page.wait_for_url(f"**/places/{site.village.code}/")
    assert [text for text in refused if "data:" not in text] == []


def test_names_on_the_map_do_not_lie_over_each_other(site, browser, browser_context_args, log_in):
    set_outline(site.village, square(0, 0, 4, 0.1))
    second = make_place("510824100002", "银穗社区", Level.VILLAGE, site.township)
    set_outline(second, square(0, 0.1, 4, 0.1))
    page = log_in(desk(browser, browser_context_args), "clerk")
    page.goto(f"{site.url}/map/")
    page.wait_for_selector("[data-map][data-ready='2'] path.map-area")
    assert page.locator(".map-name").count() == 2
    assert page.locator(".map-name:not(.map-name-off)").count() == 1


def test_the_table_stands_where_no_script_runs(site, browser, browser_context_args):
    from tests.conftest import PASSWORD

    set_outline(site.village, square(0, 0, 2, 2))
    page = browser.new_context(java_script_enabled=False, **browser_context_args).new_page()
    page.goto(f"{site.url}/login/")
    page.fill("#id_username", "clerk")
    page.fill("#id_password", PASSWORD)
    page.click("main button.btn-primary")
    page.goto(f"{site.url}/map/")
    assert not page.is_visible("[data-map]")
    assert page.is_visible("table >> text=金穗社区")


def test_an_outline_is_drawn_by_taps_and_kept(site, browser, browser_context_args, log_in):
    set_outline(site.village, square(0, 0, 2, 2))
    page = log_in(desk(browser, browser_context_args), "village_clerk")
    page.goto(f"{site.url}/places/{site.grid.code}/outline/")
    page.wait_for_selector("[data-outline] .leaflet-container, [data-outline].leaflet-container")
    box = page.locator("[data-outline]").bounding_box()
    middle = (box["width"] / 2, box["height"] / 2)
    for x, y in ((-40, -40), (40, -40), (40, 40), (-40, 40)):
        page.click("[data-outline]", position={"x": middle[0] + x, "y": middle[1] + y})
        page.wait_for_timeout(350)  # two taps in quick succession are a zoom
    drawn = json.loads(page.input_value("#id_geometry"))
    assert len(drawn["coordinates"][0]) == 5
    page.click("main form button[type=submit]")
    page.wait_for_url(f"**/places/{site.grid.code}/")
    kept = PlaceOutline.objects.get(place=site.grid)
    village = PlaceOutline.objects.get(place=site.village)
    assert village.west < kept.west < kept.east < village.east


def test_the_pages_have_no_faults_that_axe_finds(site, browser, browser_context_args, log_in, faults_of):
    set_outline(site.township, square(0, 0, 4, 4))
    set_outline(site.village, square(0, 0, 2, 2))
    set_outline(site.grid, square())
    page = log_in(browser.new_context(**browser_context_args).new_page(), "administrator")
    found = []
    for address in (
        f"/map/?place={site.township.code}",
        f"/map/?place={site.township.code}&layer=heat",
        f"/places/{site.village.code}/grids/",
        f"/places/{site.village.code}/",
        f"/places/{site.village.code}/change/merge/",
        f"/places/{site.village.code}/change/split/",
        f"/places/{site.grid.code}/outline/",
    ):
        page.goto(f"{site.url}{address}")
        page.wait_for_load_state("networkidle")
        found += faults_of(page)
    assert found == []
