"""People join bodies and leave them; days, kinds and scope are held, and the history says who entered it."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.people.people_cast import person
from weilu.orgs.models import Organisation
from weilu.people.memberships import end, join, kinds_for, take_back
from weilu.people.models import Membership
from weilu.people.persons import PersonProblem
from weilu.records.models import Event

DAY = dt.date(2024, 3, 1)
PHONE = "13812345678"


@pytest.fixture
def she(world):
    Organisation.objects.update(valid_from=dt.date(2020, 1, 1))
    world.branch.refresh_from_db()
    return person(world, birth_date=dt.date(1985, 3, 21), phone=PHONE)


@pytest.fixture
def committee(world):
    return Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="community", name="金穗社区居民委员会", place=world.village,
        valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip


def moves(pk):
    return list(Event.objects.filter(record_id=pk).order_by("at", "id").values_list("move", flat=True))


def test_somebody_joins_and_leaves_and_both_histories_say_so(world, she):
    row = join(she, world.branch, kind="member", by=world.village_clerk, since=DAY)
    end(row, by=world.village_clerk, on=dt.date(2025, 3, 1))
    row.refresh_from_db()
    assert (row.valid_from, row.valid_to) == (DAY, dt.date(2025, 3, 1))
    assert moves(she.pk) == ["make", "join", "leave"]
    assert moves(world.branch.pk) == ["member_join", "member_leave"]
    assert PHONE not in str(list(Event.objects.values_list("changes", flat=True)))


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({"until": DAY}, "until"),
        ({"since": dt.date(2019, 12, 31)}, "since"),
        ({"since": dt.date(1980, 1, 1)}, "since"),
        ({"kind": "grid_worker"}, "kind"),
        ({"kind": "reported"}, "kind"),
        ({"kind": "nonsense"}, "kind"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(world, she, given, column):
    with pytest.raises(PersonProblem) as error:
        join(she, world.branch, by=None, **({"kind": "member", "since": DAY} | given))
    assert error.value.column == column
    assert not Membership.objects.exists()


def test_days_that_overlap_are_refused_and_days_after_are_not(world, she):
    row = join(she, world.branch, kind="member", by=None, since=DAY)
    with pytest.raises(PersonProblem) as error:
        join(she, world.branch, kind="member", by=None, since=dt.date(2025, 1, 1))
    assert error.value.column == "since"
    end(row, by=None, on=dt.date(2025, 1, 1))
    join(she, world.branch, kind="member", by=None, since=dt.date(2025, 1, 1))
    with pytest.raises(PersonProblem):
        end(row, by=None, on=dt.date(2025, 2, 1))
    assert Membership.objects.count() == 2


def test_nobody_is_a_party_member_before_eighteen(world, she):
    young = person(world, "小明", birth_date=dt.date(2008, 5, 2))
    with pytest.raises(PersonProblem, match="18"):
        join(young, world.branch, kind="member", by=None, since=dt.date(2026, 5, 1))
    with pytest.raises(PersonProblem, match="18"):
        person(world, "小红", birth_date=dt.date(2008, 2, 29), joined_party_on=dt.date(2026, 2, 28))
    assert join(young, world.branch, kind="member", by=None, since=dt.date(2026, 5, 2))
    assert person(world, "小刚", birth_date=dt.date(2008, 2, 29), joined_party_on=dt.date(2026, 3, 1))


def test_a_grid_worker_has_a_grid_of_the_bodys_place_or_walks_all(world, she, committee):
    assert join(she, committee, kind="grid_worker", by=None, since=DAY, place=world.grid).place == world.grid
    for kind, place in (("staff", world.grid), ("grid_worker", world.village)):
        with pytest.raises(PersonProblem) as error:
            join(she, committee, kind=kind, by=None, since=DAY, place=place)
        assert error.value.column == "place"


def test_only_a_clerk_of_the_bodys_place_enters_and_ends(world, she):
    row = join(she, world.branch, kind="member", by=world.clerk, since=DAY)
    for by in (world.stranger, world.member, world.observer):
        with pytest.raises(PersonProblem):
            join(she, world.branch, kind="secretary", by=by, since=DAY)
        with pytest.raises(PersonProblem):
            end(row, by=by, on=timezone.localdate())
        with pytest.raises(PersonProblem):
            take_back(row, by=by)
    take_back(row, by=world.clerk)
    assert not Membership.objects.exists()
    assert moves(world.branch.pk)[-1] == "member_join_undo"


def test_kinds_fit_the_body(world, committee):
    assert "member" in kinds_for(world.branch)
    assert {"grid_worker", "staff", "volunteer", "community_worker"} <= set(kinds_for(committee))
    assert not {"member", "reported"} & set(kinds_for(committee))


# In the browser.


def test_a_clerk_adds_somebody_from_the_body_and_ends_it(world, sign_in, she):
    page = sign_in(world.village_clerk)
    body = f"/organisations/{world.branch.pk}/"
    assert f"{body}members/new/" in page.get(body).content.decode()
    found = page.get(f"{body}members/new/?q=李芳").content.decode()
    assert str(she.pk) in found
    assert PHONE not in found
    given = {"kind": "member", "since": "2024-03-01", "until": "", "note": "转入"}
    assert page.post(f"{body}members/new/", given).status_code == 422
    assert page.post(f"{body}members/new/", given | {"person": she.pk})["Location"] == body
    shown = page.get(body).content.decode()
    row = Membership.objects.get()
    assert f"/memberships/{row.pk}/end/" in shown
    assert "2024-03-01" in shown
    again = page.post(f"{body}members/new/", given | {"person": she.pk})
    assert again.status_code == 422
    page.post(f"/memberships/{row.pk}/end/", {"on": "2025-01-01"})
    assert f"/memberships/{row.pk}/end/" not in page.get(body).content.decode()
    history = page.get(f"{body}?part=history").content.decode()
    assert "李芳" in history


def test_a_clerk_adds_somebody_to_a_body_from_their_page(world, sign_in, she, committee):
    page = sign_in(world.village_clerk)
    address = f"/people/{she.pk}/memberships/new/"
    assert address in page.get(f"/people/{she.pk}/").content.decode()
    assert f"?body={committee.pk}" in page.get(f"{address}?q=居民委员").content.decode()
    assert "全部网格" in page.get(f"{address}?body={committee.pk}").content.decode()
    given = {"body": committee.pk, "kind": "grid_worker", "since": "2024-03-01", "place": world.grid.pk}
    assert page.post(address, given)["Location"] == f"/people/{she.pk}/"
    assert Membership.objects.get().place == world.grid
    other = page.post(address, given | {"body": world.other_office.pk})
    assert other.status_code == 404


def test_who_keeps_another_place_finds_neither_the_body_nor_the_membership(world, sign_in, she):
    row = join(she, world.branch, kind="member", by=None, since=DAY)
    page = sign_in(world.stranger)
    for address in (f"/organisations/{world.branch.pk}/members/new/", f"/memberships/{row.pk}/end/"):
        assert page.get(address).status_code == 404
