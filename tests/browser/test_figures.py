"""Pages of figures in a real browser: charts are drawn under the policy, open what they show, and print."""

import pytest

from tests.indicators.test_dashboards import square
from weilu.orgs.outlines import set_outline

WIDE = {"viewport": {"width": 1280, "height": 900}}
PAGES = [
    "/dashboard/", "/figures/", "/figures/?q=没有这样的词", "/figures/matters.raised/", "/figures/matters.in_time/",
    "/figures/matters.raised/definition/", "/figures/matters.raised/compare/", "/figures/matters.raised/map/",
    "/figures/matters.raised/compare/?period=gestern", "/figures/matters.raised/compare/?kind=siblings",
    "/figures/matters.raised/rows/",
]  # fmt: skip


@pytest.fixture
def busy(site):
    """Some matters of two townships, one of them with an outline."""
    set_outline(site.township, square(0, 0, 4))
    for _number in range(7):
        site.matter()
    site.matter(at=site.other_village)
    return site


def page_of(browser, args, more=WIDE):
    return browser.new_context(**args | more).new_page()


def test_pages_of_figures_have_no_faults_and_break_no_policy(busy, browser, browser_context_args, faults_of, log_in):
    faults = []
    for width in (390, 1280):
        page = page_of(browser, browser_context_args, {"viewport": {"width": width, "height": 844}})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if not request.url.startswith(busy.url) else None)
        log_in(page, "county_clerk")
        for path in PAGES:
            page.goto(busy.url + path)
            page.wait_for_timeout(200)
            faults.extend(f"{path} {fault}" for fault in faults_of(page))
    assert [fault for fault in faults if "data:" not in fault] == []


def test_the_trend_is_drawn_as_svg_and_a_bar_opens_its_month(busy, browser, browser_context_args, log_in):
    page = log_in(page_of(browser, browser_context_args), "county_clerk")
    refused = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.goto(f"{busy.url}/dashboard/?measure=matters.raised")
    page.wait_for_selector("[data-chart=chart-trend][data-ready] svg path", state="attached")
    page.wait_for_selector("[data-chart=chart-below][data-ready] svg path", state="attached")
    assert page.locator("svg.trend").count() == 0
    assert refused == []
    page.locator("[data-chart=chart-below] svg path[fill='#b3121d']").first.click()
    page.wait_for_url("**/figures/matters.raised/rows/**")
    assert "这个数字背后有7条记录" in page.inner_text("main")


def test_a_place_on_the_map_of_a_figure_opens_how_it_goes_there(busy, browser, browser_context_args, log_in):
    page = log_in(page_of(browser, browser_context_args), "county_clerk")
    page.goto(f"{busy.url}/figures/matters.raised/map/")
    page.wait_for_selector("[data-map][data-ready='1'] path.map-area.shade-5")
    page.click("path.map-area", force=True)
    page.wait_for_url("**/dashboard/**")
    assert "陵江镇运行情况" in page.inner_text("h1")


def test_tables_and_the_plain_trend_stand_where_no_script_runs(busy, browser, browser_context_args):
    from tests.conftest import PASSWORD

    page = browser.new_context(java_script_enabled=False, **browser_context_args).new_page()
    page.goto(f"{busy.url}/login/")
    page.fill("#id_username", "county_clerk")
    page.fill("#id_password", PASSWORD)
    page.click("main button.btn-primary")
    page.goto(f"{busy.url}/dashboard/")
    assert page.is_visible("svg.trend")
    assert page.is_visible("table >> text=云峰镇")


def test_on_paper_the_title_stands_and_the_navigation_does_not(busy, browser, browser_context_args, log_in):
    page = log_in(page_of(browser, browser_context_args), "county_clerk")
    page.goto(f"{busy.url}/dashboard/")
    page.wait_for_selector("[data-chart=chart-trend][data-ready]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.is_visible(".print-only")
    assert "打印时间" in page.inner_text(".print-only")
    assert not page.is_visible(".side")
    assert not page.is_visible(".filters")
    assert page.is_visible("[data-chart=chart-trend] + details table")
    assert page.evaluate("document.querySelector('[data-chart=chart-trend] svg').getAttribute('width')") == "680"
