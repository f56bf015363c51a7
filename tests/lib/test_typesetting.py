"""PDF with our fonts: none of the machine's, and never another in place of one that is missing."""

import pytest

from tests.paper import fonts_of
from weilu.lib import typesetting
from weilu.lib.typesetting import TypesettingError, set_pages, set_pages_apart

HELLO = '#let data = json("data.json")\n#set text(font: data.fonts)\n#data.words'


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "hello.typ"
    path.write_text(HELLO)
    return path


def test_chinese_is_set_in_the_font_that_is_meant(template):
    pdf = set_pages(template, {"words": "公示牌"})
    assert pdf.startswith(b"%PDF-")
    assert {name.split("-")[0] for name in fonts_of(pdf)} == {"NotoSansSC"}


def test_a_font_that_is_not_there_is_an_error_and_not_another_font(template, monkeypatch):
    monkeypatch.setattr(typesetting, "FONTS", ["Noto Snas SC"])
    typesetting._fonts.cache_clear()
    with pytest.raises(TypesettingError, match="Snas"):
        set_pages(template, {"words": "公示牌"})
    typesetting._fonts.cache_clear()


def test_a_font_that_only_the_template_names_is_an_error_too(tmp_path):
    path = tmp_path / "wrong.typ"
    path.write_text('#set text(font: "Source Han Snas")\n公示牌')
    with pytest.raises(TypesettingError, match="source han snas"):
        set_pages(path, {})


def test_what_somebody_typed_is_never_read_as_markup(template):
    evil = '#panic("x") #read("/etc/passwd") *bold* $x$ <a> @b'
    assert set_pages(template, {"words": evil}).startswith(b"%PDF-")


def test_a_process_of_its_own_gives_the_same_pages(template):
    pdf = set_pages_apart(template, {"words": "公示牌"})
    assert pdf.startswith(b"%PDF-")
    assert {name.split("-")[0] for name in fonts_of(pdf)} == {"NotoSansSC"}


def test_a_process_that_fails_says_why(tmp_path):
    path = tmp_path / "broken.typ"
    path.write_text("#nothing-of-this-name")
    with pytest.raises(TypesettingError, match="nothing-of-this-name"):
        set_pages_apart(path, {})
