"""Pages of rosters: what was filled in is not lost, what was wrong can be put right, what changes is seen."""

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections

from tests.people.rosters.conftest import id_number, workbook
from weilu.people.models import ColumnMapping, Membership, Person, RosterImport
from weilu.people.rosters import entering, jobs
from weilu.people.rosters.steps import State

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "所在党支部", "联系电话"]
LI = ["李明", id_number(order=1), BRANCH, "13812345678"]


@pytest.fixture
def send(world, sign_in):
    """Send a workbook in as the township's clerk; the worker reads it."""

    def as_(content: bytes, kind: str = "members", **given):
        client = sign_in(world.clerk)
        file = SimpleUploadedFile("党员.xlsx", content)
        answer = client.post("/rosters/", {"kind": kind, "place": world.township.code, "file": file, **given})
        assert answer.status_code == 302, answer.content.decode()
        return client, worked(RosterImport.objects.latest("created_at"))

    return as_


def worked(roster: RosterImport) -> RosterImport:
    jobs.work(roster.pk)
    roster.refresh_from_db()
    return roster


def page(client, roster) -> str:
    return client.get(f"/rosters/{roster.pk}/").content.decode()


def people(count: int) -> list[list[str]]:
    return [[f"党员{number}", id_number(order=number), BRANCH, ""] for number in range(1, count + 1)]


def test_a_sheet_whose_headings_nobody_knows_is_named_by_the_clerk_and_kept(world, send):
    content = workbook(["某镇2026年"], ["编号", "党员同志", "支部全名"], [1, "李明", BRANCH])
    client, roster = send(content)
    assert (roster.state, roster.report["header"]) == (State.REFUSED, 2)
    assert 'name="column-1"' in page(client, roster)
    columns = {"column-0": "", "column-1": "name", "column-2": "organisation", "header": 2}
    client.post(f"/rosters/{roster.pk}/read/", columns)
    assert worked(roster).state == State.READ
    assert roster.report["counts"]["imported"] == 1
    assert ColumnMapping.objects.count() == 1
    _client, again = send(content)
    assert again.state == State.READ


def test_another_row_may_be_named_as_the_header(world, send):
    content = workbook(["甲", "乙", "丙"], ["同志", "组织", "电话"], ["李明", BRANCH, "13812345678"])
    client, roster = send(content)
    assert roster.report["header"] == 1
    client.post(f"/rosters/{roster.pk}/read/", {"header": 2, "column-0": "name"})
    assert worked(roster).report["headings"] == ["同志", "组织", "电话"]
    client.post(f"/rosters/{roster.pk}/read/", {"header": 2, "column-0": "name", "column-1": "organisation"})
    assert (worked(roster).state, roster.report["counts"]["imported"]) == (State.READ, 1)
    client.post(f"/rosters/{roster.pk}/enter/")
    assert worked(roster).state == State.DONE


def test_a_mapping_with_a_fault_is_shown_again_as_it_was_filled_in(world, send):
    client, roster = send(workbook(HEAD, LI))
    given = {"column-0": "name", "column-1": "name", "column-3": "note", "create_organisations": "1"}
    answer = client.post(f"/rosters/{roster.pk}/read/", given)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert text.count('value="name" selected') == 2
    assert 'value="note" selected' in text
    assert 'name="create_organisations" value="1" checked' in text


def test_an_export_with_a_wrong_reason_keeps_what_was_chosen(world, send):
    client, _roster = send(workbook(HEAD, LI))
    given = {"kind": "volunteers", "place": world.village.code, "reason": "我"}
    answer = client.post("/rosters/export/", given)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="volunteers" selected' in text
    assert f'value="{world.village.code}" selected' in text
    assert 'value="我"' in text


def test_a_wrong_kind_is_put_right_on_the_page(world, send):
    client, roster = send(workbook(["姓名", "志愿服务队", "特长"], ["李明", "爱心队", "理发"]))
    assert "按“志愿者”重新读取" in page(client, roster)
    client.post(f"/rosters/{roster.pk}/read/", {"kind": "volunteers", "create_organisations": "1"})
    assert (worked(roster).state, roster.kind) == (State.READ, "volunteers")
    client.post(f"/rosters/{roster.pk}/enter/")
    assert worked(roster).state == State.DONE
    assert Membership.objects.get().kind == "volunteer"


def test_another_sheet_is_chosen(world, send):
    def second(book, first):
        sheet = book.add_worksheet("二月")
        for number, row in enumerate([HEAD, ["王芳", id_number(order=2), BRANCH, ""]]):
            sheet.write_row(number, 0, row)

    client, roster = send(workbook(HEAD, LI, sheet="一月", change=second))
    assert "李明" in page(client, roster)
    client.post(f"/rosters/{roster.pk}/read/", {"sheet": "二月"})
    assert worked(roster).report["sheet"] == "二月"
    assert "王芳" in page(client, roster)


