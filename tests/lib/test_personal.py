"""What looks personal in a text: the spellings that people use, and numbers that are only numbers."""

import pytest

from weilu.lib.personal import personal_in


@pytest.mark.parametrize(
    "text",
    [
        "13800001234",
        "138 0000 1234",
        "138-0000-1234",
        "138 - 0000 - 1234",
        "138·0000·1234",
        "138—0000—1234",
        "138\u30000000\u30001234",
        "１３８ ００００ １２３４",
        "1380 000 1234",
        "1380-000-1234",
        "138 00001234",
        "1380000 1234",
        "+86 138 0000 1234",
        "+8613800001234",
        "8613800001234",
        "三单元302 138 0000 1234",
        "2026-11-22 138 0000 1234",
        "120 130 138 0000 1234 140",
    ],
)
def test_a_telephone_number_is_seen_in_the_usual_spellings(text):
    assert personal_in(f"请联系{text}。")
    assert personal_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "510824198001011234",
        "51082419800101123X",
        "51082419800101123x",
        "510824800101123",
        "510824 19800101 1234",
        "510824-19800101-1234",
        "510824 19800101 123X",
        "510824 1980 0101 1234",
        "510824 1980 01 01 1234",
        "510824 1980-01-01 1234",
        "510 824 1980 0101 1234",
        "51 08 24 19800101 1234",
        "5108 2419 8001 0112 34",
        "510824 198001 011234",
        "51082419800101 1234",
        "51082419800101123 X",
        "510824 800101 123",
        "2026-11-22 510824 19800101 1234",
    ],
)
def test_an_id_number_is_seen_in_the_usual_spellings(text):
    assert personal_in(f"身份证{text}，已核对")
    assert personal_in(text)


@pytest.mark.parametrize("text", ["ming@example.org", "写信到 ming.li+1@example.org 即可", "ming＠example.org"])
def test_a_mail_address_is_seen(text):
    assert personal_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "灯已换好。",
        "2026-10-1 2026-11-22",
        "2026-10-01 2026-11-22",
        "2026-10-01—2026-11-22",
        "2026.10.1-2026.11.22",
        "2026 11 22 2026 11 23",
        "2026-11-22 09 30 2026-11-22 17 30",
        "20261122 20261123",
        "1998-2003年修建，2026年翻新",
        "1985-1990 120户",
        "共 15 户 2026年",
        "共15户 2026年11月22日换灯3盏",
        "电费 120 130 140 150 160元",
        "120 130 140 110 160",
        "15 16 17 18 19 20 21 22",
        "1 3 5 7 9 11 13 15",
        "1200 1319 8001 5112 34",
        "水表 1302 1455 1608",
        "材料 120.5 130.25 1500.00 元",
        "工单20261122000001",
        "CX-2026-000123 CX-2026-000124",
        "服务热线12345，县局 0839-5222222",
        "三单元 1502、1503、1504",
        "123 Xi road",
    ],
)
def test_dates_and_lists_of_numbers_are_not_personal(text):
    assert personal_in(text) == ""
