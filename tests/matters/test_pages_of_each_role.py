"""Each page answers for those who may see it."""

import pytest

from weilu.matters import services

PAGES = ["/desk/", "/matters/", "/matters/?tab=all&q=路灯", "/messages/", "/account/", "/places/"]


@pytest.mark.parametrize(
    "role", ["clerk", "village_clerk", "county_clerk", "handler", "member", "grid_worker", "observer", "administrator"]
)
def test_every_role_has_its_pages(world, sign_in, role):
    matter = world.matter(at=world.grid)
    services.dispatch(matter, to=world.branch, by=world.clerk, version=1)
    client = sign_in(world.users[role])
    for page in PAGES:
        answer = client.get(page, follow=True)
        assert answer.status_code == 200, page


def test_the_residents_pages_answer(world, client):
    for page in [
        "/",
        "/raise/",
        "/follow/",
        "/results/",
        "/notice/510824100001/",
        "/notice/510824100001/qr.svg",
        "/login/",
    ]:
        assert client.get(page).status_code == 200, page
