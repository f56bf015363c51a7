"""The import of matters from another system: nothing lost, nothing twice, each refusal with its reason."""

import datetime as dt
import gzip
import io
import json

import pytest
import xlsxwriter
from django.utils import timezone
from rich.console import Console

from weilu.matters import import_matters
from weilu.matters.import_matters import ImportProblem
from weilu.matters.models import Category, Matter, MatterText
from weilu.matters.queries import matching
from weilu.matters.setup import open_jurisdiction
from weilu.orgs.models import Level, Place
from weilu.records.calendar import BEIJING
from weilu.records.models import Event

HEADER = "subject,detail,submitted_at,category\n"
LAMP = "路灯坏了,晚上看不见路,2020/1/6 12:09:38,市政设施\n"
WATER = "水管漏水,三天没有人来修,2020/1/7 08:00:00,市政设施\n"
BUS = "公交太少,等了一个小时,2019/12/30 17:30:00,交通运输\n"


@pytest.fixture
def bring_in(world, tmp_path):
    """Imports a text as a file, into the first county."""

    def run(text: str, *, encoding: str = "utf-8", name: str = "matters.csv", **options):
        file = tmp_path / name
        file.write_bytes(text.encode(encoding))
        return import_matters.run(file, **{"at": "510824", **options})

    return run


def counts(result) -> tuple[int, ...]:
    found = result.as_dict()
    assert found["read"] == found["imported"] + found["updated"] + found["duplicates"] + found["refused"]
    return tuple(found[key] for key in ("read", "imported", "duplicates", "refused"))


def faults(result) -> list[tuple]:
    return [(error["row"], error["field"]) for error in result.errors]


def test_each_row_becomes_a_matter_just_raised(bring_in, world):
    assert counts(bring_in(HEADER + LAMP)) == (1, 1, 0, 0)
    matter = Matter.objects.get()
    assert (matter.subject, matter.detail, matter.number) == ("路灯坏了", "晚上看不见路", "CX-2020-000001")
    assert (matter.state, matter.channel, matter.module.code) == ("raised", "import", "appeal")
    assert (matter.category.code, matter.county, matter.township) == ("public_works", world.county, None)
    assert matter.created_at == dt.datetime(2020, 1, 6, 12, 9, 38, tzinfo=BEIJING)
    assert matter.due_at == matter.promised_at == dt.datetime(2020, 1, 9, 12, 9, 38, tzinfo=BEIJING)
    assert matter.intake_key.startswith("import:")
    assert int.from_bytes(matter.pk.bytes[:6]) == int(matter.created_at.timestamp() * 1000)


def test_the_first_event_is_that_of_a_filing(bring_in, world):
    filed = world.matter()
    bring_in(HEADER + LAMP)
    imported = Matter.objects.get(channel="import")
    columns = ("record_kind", "move", "from_state", "to_state", "actor", "actor_name", "note", "open_to_resident")
    [event], [usual] = (Event.objects.of(matter).values(*columns) for matter in (imported, filed))
    assert event == usual
    assert Event.objects.of(imported).get().at == imported.created_at
    assert Event.objects.of(imported).get().changes == {"channel": "import"}


def test_imported_matters_are_found_by_their_words(bring_in, world):
    bring_in(HEADER + LAMP + WATER, at=world.village.code)
    assert matching(Matter.objects.all(), "路灯").get().subject == "路灯坏了"
    assert matching(Matter.objects.all(), "三天 漏水").get().subject == "水管漏水"
    assert matching(Matter.objects.all(), "金穗社区").count() == 2
    assert MatterText.objects.count() == 2


def test_imported_matters_lie_in_the_place_named(bring_in, world):
    bring_in(HEADER + LAMP, at=world.grid.code)
    matter = Matter.objects.get()
    assert (matter.county, matter.township) == (world.county, world.township)
    assert (matter.village, matter.grid) == (world.village, world.grid)
    assert matter in Matter.objects.visible_to(world.clerk)
    assert matter not in Matter.objects.visible_to(world.stranger)


