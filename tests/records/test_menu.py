"""One list leads to the pages: the side bar of a desk, and the page of one's account, where a phone finds the rest."""

import re

import pytest
from django.urls import resolve, reverse

from tests.routes import CLERKS
from weilu.records.menu import ENTRIES

EVERYBODY = sorted(CLERKS | {"observer", "administrator", "member", "handler", "grid_worker"})


def links(html: str, opened: str) -> list[str]:
    nav = html[html.index(f'<nav class="{opened}"') :]
    return re.findall(r'<a[^>]*? href="([^"]+)"', nav[: nav.index("</nav>")])


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.route)
def test_an_entry_needs_what_its_route_needs(entry):
    assert resolve(reverse(entry.route)).func.access == entry.needs


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_page_of_ones_account_leads_to_all_that_the_bar_of_a_phone_leaves_out(world, sign_in, name):
    page = sign_in(getattr(world, name)).get("/account/").text
    side, further = links(page, "side-nav"), links(page, "pages")
    bar = {reverse(entry.route) for entry in ENTRIES if entry.bar}
    left_out = set(side) - bar - {"/account/"}
    assert left_out - {"/bookings/"} <= set(further)
    assert 'href="/bookings/"' in page
    assert "autofocus" not in page  # a phone would scroll down to it


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_link_there_opens_for_who_sees_it(world, sign_in, name):
    client = sign_in(getattr(world, name))
    for address in links(client.get("/account/").text, "pages"):
        assert client.get(address, follow=True).status_code == 200, address


def test_administrator_and_clerk_find_what_is_theirs_and_a_member_does_not(world, sign_in):
    seen = {
        name: set(links(sign_in(getattr(world, name)).get("/account/").text, "pages"))
        for name in ("administrator", "village_clerk", "member")
    }
    assert {"/accounts/", "/settings/", "/rosters/", "/tree/", "/map/", "/coverage/"} <= seen["administrator"]
    assert {"/rosters/", "/tree/", "/map/", "/coverage/"} <= seen["village_clerk"]
    assert not {"/accounts/", "/settings/"} & seen["village_clerk"]
    assert not {"/accounts/", "/settings/", "/rosters/", "/people/", "/coverage/"} & seen["member"]


@pytest.mark.parametrize(
    ("address", "marked"),
    [
        ("/people/new/", "/people/"), ("/coverage/", "/tree/"), ("/accounts/new/", "/accounts/"),
        ("/figures/", "/dashboard/"), ("/account/", "/account/"),
    ],
)  # fmt: skip
def test_the_side_bar_marks_the_page_above(world, sign_in, address, marked):
    page = sign_in(world.administrator).get(address).text
    nav = page[page.index('<nav class="side-nav"') :]
    nav = nav[: nav.index("</nav>")]
    assert re.findall(r'href="([^"#]+)" aria-current="page"', nav) == [marked]
