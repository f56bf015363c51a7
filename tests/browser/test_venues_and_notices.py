"""Pages of venues and notices: WCAG 2.2 AA by axe, nothing sideways at 320 pixels, a booking without a script."""

import pytest

from tests.browser.test_access import WIDE, at_sizes
from tests.venues.conftest import make_hall, make_wish
from weilu.portal.models import NoticePrint
from weilu.venues import services
from weilu.venues.models import Booking


@pytest.fixture
def rooms(site):
    """A hall, a service centre, a request, a booking; a print under way."""
    site.hall = make_hall(site)
    make_hall(site, name="党群服务中心", kind="service_centre", latitude=31.73, longitude=105.94)
    type(site.grid).objects.filter(pk=site.grid.pk).update(latitude=31.74, longitude=105.94, households=90)
    site.asked = services.ask_for(site.hall, make_wish(name="李秀兰", phone="13812345678"), by=None)
    services.book(site.hall, make_wish(15, 16, days=1, key="two"), by=site.clerk)
    given = {"kinds": ["grid"], "address": "http://x", "total": 3, "created_by": site.clerk}
    site.made = NoticePrint.objects.create(
        jurisdiction=site.jurisdiction, place=site.village, phase="done", done=3, **given
    )
    return site


def public(rooms):
    hall = f"/venues/{rooms.hall.pk}/"
    return ["/venues/", hall, f"{hall}ask/", f"/notice/{rooms.grid.code}/", f"/notice/body/{rooms.branch.pk}/"]


def of_clerks(rooms):
    hall = f"/desk/venues/{rooms.hall.pk}/"
    pages = ["/desk/venues/", "/desk/venues/new/", hall, f"{hall}book/", "/bookings/", rooms.asked.get_absolute_url()]
    pages += [f"/desk/venues/reach/{rooms.village.code}/", "/desk/notices/", f"/desk/notices/prints/{rooms.made.pk}/"]
    return [*pages, f"/desk/notices/{rooms.village.code}/"]


def test_pages_have_no_faults(rooms, browser, browser_context_args, faults_of, log_in):
    faults = []
    for page in at_sizes(browser, browser_context_args):
        for path in public(rooms):
            page.goto(rooms.url + path)
            faults += faults_of(page)
        log_in(page, "clerk")
        for path in of_clerks(rooms):
            page.goto(rooms.url + path)
            faults += faults_of(page)
    page = browser.new_context(**browser_context_args).new_page()
    log_in(page, "administrator")
    for path in ("/settings/zones/", "/settings/notices/"):
        page.goto(rooms.url + path)
        faults += faults_of(page)
    assert faults == []


def test_nothing_scrolls_sideways_at_320_pixels_even_in_large_type(rooms, browser, browser_context_args, log_in):
    wide = []
    context = browser.new_context(**browser_context_args | {"viewport": {"width": 320, "height": 640}})
    context.add_cookies([{"name": "large", "value": "1", "url": rooms.url}])
    page = context.new_page()
    for path in public(rooms):
        page.goto(rooms.url + path)
        wide += [path + " " + node for node in page.evaluate(WIDE)]
    log_in(page, "clerk")
    for path in of_clerks(rooms):
        page.goto(rooms.url + path)
        wide += [path + " " + node for node in page.evaluate(WIDE)]
    assert wide == []


def test_a_resident_asks_for_a_room_without_a_script(rooms, browser, browser_context_args):
    page = browser.new_context(java_script_enabled=False, **browser_context_args).new_page()
    page.goto(f"{rooms.url}/venues/{rooms.hall.pk}/?week={make_wish(days=5).starts.date()}")
    page.click(f".free a[href*='{make_wish(days=5).starts.date()}'] >> nth=0")
    assert page.input_value("#id_starts") == "09:00"
    page.fill("#id_purpose", "读书会")
    page.fill("#id_name", "李秀兰")
    page.fill("#id_phone", "13812345678")
    page.click("form.card button")
    assert page.locator(".ticket [data-number]").inner_text() in Booking.objects.values_list("number", flat=True)