def test_numbers_follow_the_order_of_time_in_each_year(bring_in):
    bring_in(HEADER + WATER + BUS + LAMP)
    found = Matter.objects.order_by("created_at").values_list("subject", "number")
    assert list(found) == [
        ("公交太少", "CX-2019-000001"),
        ("路灯坏了", "CX-2020-000001"),
        ("水管漏水", "CX-2020-000002"),
    ]
    bring_in(HEADER + "又坏了,,2020/3/1 08:00:00,市政设施\n")
    assert Matter.objects.get(subject="又坏了").number == "CX-2020-000003"


def test_years_turn_at_midnight_in_beijing(bring_in):
    bring_in(HEADER + "新年,,2020/1/1 00:30:00,其他\n旧年,,2019/12/31 23:30:00,其他\n")
    assert Matter.objects.get(subject="新年").number == "CX-2020-000001"
    assert Matter.objects.get(subject="旧年").number == "CX-2019-000001"


def test_the_same_file_again_brings_nothing_in(bring_in):
    text = HEADER + LAMP + WATER + "无日期,,,其他\n"
    assert counts(bring_in(text)) == (3, 3, 0, 0)
    again = bring_in(text)
    assert counts(again) == (3, 0, 3, 0)
    assert again.extra["undated"] == 0
    assert Matter.objects.count() == Event.objects.filter(move="file").count() == 3


def test_a_row_that_stands_twice_comes_in_once(bring_in):
    assert counts(bring_in(HEADER + LAMP + WATER + LAMP)) == (3, 2, 1, 0)
    assert counts(bring_in(HEADER + LAMP.replace("12:09:38", "12:09:39"))) == (1, 1, 0, 0)


def test_the_same_row_in_another_format_is_a_duplicate(bring_in, tmp_path):
    bring_in(HEADER + LAMP)
    with xlsxwriter.Workbook(tmp_path / "m.xlsx", {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["类别", "提交时间", "标题", "内容", "备注"])
        sheet.write_row(1, 0, ["市政设施", dt.datetime(2020, 1, 6, 12, 9, 38), "路灯坏了", "晚上看不见路", "x"])
        sheet.write_row(2, 0, ["市政设施", dt.datetime(2020, 1, 6, 12, 9, 40), "路灯又坏了", "晚上看不见路", "x"])
    assert counts(import_matters.run(tmp_path / "m.xlsx", at="510824")) == (2, 1, 1, 0)
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress((HEADER + LAMP).encode("gb18030")))
    assert counts(import_matters.run(tmp_path / "m.csv.gz", at="510824")) == (1, 0, 1, 0)
    for encoding in ("gb18030", "utf-8-sig"):
        assert counts(bring_in((HEADER + LAMP).replace("\n", "\r\n"), encoding=encoding)) == (1, 0, 1, 0)


def test_chinese_headings_in_any_order_will_do(bring_in):
    assert counts(bring_in("分类,留言时间,主题,详情,编号\n其他,2020-01-06 12:09,路灯,坏了,7\n")) == (1, 1, 0, 0)
    assert Matter.objects.get().detail == "坏了"


def test_a_row_without_time_is_received_now_and_counted(bring_in):
    result = bring_in(HEADER + LAMP + "甲,,,其他\n乙,,,其他\n")
    assert result.as_dict()["undated"] == 2
    first, second = Matter.objects.filter(subject__in="甲乙").order_by("number")
    assert (first.subject, second.subject) == ("甲", "乙")
    assert first.created_at < second.created_at < timezone.now() < second.due_at
    assert timezone.now() - first.created_at < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020/1/6 12:09:38", "2020-01-06T12:09:38+08:00"),
        ("2020-01-06 12:09", "2020-01-06T12:09:00+08:00"),
        ("2020-01-06T12:09:38", "2020-01-06T12:09:38+08:00"),
        ("2020-01-06T04:09:38Z", "2020-01-06T12:09:38+08:00"),
        ("2020-01-06T12:09:38.5+08:00", "2020-01-06T12:09:38.500000+08:00"),
        ("2020年1月6日 12时09分", "2020-01-06T12:09:00+08:00"),
        ("2020年1月6日", "2020-01-06T00:00:00+08:00"),
        ("２０２０．１．６　１２：０９", "2020-01-06T12:09:00+08:00"),
    ],
)
def test_it_reads_the_dates_that_offices_write(text, moment):
    assert import_matters.read_time(text, timezone.now()).isoformat() == moment


