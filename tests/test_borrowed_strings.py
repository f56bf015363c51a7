"""What Django and allauth say is said in Chinese too."""

import re
from pathlib import Path

import allauth
import django
import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext, ngettext, npgettext, pgettext

from weilu.accounts import invitations
from weilu.lib import messages

messages.compile_catalogue()

# Strings of others that are signs or names in both languages, or are for programmers.
AS_THEY_ARE = {"…", "IPv4", "IPv6", "URL", ":?.!", ":", "p.m.", "a.m.", "PM", "AM"} | {
    *(f"%s {unit}B" for unit in "KMGTP"), "%(model)s instance with %(field)s %(value)r is not a valid choice.",
}  # fmt: skip


def strings_of_django():
    folder = Path(django.__file__).parent
    for part in ("conf", "contrib/auth", "contrib/postgres"):
        with (folder / part / "locale/en/LC_MESSAGES/django.po").open("rb") as file:
            yield from ((message.context, message.id) for message in read_po(file) if message.id)


def strings_of_the_second_factor():
    folder = Path(allauth.__file__).parent
    for path in [folder / "mfa/adapter.py", *folder.glob("mfa/*/forms.py"), *folder.glob("mfa/*/internal/*.py")]:
        for text, _comments, context in messages.strings_in(path.read_text(encoding="utf-8")):
            yield context, text


def in_chinese(context, text):
    """The Chinese of a string or of its forms."""
    with translation.override("zh-hans"):
        if isinstance(text, tuple):
            return npgettext(context, *text, 5) if context else ngettext(*text, 5)
        return pgettext(context, text) if context else gettext(text)


@pytest.mark.parametrize("strings", [strings_of_django, strings_of_the_second_factor])
def test_strings_of_django_and_of_the_second_factor_come_in_chinese(strings):
    english = [text for context, text in strings() if in_chinese(context, text) in (text, text[-1])]
    assert [text for text in english if text not in AS_THEY_ARE] == []


def test_a_password_that_is_too_short_is_refused_in_chinese(world, sign_in):
    row = invitations.invite(world.clerk, by=world.administrator)
    given = {"new_password1": "short", "new_password2": "short"}
    pages = [
        sign_in(world.member).post("/account/", {"old_password": "wrong", **given}),
        Client().post(f"/invitation/{row.token}/", given),
        Client().post(f"/invitation/{row.token}/", {"new_password1": "one", "new_password2": "two"}),
    ]
    for page in pages:
        errors = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', page.content.decode(), re.DOTALL)
        assert errors
        assert not re.search(r"[a-z]{3}", re.sub(r"<[^>]+>|new_password\d", "", "".join(errors)))
    assert "密码太短，至少要10个字符。" in pages[0].content.decode()
