"""A roster in a real browser: sent in, looked at while it is read, put right, entered."""

import datetime as dt

import pytest

from tests.people.rosters.conftest import id_number, workbook
from weilu.people.models import Membership, RosterImport
from weilu.people.rosters import jobs

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "所在党支部", "联系电话"]
WIDTHS = (390, 1280)


@pytest.fixture
def file(tmp_path):
    """Write a workbook for the browser to send."""

    def as_(*rows):
        path = tmp_path / f"党员{dt.datetime.now().timestamp()}.xlsx"
        path.write_bytes(workbook(*rows))
        return str(path)

    return as_


def sent(page, site, path: str) -> RosterImport:
    page.goto(site.url + "/rosters/")
    page.set_input_files("#id_file", path)
    page.click("main form[enctype] button.btn-primary")
    page.wait_for_url("**/rosters/*-*/")
    return RosterImport.objects.latest("created_at")


def sideways(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_roster_goes_its_way(site, browser, browser_context_args, log_in, file, faults_of, width):
    page = browser.new_context(**browser_context_args | {"viewport": {"width": width, "height": 844}}).new_page()
    log_in(page, "clerk")
    people = [[f"党员{n}", id_number(order=n), BRANCH, ""] for n in range(1, 4)]
    roster = sent(page, site, file(HEAD, *people))
    RosterImport.objects.filter(pk=roster.pk).update(done=1_500, total=6_000)
    page.reload()
    bar = page.locator("progress")
    assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("1500", "6000")
    box = bar.bounding_box()
    assert box["width"] > 200
    assert box["x"] + box["width"] <= width
    assert page.locator("text=第1500行").count() == 1
    assert not sideways(page)
    assert faults_of(page) == []
    jobs.work(roster.pk)
    page.wait_for_selector("#changes", timeout=15_000)  # the page looks again by itself
    assert not sideways(page)
    assert faults_of(page) == []
    page.click("text=录入3行")
    page.wait_for_selector("progress")
    jobs.work(roster.pk)
    page.wait_for_selector(".state-done", timeout=15_000)
    assert Membership.objects.count() == 3


@pytest.mark.parametrize("width", WIDTHS)
def test_columns_and_the_second_question_are_for_everybody(
    site, browser, browser_context_args, log_in, file, faults_of, width
):
    page = browser.new_context(**browser_context_args | {"viewport": {"width": width, "height": 844}}).new_page()
    log_in(page, "clerk")
    people = [[f"党员{n}", id_number(order=n), BRANCH, ""] for n in range(1, 21)]
    roster = sent(page, site, file(HEAD, *people))
    jobs.work(roster.pk)
    jobs.enter(roster, by=site.clerk, end_missing=False)
    jobs.work(roster.pk)
    roster = sent(
        page, site, file(["编号", "党员同志", "支部全名", "公民号"], ["一", "李明", BRANCH, id_number(order=99)])
    )
    jobs.work(roster.pk)
    page.wait_for_selector("[name=column-1]", timeout=15_000)
    assert not sideways(page)
    assert faults_of(page) == []
    page.select_option("[name=column-1]", "name")
    page.select_option("[name=column-2]", "organisation")
    page.select_option("[name=column-3]", "id_number")
    page.click("#columns form button[type=submit]")
    page.wait_for_selector("progress")
    jobs.work(roster.pk)
    page.wait_for_selector("#end", timeout=15_000)
    page.check("#end")
    page.click("text=录入1行")
    page.wait_for_selector("#sure")
    assert page.is_checked("#end")
    assert page.locator("text=20人中有20人").count() == 1
    assert not sideways(page)
    assert faults_of(page) == []
    page.goto(site.url + "/rosters/")
    tick, words = page.locator("#id_create_organisations").bounding_box(), page.locator("label.check span").first
    assert abs(tick["y"] - words.bounding_box()["y"]) < 12
    assert tick["x"] < words.bounding_box()["x"]
