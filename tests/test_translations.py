"""Chinese is complete and reads as Chinese; English pages are English."""

import re
from html import unescape

import pytest

from weilu.lib import messages
from weilu.matters import services

messages.compile_catalogue()

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
LANGUAGE_NAMES = {"中文"}


def words_of(page: bytes) -> str:
    """What a reader sees or hears of a page: its text and the labels that are read aloud."""
    html = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", page.decode())
    labels = re.findall(r'\b(?:alt|aria-label|placeholder|title)="([^"]*)"', html)
    return unescape(" ".join([re.sub(r"<[^>]*>", " ", html), *labels]))


def english_left(page: bytes) -> list[str]:
    """The English of the catalogue that stands in a page; of strings with placeholders their longest part."""
    text = words_of(page)
    left = []
    for message in messages.strings(messages.read()).values():
        part = max(re.split(r"%\(\w+\)s", messages.key(message)), key=len).strip()
        if len(part) > 6 and re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text, re.ASCII):
            left.append(part)
    return left


def test_every_string_has_chinese():
    assert messages.missing() == []


def test_the_catalogue_holds_no_strings_that_are_gone():
    assert messages.obsolete() == []


def test_chinese_has_the_placeholders_of_the_english():
    assert messages.placeholders_that_differ() == []


def test_collecting_again_changes_nothing(tmp_path, monkeypatch):
    copy = tmp_path / "django.po"
    copy.write_bytes(messages.CATALOGUE.read_bytes())
    monkeypatch.setattr(messages, "CATALOGUE", copy)
    messages.write()
    assert copy.read_text() == (messages.ROOT / "weilu/locale/zh_Hans/LC_MESSAGES/django.po").read_text()


def test_all_ways_to_mark_a_string_are_found():
    template = """{% if a %}
　　{% translate 'One' %}
  {% translate "Two" as two %}
	{% include 'x' with y=_('Three') %}{{ z|default:_("Four") }}{% endif %}
    {% blocktranslate with name=place %}At {{ name }}, 5%{% endblocktranslate %}
{% blocktranslate count n=rows|length %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
{% translate "May" context "month" %}{# {% translate "not this" %} #}"""
    found = [(message, context) for message, _comments, context in messages.strings_in(messages.python_of(template))]
    assert found == [
        ("One", None), ("Two", None), ("Three", None), ("Four", None), ("At %(name)s, 5%%", None),
        (("%(n)s row", "%(n)s rows"), None), ("May", "month"),
    ]  # fmt: skip
    code = "from django.utils.translation import gettext_lazy as _later\nx = _later('Six') + _('Seven' ' more')\n"
    assert [message for message, _comments, _context in messages.strings_in(code)] == ["Six", "Seven more"]


@pytest.mark.parametrize("path", ["/", "/raise/", "/follow/", "/results/", "/login/", "/notice/510824100001/"])
def test_residents_pages_are_chinese(world, client, path):
    services.settle(world.matter(), by=world.clerk, version=1, outcome="已换灯泡", public_outcome="路灯已修好")
    client.get("/?county=510824")
    assert english_left(client.get(path, follow=True).content) == []


@pytest.mark.parametrize("part", ["clerk", "member", "handler", "administrator"])
def test_the_workbench_and_what_it_leads_to_are_chinese(world, sign_in, part):
    user = world.users[part]
    user.name = "李芳"  # the cast's names are English words
    user.save()
    matter = world.matter(at=world.grid)
    services.dispatch(matter, to=world.branch, by=world.clerk, version=1)
    client = sign_in(user)
    people = ["/people/", "/people/duplicates/", "/people/new/", "/honours/", "/honours/new/", "/account/me/"]
    for path in ["/desk/", "/matters/?tab=all", "/messages/", "/account/", "/places/", *people]:
        assert english_left(client.get(path, follow=True).content) == [], path


def test_a_matters_page_is_chinese(world, sign_in):
    world.clerk.name = "李芳"
    world.clerk.save()
    matter = world.matter(at=world.grid)
    assert english_left(sign_in(world.clerk).get(matter.get_absolute_url()).content) == []


def test_english_in_a_page_would_be_seen(client, db):
    client.cookies["django_language"] = "en"
    assert "Residents need no account." in english_left(client.get("/login/").content)


def test_the_login_page_is_english_for_those_who_chose_english(client, db):
    client.cookies["django_language"] = "en"
    answer = client.get("/login/")
    assert set(CHINESE.findall(words_of(answer.content))) <= LANGUAGE_NAMES
    assert 'lang="en"' in answer.content.decode()


def test_what_the_resident_reads_is_a_plain_sentence(world, client):
    matter = world.matter()
    services.dispatch(matter, to=world.office, by=world.clerk, version=1)
    client.post("/follow/", {"number": matter.number, "secret": services.secret_for(matter.intake_key)})
    text = words_of(client.get(f"/follow/{matter.number}/").content)
    assert re.search(r"已交给陵江镇综合治理办公室办理，(\d{4}年)?\d{1,2}月\d{1,2}日前答复您。", text)
