"""Finding a person by what somebody has at hand, within one's scope."""

import pytest
from django.db import connection

from tests.people.people_cast import id_number, person
from weilu.orgs.models import Organisation
from weilu.people.appointments import appoint, make_post
from weilu.people.finding import PAGE, bodies_called, bodies_shortened, find, listed, people
from weilu.people.models import Membership, Person


@pytest.fixture
def shan(world):
    found = person(world, "单晓红", phone="13812345678", id_number=id_number("19850321", 12))
    person(world, "单晓明", phone="13900005670")
    person(world, "王红", home=world.other_village)
    Membership.objects.create(person=found, organisation=world.branch, kind="member")
    return found


def names(user, text, **filters):
    return [row.name for row in find(people(user, **filters), text, user=user).rows]


@pytest.mark.parametrize(
    "text",
    ["单晓红", "单 晓红", "晓红", "红", "shanxiaohong", "Shàn Xiǎohóng", "shan xiao hong", "sxh", "xiaohong",
     "金穗社区第一党支部", "13812345678", "138 1234 5678", "138****5678", "5678", "138********5678"],
)  # fmt: skip
def test_she_is_found(world, shan, text):
    assert "单晓红" in names(world.clerk, text)


def test_she_is_found_by_her_id_number_in_full_masked_and_by_its_end(world, shan):
    number = shan.id_number
    shown = [f"{number[:6]}********{number[-4:]}", f"{number[:6]}**{number[-4:]}", f"{number[:4]}********{number[-4:]}"]
    for text in (number, number.lower(), *shown, f"{number[:14]}{'*' * 1}{number[-4:]}", f"5*{number[-4:]}"):
        assert names(world.clerk, text) == ["单晓红"], text
    assert names(world.clerk, number[-4:]) == ["单晓红"]
    assert names(world.clerk, f"510823********{number[-4:]}") == []


def test_the_masked_number_on_the_page_finds_the_person_who_bears_it(world, shan):
    assert names(world.clerk, shan.masked_id_number) == names(world.clerk, shan.masked_phone) == ["单晓红"]


def test_a_body_is_found_without_the_county_before_its_name_and_by_its_alias(world, shan):
    Membership.objects.create(person=shan, organisation=world.department, kind="staff")
    world.department.aliases = ["住建局"]
    world.department.save()
    for text in ("苍溪县住房", "住房和城乡建设局", "住建局"):
        assert names(world.county_clerk, text) == ["单晓红"], text


def test_any_part_of_a_bodys_name_finds_who_belongs_to_it_holds_a_post_in_it_or_works_there(world, shan):
    post = make_post(world.department, title="局长", by=None)
    appoint(post, person=shan, by=None, since=post.valid_from)
    works = person(world, "王工", work=world.department)
    for text in ("城乡建设", "建设局", "住建局", "县住房"):  # the third shortens the name
        assert names(world.county_clerk, text) == ["单晓红", "王工"], text
    for text in ("建住局", "住局", "住建局长", "%", "局.*"):
        assert names(world.county_clerk, text) == [], text
    assert names(world.clerk, "第一党支部") == ["单晓红"]
    assert names(world.clerk, "城乡建设") == []  # the body lies outside the scope
    assert works.work == world.department


def test_the_index_of_signs_is_used_to_find_bodies(world):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for condition in (bodies_called("建设局"), bodies_shortened("住建局")):
            query, given = Organisation.objects.filter(condition).order_by().values("pk").query.sql_with_params()
            cursor.execute(f"EXPLAIN {query}", given)
            assert "organisation_by_signs" in "".join(row[0] for row in cursor.fetchall())


def test_the_closest_come_first(world):
    for name in ("晓红", "单晓红", "晓红英"):
        person(world, name)
    assert names(world.clerk, "晓红") == ["晓红", "晓红英", "单晓红"]


def test_nobody_outside_ones_scope_is_found(world, shan):
    number = shan.id_number
    for text in ("单晓红", "sxh", "红", "13812345678", number, number[-4:], "金穗社区第一党支部"):
        assert "单晓红" not in names(world.stranger, text), text
        assert names(world.far_clerk, text) == [], text
        assert names(world.member, text) == [], text


def test_who_was_merged_into_another_is_not_listed(world, shan):
    other = person(world, "单小红")
    Person.objects.filter(pk=other.pk).update(merged_into=shan)
    assert names(world.clerk, "单小红") == []


def test_filters_by_kind_body_and_place(world, shan):
    user = world.county_clerk
    assert {row.name for row in people(user, kind="member")} == {"单晓红"}
    assert {row.name for row in people(user, organisation=world.branch)} == {"单晓红"}
    assert {row.name for row in people(user, organisation=world.branch, kind="staff")} == set()
    assert {row.name for row in people(user, place=world.other_village)} == {"王红"}


def test_the_list_goes_on_page_by_page_in_the_order_of_pinyin(world):
    for number in range(PAGE + 3):
        person(world, f"王{'甲乙丙丁'[number % 4]}")
    first = listed(people(world.clerk))
    second = listed(people(world.clerk), first.after)
    assert (len(first.rows), len(second.rows), second.after) == (PAGE, 3, "")
    assert len({row.pk for row in first.rows + second.rows}) == PAGE + 3


def test_odd_searches_are_answered(world, sign_in, shan):
    page = sign_in(world.clerk)
    for text in ("%", "\\", "'", "*", "****", "1", "１２３４", "x" * 300, "   ", "🙂", "\u0000"):
        assert page.get("/people/", {"q": text, "place": "x", "kind": "x", "after": "x y"}).status_code < 500, text
    assert page.get("/people/", {"organisation": "x" * 36}).status_code == 200


def test_plain_numbers_stand_neither_in_the_page_nor_in_the_tails_of_the_database(world, sign_in, shan):
    text = sign_in(world.clerk).get("/people/", {"q": "单晓红"}).content.decode()
    assert "138****5678" in text
    assert "13812345678" not in text
    assert shan.id_number not in text
    kept = Person.objects.values_list("id_tail_hash", "phone_tail_hash", "id_number_hash").get(pk=shan.pk)
    assert all(b"5678" not in bytes(value) and shan.id_number[-4:].encode() not in bytes(value) for value in kept)


def test_a_list_of_many_asks_no_question_for_each(world, sign_in, django_assert_max_num_queries):
    for number in range(20):
        row = person(world, f"王{number}")
        Membership.objects.create(person=row, organisation=world.branch, kind="member")
    page = sign_in(world.clerk)
    page.get("/people/")
    with django_assert_max_num_queries(12):
        page.get("/people/")
