"""The tree of places and bodies: a level at a time, counted in one query, within one's scope."""

import datetime as dt

import pytest

from weilu.orgs import tree
from weilu.orgs.bodies import close_body, make_body
from weilu.orgs.models import Grant, Level, Organisation, Place, User
from weilu.orgs.roles import Role

Kind = Organisation.Kind
SINCE = dt.date(2020, 1, 1)


@pytest.fixture
def party(world) -> dict[str, Organisation]:
    def body(kind, name, parent=None, place=world.village) -> Organisation:
        return make_body(place=place, kind=kind, name=name, by=None, since=SINCE, parent=parent)

    committee = body(Kind.PARTY_COMMITTEE, "金穗社区党委")
    branch = body(Kind.BRANCH, "凯旋城党支部", committee)
    group = body(Kind.PARTY_GROUP, "一号楼党小组", branch, world.grid)
    return {"committee": committee, "branch": branch, "group": group}


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def names(nodes) -> list[str]:
    return [node.name for node in nodes]


def test_a_level_holds_the_bodies_that_stand_there_and_then_the_places(world, party):
    nodes = tree.below_place(fresh(world.clerk), world.village, set())
    assert names(nodes) == ["金穗社区党委", "金穗社区第一党支部", "第一网格"]
    assert [node.opens for node in nodes] == [True, False, True]


def test_a_body_opens_into_the_bodies_below_it_wherever_they_stand(world, party):
    user = fresh(world.clerk)
    assert names(tree.below_body(user, party["committee"], set())) == ["凯旋城党支部"]
    assert names(tree.below_body(user, party["branch"], set())) == ["一号楼党小组"]


def test_bodies_below_each_place_are_counted_by_kind(world, party):
    counts = tree.counts_below(fresh(world.county_clerk), world.county)
    assert counts[world.township.code] == {"office": 1, "branch": 2, "party_committee": 1, "party_group": 1}
    assert counts[world.other_township.code] == {"office": 1}
    close_body(party["group"], by=None, on=dt.date(2021, 1, 1))
    assert "party_group" not in tree.counts_below(fresh(world.county_clerk), world.county)[world.township.code]


def test_the_address_of_a_count_lists_as_many_rows(world, party, sign_in):
    client = sign_in(world.county_clerk)
    [node] = [
        node for node in tree.below_place(fresh(world.county_clerk), world.county, set()) if node.name == "陵江镇"
    ]
    for _word, count, address in node.counts:
        assert len(client.get(address).context["rows"]) == count


def test_a_wide_level_asks_as_few_questions_as_a_narrow_one(world, party, django_assert_num_queries):
    for number in range(30):
        code = f"5108241009{number:02d}"
        place = Place.objects.create(
            code=code, name=f"{number}村", short_name=f"{number}村", level=Level.VILLAGE, parent=world.township,
            path=f"{world.township.path}{code}/",
        )  # fmt: skip
        make_body(place=place, kind=Kind.BRANCH, name="党支部", by=None, since=SINCE)
    user = fresh(world.clerk)
    user.grants_now  # noqa: B018  asked once for a request
    with django_assert_num_queries(3):
        assert len(tree.below_place(user, world.township, set())) == 32


def test_the_tree_is_open_down_to_a_body_without_a_script(world, party, sign_in):
    text = sign_in(world.clerk).get(f"/tree/?body={party['group'].pk}").content.decode()
    for name in ("金穗社区党委", "凯旋城党支部", "一号楼党小组"):
        assert name in text
    assert f'id="n-{party["group"].pk}"' in text
    assert 'aria-expanded="true"' in text


def test_a_level_alone_is_no_whole_page(world, party, sign_in):
    text = sign_in(world.clerk).get(f"/tree/{world.village.code}/").content.decode()
    assert "金穗社区党委" in text
    assert "<html" not in text


def test_what_lies_outside_ones_scope_is_not_in_the_tree(world, party, sign_in):
    client = sign_in(world.stranger)
    for address in ("/tree/", f"/tree/?open={world.village.code}", f"/tree/?body={party['branch'].pk}"):
        assert "金穗" not in client.get(address).content.decode()
    assert client.get(f"/tree/{world.village.code}/").status_code == 404
    assert client.get(f"/tree/body/{party['branch'].pk}/").status_code == 404


def test_an_address_that_is_none_begins_at_the_top(world, sign_in):
    client = sign_in(world.clerk)
    assert client.get("/tree/?body=nonsense").status_code == 302
    assert client.get("/tree/?open=000").status_code == 200
    assert client.get("/organisations/?after=~~").status_code == 200


def test_pages_of_the_list_lose_no_body_even_of_one_name(world, sign_in, monkeypatch):
    monkeypatch.setattr("weilu.orgs.tree_views.PAGE", 2)
    for place in (world.village, world.grid, world.township, world.county):
        make_body(place=place, kind=Kind.ENTERPRISE, name="同名公司", by=None, since=SINCE)
    client, seen, address = sign_in(world.county_clerk), [], "/organisations/?kind=enterprise"
    while address:
        page = client.get(address).context
        seen += [row.pk for row in page["rows"]]
        address = page["next_page"] and f"/organisations/{page['next_page']}"
    assert len(seen) == len(set(seen)) == 4


def test_many_tops_are_counted_at_once_and_as_each_would_be(world, party, django_assert_max_num_queries):
    places = [world.village, world.other_village]
    for number in range(3):
        code = f"5108241009{number:02d}"
        place = Place.objects.create(
            code=code, name=code, short_name=code, level=Level.VILLAGE, parent=world.township,
            path=f"{world.township.path}{code}/",
        )  # fmt: skip
        make_body(place=place, kind=Kind.BRANCH, name="党支部", by=None, since=SINCE)
        places.append(place)
    user = world.user("walker", Role.OBSERVER, places[0])
    for place in places[1:]:
        Grant.objects.create(user=user, role=Role.OBSERVER, place=place, jurisdiction=world.jurisdiction)
    user = fresh(user)
    with django_assert_max_num_queries(3):  # grants, places, counts
        nodes = tree.whole(user, set())
    counts = {node.name: {word: count for word, count, _address in node.counts} for node in nodes}
    assert len(counts) == 5
    assert sum(counts["金穗社区"].values()) == 4
    assert sum(counts["红旗村"].values()) == 0