@pytest.mark.parametrize(
    "text", ["昨天", "2020/13/1", "2020/2/30 08:00:00", "6/1/2020", "2020/1/6 25:00:00", "0000/1/1"]
)
def test_a_date_that_cannot_be_read_is_refused(bring_in, text):
    result = bring_in(HEADER + LAMP + f"路灯,,{text},其他\n")
    assert counts(result) == (2, 1, 0, 1)
    assert faults(result) == [(3, "submitted_at")]
    assert text in result.errors[0]["message"]


def test_a_date_in_the_future_or_before_our_time_is_refused(bring_in):
    tomorrow = timezone.localtime() + dt.timedelta(days=1)
    result = bring_in(
        f"{HEADER}路灯,,{tomorrow:%Y/%m/%d %H:%M:%S},其他\n路灯,,1900/1/1,其他\n路灯,,9999-12-31T23:59:59-12:00,其他\n"
    )
    assert faults(result) == [(2, "submitted_at"), (3, "submitted_at"), (4, "submitted_at")]


def test_a_row_needs_a_subject_but_no_detail(bring_in):
    result = bring_in(HEADER + "　 ,有内容,2020/1/6,其他\n只有标题,,2020/1/6,其他\n")
    assert counts(result) == (2, 1, 0, 1)
    assert faults(result) == [(2, "subject")]


def test_a_long_subject_is_cut_and_kept_in_full_before_the_detail(bring_in):
    bring_in(f"{HEADER}{'长' * 121},后来,2020/1/6,其他\n{'短' * 120},后来,2020/1/6,其他\n")
    cut, whole = Matter.objects.order_by("-subject")
    assert cut.subject == "长" * 119 + "…"
    assert cut.detail == "长" * 121 + "\n\n后来"
    assert (whole.subject, whole.detail) == ("短" * 120, "后来")


def test_nothing_is_cut_from_a_long_detail_of_many_lines(bring_in):
    detail = "\n".join(f"第{number}行,“很长”" for number in range(3000))
    assert counts(bring_in(f'{HEADER}路灯,"{detail}",2020/1/6,其他\n{WATER}')) == (2, 2, 0, 0)
    assert Matter.objects.get(subject="路灯").detail == detail


def test_rows_are_counted_as_records_not_lines(bring_in):
    result = bring_in(f'{HEADER}路灯,"一\n二\n三",2020/1/6,其他\n,没有标题,2020/1/6,其他\n')
    assert faults(result) == [(3, "subject")]


def test_categories_are_found_by_name_english_name_and_code(bring_in):
    rows = "甲,,2020/1/6,交通运输\n乙,,2020/1/6,roads and TRANSPORT\n丙,,2020/1/6,traffic\n丁,,2020/1/6, 交通运输　\n"
    assert counts(bring_in(HEADER + rows)) == (4, 4, 0, 0)
    assert set(Matter.objects.values_list("category__code", flat=True)) == {"traffic"}


def test_an_unknown_category_is_refused_with_the_known_ones_named(bring_in):
    result = bring_in(HEADER + "甲,,2020/1/6,天文\n乙,,2020/1/6,\n")
    assert faults(result) == [(2, "category"), (3, "category")]
    assert "天文" in result.errors[0]["message"]
    assert "市政设施" in result.errors[0]["message"]


def test_a_category_that_has_ended_or_is_anothers_is_unknown(bring_in, world):
    Category.objects.filter(jurisdiction=world.jurisdiction, code="other").update(valid_to="2020-01-01")
    Category.objects.create(jurisdiction=world.far_jurisdiction, code="stars", name="天文")
    assert faults(bring_in(HEADER + "甲,,2020/1/6,其他\n乙,,2020/1/6,天文\n")) == [(2, "category"), (3, "category")]


def test_categories_are_added_if_that_is_wanted(bring_in, world):
    text = HEADER + "甲,,2020/1/6,天文\n乙,,2020/1/6,天文\n丙,,2020/1/6,地理\n丁,,2020/1/6,\n"
    result = bring_in(text, add_categories=True)
    assert counts(result) == (4, 3, 0, 1)
    assert result.extra["categories_added"] == 2
    made = Category.objects.filter(jurisdiction=world.jurisdiction, name__in=["天文", "地理"])
    assert made.count() == 2
    again = bring_in(text.replace("2020", "2019"), add_categories=True)
    assert (counts(again)[1], again.extra["categories_added"]) == (3, 0)


