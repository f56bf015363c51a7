"""Settling: what the resident reads, and what everybody may."""

import pytest

from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.services import PersonalInPublic

RESIDENT = services.Contact("欧阳明月", "13812345678", "ming@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "请联系13912345678",
        "电话：13912345678。",
        "身份证510824198001011234",
        "510824800101123",
        "51082419800101123X",
        "欧阳明月家门口已修",
    ],
)
def test_a_public_text_with_something_personal_is_refused(world, text):
    matter = world.matter(contact=RESIDENT)
    with pytest.raises(PersonalInPublic):
        services.settle(matter, by=world.clerk, version=1, outcome="好了", public_outcome=text)
    assert Matter.objects.get(pk=matter.pk).state == "raised"


@pytest.mark.parametrize(
    "text",
    ["139 1234 5678", "139-1234-5678", "１３９１２３４５６７８", "身份证 510824 19800101 1234", "ming@example.org"],
)
def test_a_public_text_with_something_personal_in_another_spelling_is_refused(world, text):
    matter = world.matter(contact=RESIDENT)
    with pytest.raises(PersonalInPublic):
        services.settle(matter, by=world.clerk, version=1, outcome="好了", public_outcome=text)


@pytest.mark.parametrize(
    "text",
    [
        "灯已换好。",
        "2026年11月22日换灯3盏",
        "工单20261122000001",
        "欧家河边的灯",
        "服务热线12345",
        "停电 2026-10-1 2026-11-22",
        "电费 120 130 140 150 160元",
    ],
)
def test_an_ordinary_public_text_is_kept(world, text):
    matter = world.matter(contact=RESIDENT)
    done = services.settle(matter, by=world.clerk, version=1, outcome="好了", public_outcome=text)
    assert done.public_outcome == text


def test_what_was_typed_stays_in_the_page_when_it_is_refused(world, sign_in):
    matter = world.matter(contact=RESIDENT)
    data = {"version": 1, "outcome": "换了三盏灯泡", "publish": "on", "public_outcome": "找13912345678"}
    answer = sign_in(world.clerk).post(f"/matters/{matter.number}/settle/", data)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "换了三盏灯泡" in text
    assert "找13912345678" in text
    assert 'role="alert"' in text


def test_a_settled_matter_is_public_only_if_said_so(world):
    shown = services.settle(world.matter(), by=world.clerk, version=1, outcome="好了")
    services.settle(world.matter(), by=world.clerk, version=1, outcome="好了", publish=False)
    assert list(Matter.objects.all().public()) == [shown]


def test_the_public_title_says_kind_and_category_and_nothing_that_was_written(world):
    matter = world.matter(subject="王奶奶家漏水", detail="在三单元", contact=RESIDENT)
    done = services.settle(matter, by=world.clerk, version=1, outcome="给王奶奶修好了")
    assert done.public_title == f"{matter.module.name} · {matter.category.name}"


def test_an_address_longer_than_mail_allows_does_not_keep_a_matter_from_being_settled(world, client):
    client.cookies["county"] = world.county.code
    client.post("/raise/", {"module": "report", "subject": "路灯坏了"})
    client.post("/raise/where/", {"place": world.village.code})
    address = "x" * 290 + "@example.org"
    answer = client.post("/raise/send/", {"email": address})
    if answer.status_code == 422:
        return  # refused at once: as good
    matter = Matter.objects.get()
    assert services.settle(matter, by=world.clerk, version=1, outcome="好了").state == "settled"