def test_the_preview_shows_old_and_new_and_how_columns_were_read(world, send, enter):
    enter("members", workbook(HEAD, LI))
    client, roster = send(
        workbook(["姓名", "公民身份号码", "支部", "手机", "民族", "座右铭"], [*LI[:3], "13700000001", "回族", "无"])
    )
    text = page(client, roster)
    assert "138****5678" in text
    assert "137****0001" in text
    assert "民族" in text
    assert "手机 → 联系电话" in text
    assert "座右铭" in text
    assert "变化" in text


def test_all_changes_and_all_who_are_missing_are_downloaded_where_more_are_than_shown(world, send, enter, monkeypatch):
    monkeypatch.setattr(jobs, "SHOWN", 3)
    enter("members", workbook(HEAD, *people(12)))
    changed = [[name, number, body, f"138000000{at:02}"] for at, (name, number, body, _phone) in enumerate(people(6))]
    client, roster = send(workbook(HEAD, *changed))
    assert len(roster.report["changes"]) == 3
    assert f"/rosters/{roster.pk}/changes/" in page(client, roster)
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/rosters/{roster.pk}/changes/").content))
    first, second = (list(sheet.values) for sheet in book.worksheets)
    assert (len(first), len(second)) == (7, 7)
    assert first[1][-1] == "138****0000"


def test_many_leave_only_when_somebody_says_so_a_second_time(world, send, enter):
    enter("members", workbook(HEAD, *people(20)))
    client, roster = send(workbook(HEAD, *people(5)))
    asked = client.post(f"/rosters/{roster.pk}/enter/", {"end_missing": "1"})
    assert asked.status_code == 422
    assert "20人中有15人（75%）" in asked.content.decode()
    roster.refresh_from_db()
    assert roster.state == State.READ
    client.post(f"/rosters/{roster.pk}/enter/", {"end_missing": "1", "sure": "1"})
    assert worked(roster).state == State.DONE
    assert "名单里没有的15人已于今天离开" in page(client, roster)
    assert Membership.objects.filter(valid_to=None).count() == 5


def test_few_leave_by_one_tick_and_nobody_by_an_empty_roster(world, send, enter):
    enter("members", workbook(HEAD, *people(20)))
    client, roster = send(workbook(HEAD, *people(18)))
    assert client.post(f"/rosters/{roster.pk}/enter/", {"end_missing": "1"}).status_code == 302
    assert worked(roster).report["counts"]["left"] == 2
    _client, empty = send(workbook(HEAD))
    assert (empty.state, "没有一行数据" in empty.message) == (State.FAILED, True)
    assert Membership.objects.filter(valid_to=None).count() == 18


def test_if_many_leave_by_the_time_it_is_entered_nobody_does(world, send, enter):
    client, roster = send(workbook(HEAD, *people(2)))
    enter("members", workbook(HEAD, *people(30)))
    client.post(f"/rosters/{roster.pk}/enter/", {"end_missing": "1"})
    assert worked(roster).state == State.FAILED
    assert Membership.objects.filter(valid_to=None).count() == 30


def test_the_same_file_from_two_browsers_at_once_is_entered_once(world, send):
    first, second = (send(workbook(HEAD, *people(3))) for _browser in range(2))
    for client, roster in (first, second):
        client.post(f"/rosters/{roster.pk}/enter/")
    counts = [worked(roster).report["counts"] for _client, roster in (first, second)]
    assert [(count["imported"], count["duplicates"]) for count in counts] == [(3, 0), (0, 3)]
    assert (Person.objects.count(), Membership.objects.count()) == (3, 3)


def test_a_roster_that_waits_says_for_whom(world, send):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/enter/")
    given = {"jurisdiction": world.jurisdiction, "kind": "members", "created_by": world.clerk, "state": State.APPLYING}
    other = RosterImport.objects.create(name="全镇党员.xlsx", place=world.township, sha256="0" * 64, **given)
    assert "全镇党员" not in page(client, roster)
    elsewhere = connections["default"].copy()
    try:
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [jobs.key_of(other.pk)])
        text = page(client, roster)
        assert "原因：" in text
        assert "全镇党员.xlsx" in text
        assert world.clerk.name in text
        RosterImport.objects.filter(pk=other.pk).update(place=world.other_township)
        assert "本县正在处理另一份花名册" in page(client, roster)
    finally:
        elsewhere.close()


def test_the_share_that_is_asked_about():
    assert [entering.are_many(*each) for each in ((10, 12), (11, 100), (21, 100), (500, 500))] == [
        False, False, True, True,
    ]  # fmt: skip
