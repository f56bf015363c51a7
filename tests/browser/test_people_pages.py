"""Pages of people and honours in a real browser: no fault for those who hear them, nothing sideways on a phone."""

import datetime as dt

import pytest

from weilu.people.honours import award
from weilu.people.merging import merge
from weilu.people.models import Membership, Person
from weilu.people.persons import make_person


@pytest.fixture
def pages(site):
    """The pages of one person with another record, a merged one, a role and an honour."""
    given = {"by": None, "home": site.grid, "name": "李芳", "birth_date": dt.date(1985, 3, 21)}
    person, double, third = (make_person(**given, phone=f"1380000000{number}") for number in range(3))
    Person.objects.filter(pk=person.pk).update(user=site.clerk)
    Membership.objects.create(person=person, organisation=site.branch, kind="member")
    award(person, title="优秀党员", level=2, body="省委", document="1号", awarded_on=dt.date(2025, 7, 1), by=None)
    merge(third, into=person, by=None)
    mine = f"/people/{person.pk}/"
    return [
        *("/people/", "/people/?q=lf", "/people/?q=没有这个人", "/people/new/", "/people/duplicates/", "/honours/"),
        *(mine, f"{mine}edit/", f"/people/{double.pk}/merge/?into={person.pk}", f"/honours/new/?person={person.pk}"),
        *("/honours/new/", "/account/me/"),
    ]


def test_they_have_no_faults(site, pages, browser, browser_context_args, faults_of, log_in):
    faults = []
    for width in (390, 1280):
        page = browser.new_context(**browser_context_args | {"viewport": {"width": width, "height": 844}}).new_page()
        log_in(page, "clerk")
        for path in pages:
            page.goto(site.url + path)
            faults += faults_of(page)
    assert faults == []


def test_nothing_scrolls_sideways_at_320_pixels(site, pages, browser, browser_context_args, log_in):
    page = browser.new_context(**browser_context_args | {"viewport": {"width": 320, "height": 640}}).new_page()
    log_in(page, "clerk")
    wide = []
    for path in pages:
        page.goto(site.url + path)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(path)
    assert wide == []


def test_numbers_are_shown_after_a_reason_without_a_script(site, pages, browser, browser_context_args, log_in):
    page = browser.new_context(java_script_enabled=False, **browser_context_args).new_page()
    log_in(page, "clerk")
    page.goto(site.url + pages[6])
    page.click(".act summary")
    page.fill("#n-reason", "通知开会")
    page.click(".act-body .btn-primary")
    assert "13800000000" in page.content()
    page.goto(site.url + pages[6])
    assert "13800000000" not in page.content()
