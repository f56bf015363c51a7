"""Pages of a place's history: a preview before a change, the ended place still opens, both can be asked for."""

import datetime as dt
import re

from django.utils import timezone

from weilu.matters.models import Matter
from weilu.matters.queries import public_places
from weilu.orgs.changes import NewPlace, merge, rename
from weilu.orgs.models import Place, PlaceChange
from weilu.orgs.roles import Role


def today() -> str:
    return timezone.localdate().isoformat()


def seen(page: str) -> str:
    return re.search(r'name="seen" value="(\w+)"', page).group(1)


def test_a_merger_is_previewed_with_counts_and_then_made(world, sign_in):
    world.matter()
    client, address = sign_in(world.administrator), f"/places/{world.township.code}/change/merge/"
    given = {"others": [world.other_township.pk], "name": "陵云镇", "code": world.township.code, "on": today(),
             "document": "川府函1号", "note": "", "seen": ""}  # fmt: skip
    page = client.post(address, given).content.decode()
    assert not PlaceChange.objects.exists()
    cells = re.findall(r'<td class="num">(\d+)</td>', page[page.index('id="preview"') :])
    assert cells == ["3", "2", "2", "0", "1"]
    given["seen"] = seen(page)
    answer = client.post(address, given)
    assert answer["Location"] == f"/places/{world.township.code}/"
    place = client.get(answer["Location"]).content.decode()
    assert "陵云镇" in place
    assert "云峰镇" in place
    assert "川府函1号" in place


def test_what_was_altered_after_the_preview_is_previewed_again(world, sign_in):
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/rename/"
    given = {"name": "新村", "code": world.village.code, "on": today(), "document": "", "note": "", "seen": ""}
    page = client.post(address, given).content.decode()
    client.post(address, given | {"seen": seen(page), "name": "又一村"})
    assert not PlaceChange.objects.exists()


def test_a_split_asks_for_each_child_body_and_grant(world, sign_in):
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/split/?parts=2"
    page = client.get(address).content.decode()
    names = re.findall(r'name="(belongs_[^"]+)"', page)
    assert f"belongs_{world.grid.pk}" in names
    assert f"belongs_{world.branch.pk}" in names
    given = dict.fromkeys(names, "0") | {
        "name_0": "金穗社区", "code_0": world.village.code, "name_1": "银穗社区", "code_1": "510824100009",
        "on": today(), "document": "", "note": "", f"belongs_{world.branch.pk}": "1", "seen": "",
    }  # fmt: skip
    given["seen"] = seen(client.post(address, given).content.decode())
    assert client.post(address, given).status_code == 302
    assert {place.short_name for place in Place.objects.get(pk=world.village.pk).successors.all()} == {
        "金穗社区", "银穗社区",
    }  # fmt: skip


def test_a_wrong_day_keeps_what_was_entered(world, sign_in):
    client, address = sign_in(world.administrator), f"/places/{world.village.code}/change/rename/"
    tomorrow = (timezone.localdate() + dt.timedelta(days=1)).isoformat()
    given = {"name": "新村", "code": world.village.code, "on": tomorrow, "document": "", "note": "", "seen": ""}
    answer = client.post(address, given)
    assert answer.status_code == 422
    assert 'value="新村"' in answer.content.decode()
    assert "还没到" in answer.content.decode()


def test_an_administrator_of_a_township_does_not_change_the_map(world, sign_in):
    local = world.user("local_administrator", Role.ADMINISTRATOR, world.township)
    assert sign_in(local).get(f"/places/{world.village.code}/change/rename/").status_code == 404
    assert "/change/rename/" not in sign_in(local).get(f"/places/{world.village.code}/").content.decode()


def test_an_ended_place_opens_and_names_its_successor(world, sign_in):
    rename(world.village, name="新村", code="510824100008", on=timezone.localdate(), by=None)
    client = sign_in(world.village_clerk)
    answer = client.get(f"/places/{world.village.code}/", follow=True)
    assert answer.redirect_chain == [(f"/places/then/{world.village.pk}/", 302)]
    assert "新村" in answer.content.decode()
    assert sign_in(world.stranger).get(f"/places/{world.village.code}/", follow=True).status_code == 404


def test_the_list_of_matters_asks_for_the_successor_with_all_or_for_the_ended_alone(world, sign_in):
    before = world.matter(subject="并村之前的事")
    new = rename(world.village, name="新村", on=timezone.localdate(), by=None)
    after = world.matter(at=new, subject="并村之后的事")
    client = sign_in(world.clerk)
    both = client.get(f"/matters/?tab=all&place={new.code}").content.decode()
    assert before.subject in both
    assert after.subject in both
    assert str(world.village.pk) in both  # a link to the ended one alone
    one = client.get(f"/matters/?tab=all&place={world.village.pk}").content.decode()
    assert before.subject in one
    assert after.subject not in one
    assert "新村" in one


def test_public_results_go_on_in_the_successor_under_one_name(world, client):
    for number, village in enumerate([world.village, world.village, world.other_village], start=1):
        matter = world.matter(at=village)
        now = timezone.now()
        Matter.objects.filter(pk=matter.pk).update(
            state="rated", rating=5 if number > 1 else 2, settled_at=now, due_at=None, published=True,
            created_at=now - dt.timedelta(hours=24 * number),
        )  # fmt: skip
    new = merge(
        [world.township, world.other_township], into=NewPlace("510824200", "陵云镇"), on=timezone.localdate(), by=None
    )
    [row] = public_places(Matter.objects.public(), "township")
    assert (row.key, row.name, row.settled, row.rated, row.satisfied) == (new.code, "陵云镇", 3, 3, 2)
    assert round(row.days, 3) == 2
    page = client.get(f"/results/?county={world.county.code}&place={new.code}").content.decode()
    assert "陵云镇" in page
    ended = client.get(f"/results/?county={world.county.code}&place={world.other_township.code}")
    assert ended.status_code == 200
    assert "云峰镇" in ended.content.decode()


def test_a_change_is_taken_back_on_the_page(world, sign_in):
    rename(world.village, name="错名村", on=timezone.localdate(), by=world.administrator)
    client = sign_in(world.administrator)
    change = PlaceChange.objects.get()
    page = client.get(f"/places/{world.village.code}/").content.decode()
    assert f"/places/changes/{change.pk}/take-back/" in page
    client.post(f"/places/changes/{change.pk}/take-back/")
    assert Place.objects.get(pk=world.village.pk).valid_to is None
    assert sign_in(world.clerk).post(f"/places/changes/{change.pk}/take-back/").status_code == 403
