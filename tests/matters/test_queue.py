"""The queue: counts that equal their rows, filters, pages that cover all rows once, search, Excel."""

import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.queries import page_of


def numbers(answer) -> list[str]:
    return [row.number for row in answer.context["page"].rows]


@pytest.fixture
def search(sign_in, world):
    def find(text: str, user=None) -> set[str]:
        return set(numbers(sign_in(user or world.clerk).get("/matters/", {"q": text, "tab": "all"})))

    return find


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("路灯坏了三天", "路燈"),
        ("路燈壞了三天", "路灯"),
        ("养老保险转移", "保险"),
        ("中华人民共和国社会保障卡", "社会保障"),
        ("南京市长江大桥", "长江大桥"),
        ("自來水停水", "自来水"),
        ("ＷＩＦＩ断了", "wifi"),
        ("5G信号差", "5g"),
        ("申请wifi覆盖", "wif"),
        ("低保怎么办", "低保 办"),
        ("医疗报销", "报销，医疗"),
    ],
)
def test_a_word_is_found_wherever_it_stands_in_either_script(world, search, written, sought):
    matter = world.matter(subject=written, detail="")
    world.matter(subject="无关的事", detail="")
    assert search(sought) == {matter.number}


def test_characters_that_the_dictionary_does_not_know_are_found(world, search):
    matter = world.matter(subject="犇羴鱻农家乐油烟", detail="")
    assert search("犇羴鱻") == {matter.number}


def test_all_words_must_be_there(world, search):
    world.matter(subject="路灯坏了", detail="")
    assert search("路灯 水管") == set()


def test_the_detail_and_the_place_are_searched_too(world, search):
    matter = world.matter(subject="求助", detail="下水道堵塞", address="桥头超市旁")
    assert search("下水道") == search("超市") == search("金穗") == {matter.number}


def test_a_rare_character_is_found(world, search):
    matter = world.matter(subject="𠮷家巷停水", detail="")
    world.matter(subject="张家巷停水", detail="")
    assert search("𠮷") == {matter.number}


def test_a_number_is_found_with_and_without_head_and_zeros(world, search):
    world.matter()
    matter = world.matter()
    head, year, serial = matter.number.split("-")
    for text in (
        matter.number,
        matter.number.lower(),
        f"{head}-{int(serial)}",
        f"{head}{serial}",
        f"{year}-{serial}",
        str(int(serial)),
        serial,
        f" {matter.number} ",
    ):
        assert search(text) == {matter.number}, text


def test_a_number_with_the_head_of_another_county_finds_that_county_only(world):
    from weilu.matters.queries import matching

    world.matter()
    far = world.matter(at=world.far_village)
    assert list(matching(Matter.objects.all(), "JG-1")) == [far]
    assert list(matching(Matter.objects.all(), far.number)) == [far]


def test_nothing_of_another_scope_is_found(world, search):
    other, far = world.matter(at=world.other_village), world.matter(at=world.far_village)
    assert search("路灯") == search(other.number) == search(far.number) == set()
    assert search("路灯", world.county_clerk) == {other.number}


def test_pages_cover_all_rows_once_even_at_the_same_moment(world):
    made = {world.matter().pk for _n in range(23)}
    Matter.objects.filter(pk__in=list(made)[:15]).update(created_at=timezone.now())
    seen, after = [], ""
    while True:
        page = page_of(Matter.objects.all(), after, size=4)
        seen += [row.pk for row in page.rows]
        if not page.next:
            break
        after = page.next
    assert len(seen) == len(set(seen)) == 23
    assert set(seen) == made


def test_the_link_to_older_ones_works_and_keeps_the_filters(world, sign_in):
    for _n in range(25):
        world.matter()
    client = sign_in(world.clerk)
    first = client.get("/matters/", {"tab": "raised", "q": "路灯", "place": world.village.code})
    second = client.get("/matters/" + first.context["next_page"])
    assert (len(numbers(first)), len(numbers(second))) == (20, 5)
    assert not set(numbers(first)) & set(numbers(second))
    assert second.context["chosen"]["q"] == "路灯"


def make_all_states(world) -> None:
    hand = services.dispatch
    world.matter()
    hand(world.matter(), to=world.office, by=world.clerk, version=1)
    order = hand(world.matter(), to=world.branch, by=world.clerk, version=1)
    services.take(hand(world.matter(), to=world.branch, by=world.clerk, version=1), by=world.member)
    services.ask(world.matter(), by=world.clerk, version=1, note="哪里？")
    services.settle(world.matter(), by=world.clerk, version=1, outcome="好了")
    services.rate(services.settle(world.matter(), by=world.clerk, version=1, outcome="好了"), rating=5)
    services.decline(world.matter(), by=world.clerk, version=1, note="不归我们")
    Matter.objects.filter(pk=order.pk).update(due_at=timezone.now() - dt.timedelta(days=2))
    world.matter(at=world.other_village)
    world.matter(at=world.far_village)


