"""The preview of a change refuses what the second press would refuse, warns of namesakes, and loses nothing typed."""

import re

import pytest
from django.utils import timezone

from tests.conftest import place as make_place
from weilu.orgs.changes import move
from weilu.orgs.models import Grant, Level, Place, PlaceChange


def given_of(world, **given):
    rest = {"on": timezone.localdate().isoformat(), "document": "川府函1号", "note": "", "seen": ""}
    return {"name": "新村", "code": world.village.code} | rest | given


def split_page(world, client):
    page = client.get(f"/places/{world.village.code}/change/split/?parts=2").content.decode()
    return dict.fromkeys(re.findall(r'name="(belongs_[^"]+)"', page), "0") | {
        "name_0": "金穗社区", "code_0": world.village.code, "name_1": "银穗社区", "code_1": "510824100009",
        "on": timezone.localdate().isoformat(), "document": "川府函1号", "note": "", "seen": "",
    }  # fmt: skip


def problem_at(page: str, field: str) -> str:
    """Return the error that stands in the field's own block."""
    block = page[page.index(f'for="id_{field}"') : page.index(f'name="{field}"')]
    return "".join(re.findall(r'class="errorlist.*?</ul>', block, re.DOTALL))


@pytest.mark.parametrize(
    ("change", "words"),
    [({"code": "510824100002"}, "510824100002"), ({"code": "有空 格"}, "代码"), ({"name": ""}, "没有变化")],
)
def test_the_preview_refuses_at_the_field_what_the_second_press_would(world, sign_in, change, words):
    make_place("510824100002", "另村", Level.VILLAGE, world.township)
    [field] = change
    change = change if change[field] else {field: world.village.name}
    answer = sign_in(world.administrator).post(
        f"/places/{world.village.code}/change/rename/", given_of(world, **change)
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in problem_at(page, field)
    assert 'id="preview"' not in page
    assert 'value="川府函1号"' in page


def test_the_preview_names_the_part_whose_code_is_taken(world, sign_in):
    client = sign_in(world.administrator)
    given = split_page(world, client) | {"code_1": world.township.code}
    answer = client.post(f"/places/{world.village.code}/change/split/?parts=2", given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert world.township.code in problem_at(page, "code_1")
    assert not problem_at(page, "code_0")


def test_a_preview_leaves_nothing_behind(world, sign_in):
    client = sign_in(world.administrator)
    before = Grant.objects.count(), Place.objects.count()
    page = client.post(f"/places/{world.village.code}/change/rename/", given_of(world)).content.decode()
    assert 'id="preview"' in page
    assert (Grant.objects.count(), Place.objects.count()) == before
    assert not PlaceChange.objects.exists()
    assert Place.objects.get(pk=world.village.pk).valid_to is None


def test_a_name_that_a_place_beside_has_needs_a_tick(world, sign_in):
    beside = make_place("510824100002", "同名村", Level.VILLAGE, world.township)
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/rename/"
    answer = client.post(address, given_of(world, name="同名村"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert beside.code in problem_at(page, "name")
    assert 'name="namesake"' in page
    page = client.post(address, given_of(world, name="同名村", namesake="on")).content.decode()
    [mark] = re.findall(r'name="seen" value="(\w+)"', page)
    assert client.post(address, given_of(world, name="同名村", namesake="on", seen=mark)).status_code == 302


def test_two_parts_of_one_name_need_a_tick(world, sign_in):
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/split/?parts=2"
    given = split_page(world, client) | {"name_1": "金穗社区"}
    page = client.post(address, given).content.decode()
    assert problem_at(page, "name_1")
    assert 'id="preview"' in client.post(address, given | {"namesake": "on"}).content.decode()


def test_a_new_grid_named_like_one_beside_it_needs_a_tick(world, sign_in):
    client, address = sign_in(world.village_clerk), f"/places/{world.village.code}/new/grid/"
    given = {"name": world.grid.name, "code": "510824100001-77", "geometry": ""}
    answer = client.post(address, given)
    assert answer.status_code == 422
    assert world.grid.code in problem_at(answer.content.decode(), "name")
    assert client.post(address, given | {"namesake": "on"}).status_code == 302


def test_codes_stand_beside_names_that_repeat(world, sign_in):
    twins = [make_place(f"51082410000{number}", "同名村", Level.VILLAGE, world.township) for number in (2, 3)]
    make_place("510824100004", "独名村", Level.VILLAGE, world.township)
    page = sign_in(world.administrator).get(f"/places/{world.village.code}/change/merge/").content.decode()
    for twin in twins:
        assert f"同名村 ({twin.code})" in page
    assert "独名村 (" not in page


def test_another_part_keeps_all_that_was_typed(world, sign_in):
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/split/?parts=2"
    given = split_page(world, client) | {f"belongs_{world.branch.pk}": "1", "parts_wanted": "3"}
    answer = client.post(address, given)
    page = answer.content.decode()
    assert answer.status_code == 200
    for text in ("银穗社区", "510824100009", "川府函1号"):
        assert f'value="{text}"' in page
    assert 'name="name_2"' in page
    assert 'action="?parts=3"' in page
    chosen = page[page.index(f'name="belongs_{world.branch.pk}"') :]
    assert re.search(r'<option value="(\d)" selected', chosen).group(1) == "1"
    assert "errorlist" not in page


def test_the_preview_of_a_split_says_what_goes_to_which_part(world, sign_in):
    client = sign_in(world.administrator)
    given = split_page(world, client) | {f"belongs_{world.branch.pk}": "1"}
    page = client.post(f"/places/{world.village.code}/change/split/?parts=2", given).content.decode()
    assert page.count("<fieldset") >= 4
    going = page[page.index('<dl class="going">') : page.index("</dl>")]
    first, second = re.findall(r"<dd>(.*?)</dd>", going, re.DOTALL)
    assert str(world.grid) in first
    assert second == str(world.branch)
    assert str(world.branch) not in first.split("、")


def test_the_merger_says_what_to_do_with_a_village_of_another_township(world, sign_in):
    client = sign_in(world.administrator)
    page = client.get(f"/places/{world.village.code}/change/merge/").content.decode()
    assert f'href="/places/{world.village.code}/change/move/"' in page
    page = client.get(f"/places/{world.township.code}/change/merge/").content.decode()
    assert f'href="/places/{world.township.code}/change/move/"' not in page


def test_a_merger_asks_before_two_grids_of_one_name_lie_in_one_village(world, sign_in):
    other = make_place("510824100002", "另村", Level.VILLAGE, world.township)
    make_place("510824100002-01", world.grid.short_name, Level.GRID, other)
    client = sign_in(world.administrator)
    given = given_of(world, others=[str(other.pk)])
    answer = client.post(f"/places/{world.village.code}/change/merge/", given)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert world.grid.short_name in "".join(re.findall(r'class="errorlist.*?</ul>', page, re.DOTALL))
    answer = client.post(f"/places/{world.village.code}/change/merge/", given | {"namesake": "on"})
    assert 'id="preview"' in answer.content.decode()


def test_the_history_of_a_move_names_both_places_above(world, sign_in):
    move(world.village, to=world.other_township, on=timezone.localdate(), by=None)
    page = sign_in(world.administrator).get(f"/places/{world.village.code}/").text
    history = page[page.index("改变隶属") :]
    assert history.index("陵江镇") < history.index("云峰镇")


def test_a_split_asks_until_everything_is_said_or_said_of_all_the_rest(world, sign_in):
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/split/?parts=2"
    given = split_page(world, client)
    asked = [name for name in given if name.startswith("belongs_")]
    given |= dict.fromkeys(asked, "")
    page = client.post(address, given).content.decode()
    assert all(problem_at(page, name) for name in asked)
    assert 'id="preview"' not in page
    page = client.post(address, given | {"rest": "1", asked[0]: "0"}).content.decode()
    assert 'id="preview"' in page