def test_a_dry_run_counts_the_same_and_writes_nothing(bring_in):
    text = HEADER + LAMP + LAMP + "甲,,,天文\n乙,,明天,其他\n"
    categories = Category.objects.count()
    dry = bring_in(text, add_categories=True, dry_run=True)
    assert not Matter.objects.exists()
    assert not Event.objects.exists()
    assert Category.objects.count() == categories
    assert dry.as_dict() == bring_in(text, add_categories=True).as_dict()
    assert Matter.objects.get(subject="路灯坏了").number == "CX-2020-000001"


def test_an_error_in_the_middle_takes_everything_back(bring_in, monkeypatch):
    def broken(rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_matters, "copy_words", broken)
    with pytest.raises(KeyboardInterrupt):
        bring_in(HEADER + LAMP + "甲,,2020/1/6,天文\n", add_categories=True)
    monkeypatch.undo()
    assert not Matter.objects.exists()
    assert not Event.objects.exists()
    assert not Category.objects.filter(name="天文").exists()


def test_a_file_cut_off_in_the_middle_brings_nothing_in(bring_in):
    with pytest.raises(ImportProblem):
        bring_in(HEADER + LAMP + '水管漏水,"三天没有')
    assert not Matter.objects.exists()


def test_a_row_with_too_many_cells_is_refused_and_one_with_too_few_read(bring_in):
    result = bring_in("subject,category,submitted_at,detail\n路灯,坏了,其他,2020/1/6,x\n水管,其他\n")
    assert faults(result) == [(2, "")]
    assert Matter.objects.get().subject == "水管"


def test_the_columns_that_are_missing_are_named(bring_in):
    with pytest.raises(ImportProblem, match="detail, category"):
        bring_in("subject,submitted_at\n甲,2020/1/6\n")


def test_the_place_must_be_known_and_clear(bring_in, world):
    for at, named in (("", "510823"), ("999999", "999999"), ("51", "四川省")):
        with pytest.raises(ImportProblem, match=named):
            bring_in(HEADER + LAMP, at=at)
    assert not Matter.objects.exists()


def test_the_only_county_needs_no_naming(db, tmp_path):
    county = Place.objects.create(code="510824", name="苍溪县", short_name="苍溪县", level=Level.COUNTY, path="510824/")
    open_jurisdiction("510824", prefix="CX")
    (tmp_path / "m.csv").write_text(HEADER + LAMP, encoding="utf-8")
    import_matters.run(tmp_path / "m.csv")
    assert Matter.objects.get().county == county


def test_it_asks_to_open_a_county_first(db, tmp_path):
    (tmp_path / "m.csv").write_text(HEADER + LAMP, encoding="utf-8")
    with pytest.raises(ImportProblem):
        import_matters.run(tmp_path / "m.csv")


def test_the_number_of_queries_does_not_grow_with_the_rows(bring_in, django_assert_max_num_queries):
    rows = "".join(f"第{number}件,,2020/1/6 08:00:00,其他\n" for number in range(400))
    with django_assert_max_num_queries(30):
        assert counts(bring_in(HEADER + rows)) == (400, 400, 0, 0)


def test_it_shows_its_progress_on_the_console_given(bring_in):
    screen = io.StringIO()
    bring_in(HEADER + LAMP, console=Console(file=screen, force_terminal=True))
    assert "1/1" in screen.getvalue()


def test_the_command_prints_json_and_leaves_with_1_if_rows_were_refused(bring_in, capsys):
    import typer

    from config.cli import report

    for text, status in ((HEADER + LAMP, 0), (HEADER + ",,,\n,没有标题,,其他\n", 1)):
        result = bring_in(text)
        with pytest.raises(typer.Exit) as left:
            report(result, as_json=True)
        assert left.value.exit_code == status
        found = json.loads(capsys.readouterr().out)
        assert list(found)[:6] == ["read", "imported", "updated", "duplicates", "refused", "errors"]