def test_the_counts_are_the_number_of_rows_behind_them(world, sign_in):
    make_all_states(world)
    for user in (world.clerk, world.county_clerk, world.observer, world.member, world.handler):
        client = sign_in(user)
        page = client.get("/matters/", {"tab": "all"})
        for tab, _word, count, link in page.context["tabs"]:
            if count is not None:
                assert len(numbers(client.get("/matters/" + link))) == count, (user, tab)


def test_a_place_and_a_category_narrow_the_list(world, sign_in):
    here, there = world.matter(), world.matter(at=world.other_village)
    client = sign_in(world.county_clerk)
    assert numbers(client.get("/matters/", {"place": world.township.code})) == [here.number]
    assert numbers(client.get("/matters/", {"place": world.other_village.code})) == [there.number]
    assert numbers(client.get("/matters/", {"place": world.far_village.code})) == []
    assert numbers(client.get("/matters/", {"category": "traffic"})) == []
    assert len(numbers(client.get("/matters/", {"category": "public_works"}))) == 2


def sheet(answer) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()


def test_excel_holds_the_rows_of_the_filter_and_nothing_personal(world, sign_in):
    make_all_states(world)
    world.matter(subject="=1+1", contact=services.Contact("田七", "13987654321"), detail="家里的事")
    client = sign_in(world.clerk)
    for query in ({"tab": "raised"}, {"tab": "done"}, {"tab": "all"}, {"tab": "all", "q": "路灯"}, {"tab": "late"}):
        rows = sheet(client.get("/matters/export/", query))
        assert sorted(row[0] for row in rows[1:]) == sorted(numbers(client.get("/matters/", query))), query
    text = str(sheet(client.get("/matters/export/", {"tab": "all"})))
    assert "=1+1" in text
    for personal in ("田七", "13987654321", "家里的事"):
        assert personal not in text


def test_excel_can_be_made_of_nothing_and_of_control_characters(world, sign_in):
    client = sign_in(world.clerk)
    assert len(sheet(client.get("/matters/export/"))) == 1
    world.matter(subject="坏\x0b了\x1f\ufffe")
    assert len(sheet(client.get("/matters/export/"))) == 2


ADDRESSES = {
    "/matters/?tab=all": "county_clerk",
    "/desk/": "county_clerk",
    "/desk/mine/": "handler",
    "/matters/export/?tab=all": "county_clerk",
    "/messages/": "handler",
}


def questions_of_few_and_many(world, client, address: str) -> tuple[int, int]:
    """Return how often a list asks the database with a few rows, and with many more."""

    def fill(count: int) -> None:
        for _n in range(count):
            services.dispatch(world.matter(at=world.grid), to=world.department, by=world.county_clerk, version=1)
            services.dispatch(world.matter(at=world.grid), to=world.branch, by=world.county_clerk, version=1)
            services.dispatch(world.matter(at=world.grid), to=world.grid, by=world.county_clerk, version=1)
            services.dispatch(world.matter(at=world.county), to=world.department, by=world.county_clerk, version=1)

    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return len(found)

    fill(2)
    client.get(address)
    few = questions()
    fill(6)
    return few, questions()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_long_list_asks_the_database_no_more_than_a_short_one(world, sign_in, address):
    few, many = questions_of_few_and_many(world, sign_in(world.users[ADDRESSES[address]]), address)
    assert few == many


def test_the_list_of_open_orders_asks_no_question_for_each(world, sign_in):
    few, many = questions_of_few_and_many(world, sign_in(world.member), "/desk/orders/")
    assert few == many


def test_the_page_of_a_matter_asks_no_question_for_each_likely_duplicate(world, sign_in):
    client = sign_in(world.clerk)
    matter = world.matter(at=world.grid)

    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(f"/matters/{matter.number}/")
        return len(found)

    world.matter(at=world.grid)
    questions()
    few = questions()
    for _n in range(4):
        world.matter(at=world.grid)
    assert questions() == few


def test_every_link_of_the_queue_leads_somewhere(world, sign_in):
    world.matter()
    client = sign_in(world.clerk)
    page = client.get("/matters/?tab=all&q=路灯").content.decode()
    for link in set(re.findall(r'href="(\?[^"]*)"', page)):
        assert client.get("/matters/" + link.replace("&amp;", "&")).status_code == 200, link
