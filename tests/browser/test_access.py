"""Pages for everybody: WCAG 2.2 AA by axe, no sideways scrolling, large type, keyboard."""

import pytest

from weilu.matters import services

RESIDENT = ["/", "/raise/", "/follow/", "/results/", "/notice/510824100001/", "/login/"]
WORK = [
    "/desk/", "/matters/", "/matters/?tab=all", "/matters/?tab=all&q=没有这样的词", "/matters/new/", "/places/",
    "/messages/", "/account/", "/desk/mine/", "/dashboard/", "/figures/", "/figures/matters.raised/",
    "/figures/matters.raised/rows/", "/figures/matters.raised/definition/", "/figures/matters.raised/compare/",
    "/figures/matters.raised/map/",
]  # fmt: skip
MANAGE = ["/accounts/", "/accounts/new/", "/accounts/clerk/", "/settings/", "/settings/category/other/"]

# What sticks out, outermost first; nothing when the page itself does not scroll sideways.
WIDE = """() => document.documentElement.scrollWidth <= innerWidth + 1 ? [] :
  [...document.querySelectorAll("main *")].filter(n => n.getBoundingClientRect().right > innerWidth + 1)
  .map(n => n.tagName + "." + n.className).slice(0, 3).concat("page")"""


@pytest.fixture
def busy(site):
    """A few matters in different states."""
    done = services.settle(site.matter(), by=site.clerk, version=1, outcome="已修好。")
    services.rate(done, rating=4, comment="好")
    site.asked = services.ask(site.matter(), by=site.clerk, version=1, note="是哪一盏？")
    site.settled = services.settle(site.matter(), by=site.clerk, version=1, outcome="已修好。")
    services.dispatch(site.matter(), to=site.branch, by=site.clerk, version=1)
    site.open = site.matter(contact=services.Contact("王秀英", "13812345678"))
    return site


def at_sizes(browser, args, widths=(390, 1280)):
    for width in widths:
        yield browser.new_context(**args | {"viewport": {"width": width, "height": 844}}).new_page()


def test_residents_pages_have_no_faults(busy, browser, browser_context_args, faults_of):
    faults = []
    for page in at_sizes(browser, browser_context_args):
        for path in RESIDENT:
            page.goto(busy.url + path)
            faults += faults_of(page)
        page.goto(f"{busy.url}/at/{busy.village.code}/")
        page.check("input[name=module] >> nth=0")
        page.fill("#subject", "坑洼")
        page.click(".send-bar .btn-primary")
        faults += faults_of(page)
        page.goto(f"{busy.url}/raise/where/?change")
        faults += faults_of(page)
        page.goto(f"{busy.url}/raise/send/")
        faults += faults_of(page)
        page.fill("#phone", "12")
        page.click(".send-bar .btn-primary")
        faults += faults_of(page)
        page.fill("#phone", "")
        page.click(".send-bar .btn-primary")
        faults += faults_of(page)
        for matter in (busy.asked, busy.settled):
            page.goto(f"{busy.url}/follow/")
            page.fill("#number", matter.number)
            page.fill("#secret", services.secret_for(matter.intake_key))
            page.click("form.card .btn-primary >> nth=-1")
            faults += faults_of(page)
    assert faults == []


def test_work_pages_have_no_faults(busy, browser, browser_context_args, faults_of, log_in):
    faults = []
    for page in at_sizes(browser, browser_context_args):
        log_in(page, "clerk")
        for path in [*WORK, f"/matters/{busy.open.number}/", f"/matters/{busy.settled.number}/", "/matters/CX-0/"]:
            page.goto(busy.url + path)
            faults += faults_of(page)
    page = browser.new_context(**browser_context_args).new_page()
    log_in(page, "member")
    page.goto(f"{busy.url}/desk/orders/")
    faults += faults_of(page)
    page = browser.new_context(**browser_context_args).new_page()
    log_in(page, "administrator")
    for path in MANAGE:
        page.goto(busy.url + path)
        faults += faults_of(page)
    assert faults == []


def test_nothing_scrolls_sideways_at_320_pixels_even_in_large_type(busy, browser, browser_context_args, log_in):
    wide = []
    context = browser.new_context(**browser_context_args | {"viewport": {"width": 320, "height": 640}})
    context.add_cookies([{"name": "large", "value": "1", "url": busy.url}])
    page = context.new_page()
    for path in RESIDENT:
        page.goto(busy.url + path)
        wide += [path + " " + node for node in page.evaluate(WIDE)]
    log_in(page, "clerk")
    for path in [*WORK, f"/matters/{busy.open.number}/"]:
        page.goto(busy.url + path)
        wide += [path + " " + node for node in page.evaluate(WIDE)]
    assert wide == []


def test_large_type_is_switched_on_without_a_script_and_stays(busy, browser, browser_context_args):
    page = browser.new_context(java_script_enabled=False, **browser_context_args).new_page()
    page.goto(busy.url)
    page.click("form[action$='/type-size/'] button")
    assert page.locator("html.large").count() == 1
    page.goto(f"{busy.url}/results/")
    assert page.locator("html.large").count() == 1


def test_pages_ask_nobody_else_and_break_no_policy(busy, browser, browser_context_args):
    page = browser.new_context(**browser_context_args).new_page()
    hosts, errors = set(), []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(busy.url)
    page.goto(f"{busy.url}/results/")
    assert hosts == {busy.url.split("/")[2]}
    assert errors == []
