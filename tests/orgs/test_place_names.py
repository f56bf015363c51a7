"""Names of places, as they are written in full and as people say them."""

import pytest

from weilu.orgs.models import Level
from weilu.orgs.names import full_name, short_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("白观村村民委员会", "白观村"),
        ("白观村村委会", "白观村"),
        ("白观村委会", "白观村"),
        ("白观村民委员会", "白观村"),
        ("白观村民委会", "白观村"),
        ("白观村委员会", "白观村"),
        ("白观村委会(白家观)", "白观村"),
        ("白观村委会村民委员会", "白观村"),
        ("金穗社区居民委员会", "金穗社区"),
        ("金穗社区居委会", "金穗社区"),
        ("金穗社区居民委会", "金穗社区"),
        ("金穗社区居民管理委员会", "金穗社区"),
        ("金穗社区村民委员会", "金穗社区"),
        ("金穗社区委员会", "金穗社区"),
        ("文昌居民委员会", "文昌社区"),
        ("文昌居委会", "文昌社区"),
        ("文昌居民居委会", "文昌社区"),
        ("文昌居委会(社区)", "文昌社区"),
        ("文昌新村居委会", "文昌新村"),
        ("第二居委会", "第二社区"),
        ("青草滩嘎查委员会", "青草滩嘎查"),
        ("青草滩嘎查村民委员会", "青草滩嘎查"),
        ("青草滩牧委会", "青草滩村"),
        ("青草滩村牧民委员会", "青草滩村"),
    ],
)
def test_it_drops_the_committee_and_keeps_the_place(name, short):
    assert short_name(name, Level.VILLAGE) == short


@pytest.mark.parametrize(
    "name",
    ["白观村", "金穗社区", "第三分场生活区", "青草滩嘎查", "开发区管理委员会", "市委大院社区", "村委会", "居委会"],
)
def test_it_leaves_names_without_a_committee_of_their_own(name):
    assert short_name(name, Level.VILLAGE) == name


def test_it_shortens_a_short_name_no_further():
    for name in ("白观村村民委员会", "文昌居民委员会", "金穗社区居委会"):
        once = short_name(name, Level.VILLAGE)
        assert short_name(once, Level.VILLAGE) == once


def test_other_levels_keep_their_names():
    assert short_name("灯塔街道办事处", Level.TOWNSHIP) == "灯塔街道"
    assert short_name("灯塔镇", Level.TOWNSHIP) == "灯塔镇"
    assert short_name("物业居委会", Level.GRID) == "物业居委会"
    assert short_name("苍溪县", Level.COUNTY) == "苍溪县"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("\u3000白观村 ", "白观村"),
        ("第１网格（东）", "第1网格(东)"),
        ("Block\tA\x00  3\n", "Block A 3"),
        ("\ufeff白观村", "白观村"),
        ("\u3000 ", ""),
    ],
)
def test_full_names_are_trimmed_and_half_width(given, kept):
    assert full_name(given) == kept
