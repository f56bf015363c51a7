"""From the upload to the tables: read by the worker, looked at, entered once, whatever falls over in between."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob
from python_calamine import CalamineWorkbook

from tests.people.rosters.conftest import id_number, workbook
from weilu.people.models import ColumnMapping, Membership, Person, RosterFile, RosterImport
from weilu.people.rosters import jobs
from weilu.people.rosters.steps import State
from weilu.records.models import Event

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
        found = RosterImport.objects.latest("created_at")
        jobs.work(found.pk)
        found.refresh_from_db()
        return client, found

    return as_


def test_a_roster_is_sent_in_looked_at_and_entered(world, send):
    client, roster = send(workbook(HEAD, LI))
    assert roster.state == State.READ
    page = client.get(f"/rosters/{roster.pk}/").content.decode()
    assert "李明" in page
    assert LI[1] not in page
    assert not Person.objects.exists()
    client.post(f"/rosters/{roster.pk}/enter/")
    assert 'http-equiv="refresh"' in client.get(f"/rosters/{roster.pk}/").content.decode()
    jobs.work(roster.pk)
    roster.refresh_from_db()
    assert (roster.state, roster.report["counts"]["imported"]) == (State.DONE, 1)
    assert Person.objects.get().name == "李明"
    assert Event.objects.get(record_kind="person").actor == world.clerk
    assert not RosterFile.objects.exists()


def test_pressing_twice_and_two_workers_enter_once(world, send):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/enter/")
    client.post(f"/rosters/{roster.pk}/enter/")
    jobs.work(roster.pk)
    jobs.work(roster.pk)
    assert Membership.objects.count() == 1


def test_a_worker_that_falls_leaves_nothing_behind_and_the_next_takes_it_up(world, send, monkeypatch):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/enter/")

    class Fallen(BaseException):
        pass

    def fall(*args, **given):
        raise Fallen

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_report", fall)
        with pytest.raises(Fallen):
            jobs.work(roster.pk)
    assert not Person.objects.exists()
    jobs.resume()
    assert ProcrastinateJob.objects.filter(queueing_lock=f"roster.{roster.pk}", status="todo").count() == 1
    jobs.work(roster.pk)
    assert Membership.objects.count() == 1


def test_a_file_that_fells_the_worker_is_not_tried_for_ever(world, send):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/enter/")
    RosterImport.objects.update(attempts=jobs.MOST_TRIES)
    jobs.work(roster.pk)
    roster.refresh_from_db()
    assert roster.state == State.FAILED
    assert not Person.objects.exists()


def test_a_roster_with_faults_comes_back_with_the_reason_beside_each_cell(world, send):
    client, roster = send(workbook(["党员花名册"], HEAD, LI, ["王芳", "510824199010050021", BRANCH, "12"]))
    assert roster.state == State.REFUSED
    client.post(f"/rosters/{roster.pk}/enter/")
    roster.refresh_from_db()
    assert roster.state == State.REFUSED
    answer = client.get(f"/rosters/{roster.pk}/errors/")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "党员花名册"
    assert rows[1][4].startswith("▲")
    assert (rows[2][:2], rows[2][4]) == (LI[:2], "")
    assert [line.partition("：")[0] for line in rows[3][4].splitlines()] == ["身份证号", "联系电话"]
    _client, again = send(answer.content)
    assert again.report["counts"]["read"] == 2


def test_the_workbook_that_comes_back_has_all_the_reasons_however_many(world, send, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_ERRORS", 3)
    rows = [[f"赵{number}", "1", "金穗社区第一党支部"] for number in range(12)]
    client, roster = send(workbook(["姓名", "身份证号", "所在党支部"], *rows))
    content = client.get(f"/rosters/{roster.pk}/errors/").content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[3][:4] for row in rows[1:]] == ["身份证号"] * 12


def test_columns_that_were_not_understood_are_named_once_and_kept(world, send):
    content = workbook(["姓名", "号码", "组织", "联系电话"], LI)
    client, roster = send(content)
    assert roster.state == State.REFUSED
    assert "所在党支部" in roster.message
    page = client.get(f"/rosters/{roster.pk}/").content.decode()
    assert 'name="column-2"' in page
    columns = {"column-0": "name", "column-1": "id_number", "column-2": "organisation", "column-3": "phone"}
    client.post(f"/rosters/{roster.pk}/read/", columns)
    jobs.work(roster.pk)
    roster.refresh_from_db()
    assert (roster.state, roster.report["counts"]["imported"]) == (State.READ, 1)
    assert ColumnMapping.objects.get().mapping["1"] == "id_number"
    _client, next_one = send(content)
    assert next_one.state == State.READ


def test_a_column_is_given_once(world, send):
    client, roster = send(workbook(HEAD, LI))
    answer = client.post(f"/rosters/{roster.pk}/read/", {"column-0": "name", "column-1": "name"}, follow=True)
    assert "姓名" in answer.content.decode()
    roster.refresh_from_db()
    assert roster.state == State.READ


def test_a_roster_is_given_up_and_its_file_removed(world, send):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/cancel/")
    roster.refresh_from_db()
    assert roster.state == State.CANCELLED
    assert not RosterFile.objects.exists()
    client.post(f"/rosters/{roster.pk}/enter/")
    jobs.work(roster.pk)
    assert not Person.objects.exists()


def test_a_file_that_is_no_workbook_says_so(world, send):
    client, roster = send(b"name,branch")
    assert roster.state == State.FAILED
    assert "Excel" in client.get(f"/rosters/{roster.pk}/").content.decode()


def test_a_roster_waits_encrypted(world, send):
    send(workbook(HEAD, LI))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM people_rosterfile")
        assert b"PK\x03\x04" not in bytes(cursor.fetchone()[0])


def test_a_clerk_sends_in_for_their_own_place_only(world, sign_in):
    file = SimpleUploadedFile("党员.xlsx", workbook(HEAD, LI))
    given = {"kind": "members", "place": world.other_township.code, "file": file}
    assert sign_in(world.clerk).post("/rosters/", given).status_code == 422
    assert not RosterImport.objects.exists()


def test_the_roster_of_today_goes_out_masked_and_comes_in_again_unchanged(world, send):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/enter/")
    jobs.work(roster.pk)
    answer = client.get(f"/rosters/export/?kind=members&place={world.township.code}")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert "李明" in rows[2]
    assert LI[1] not in str(rows)
    _client, again = send(answer.content)
    assert (again.state, again.report["counts"]["duplicates"]) == (State.READ, 1)


def test_numbers_go_out_in_full_for_a_reason_that_is_kept(world, send):
    client, roster = send(workbook(HEAD, LI))
    client.post(f"/rosters/{roster.pk}/enter/")
    jobs.work(roster.pk)
    given = {"kind": "members", "place": world.township.code, "reason": "换届选举资格审查"}
    rows = CalamineWorkbook.from_filelike(io.BytesIO(client.post("/rosters/export/", given).content))
    assert LI[1] in str(rows.get_sheet_by_index(0).to_python())
    event = Event.objects.get(move="unmask")
    assert (event.note, event.actor) == ("换届选举资格审查", world.clerk)


@pytest.mark.parametrize("kind", ["members", "cadres", "grid-workers", "organisations"])
def test_an_empty_roster_is_understood_when_it_is_filled_in(world, sign_in, kind):
    content = sign_in(world.clerk).get(f"/rosters/empty/{kind}/").content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    from weilu.people.rosters.kinds import KINDS, map_headings

    assert list(map_headings(KINDS[kind], rows[1]).values()) == [column.key for column in KINDS[kind].columns]
