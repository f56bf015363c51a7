"""``weilu import roster``: what it answers, and what becomes of it when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time

import openpyxl
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from config import cli
from config.supervisor import worker
from tests.people.rosters.conftest import id_number, workbook
from weilu.orgs.models import Organisation
from weilu.people.models import ColumnMapping, Membership, Person, RosterFile, RosterImport
from weilu.people.rosters import jobs
from weilu.people.rosters.steps import State

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "所在党支部", "联系电话"]
LI = ["李明", id_number(order=1), BRANCH, "13812345678"]
WANG = ["王芳", id_number(order=2), BRANCH, "13912345678"]
KEYS = {
    "read", "imported", "updated", "duplicates", "refused", "errors", "persons_added", "moved", "leaving", "standing",
    "left", "left_as_elsewhere", "organisations_added",
}  # fmt: skip


class Ready:
    """The database of the tests, which is there already."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...


@pytest.fixture
def run(world, tmp_path, monkeypatch):
    """Run the command for a workbook, in this process."""
    monkeypatch.setattr(cli, "Database", Ready)

    def as_(content: bytes | None, *more: str, kind: str = "members", place: str = "510824100"):
        file = tmp_path / "党员.xlsx"
        if content is not None:
            file.write_bytes(content)
        arguments = ["import", "roster", str(file), "--kind", kind, "--place", place, *more]
        return CliRunner().invoke(cli.app, arguments)

    return as_


def said(answer) -> dict:
    return json.loads(answer.stdout.splitlines()[-1])


def test_it_enters_and_says_what_it_did(world, run):
    answer = run(workbook(HEAD, LI), "--json")
    assert (answer.exit_code, said(answer).keys() >= KEYS) == (0, True)
    assert (said(answer)["imported"], said(answer)["persons_added"]) == (1, 1)
    again = run(workbook(HEAD, LI), "--json")
    assert (again.exit_code, said(again)["duplicates"], said(again)["persons_added"]) == (0, 1, 0)
    assert Membership.objects.count() == 1
    assert set(RosterImport.objects.values_list("state", "created_by")) == {(State.DONE, None)}
    assert not RosterFile.objects.exists()


def test_a_refused_row_ends_with_one_and_counts_nobody(world, run, tmp_path):
    errors = tmp_path / "更正.xlsx"
    answer = run(workbook(HEAD, LI, ["王芳", "12", BRANCH]), "--json", "--errors", str(errors))
    found = said(answer)
    assert answer.exit_code == 1
    assert (found["refused"], found["imported"], found["persons_added"], found["held_back"]) == (1, 0, 0, 1)
    assert [(error["row"], error["field"]) for error in found["errors"]] == [(3, "id_number")]
    assert openpyxl.load_workbook(errors).active["B3"].comment
    assert not Person.objects.exists()
    assert RosterImport.objects.get().state == State.REFUSED  # the clerk finds it in the browser


def test_without_json_it_speaks_the_language_of_the_office(world, run):
    answer = run(workbook(HEAD, LI, ["王芳", "12", BRANCH]))
    assert answer.exit_code == 1
    assert "第3行，身份证号：" in answer.stdout
    assert "persons_added" in answer.stdout
    assert "各列：姓名 = 姓名" in answer.stderr


def test_a_dry_run_files_nothing(world, run):
    answer = run(workbook(HEAD, LI), "--json", "--dry-run")
    assert (answer.exit_code, said(answer)["imported"]) == (0, 1)
    assert not Person.objects.exists()
    assert not RosterImport.objects.exists()


def test_a_place_that_is_not_there_and_a_file_that_is_not_there_say_so(world, run):
    assert "510824999" in run(workbook(HEAD, LI), place="510824999").stderr
    elsewhere = run(workbook(HEAD, LI), "--json", place=world.other_township.code)
    assert (elsewhere.exit_code, said(elsewhere)["errors"][0]["field"]) == (1, "organisation")


def test_a_missing_file_is_told_in_chinese(world, run):
    answer = run(None)
    assert answer.exit_code == 1
    assert "没有这个文件" in answer.stderr


def test_who_is_missing_leaves_when_it_is_a_full_roster(world, run):
    run(workbook(HEAD, LI, WANG))
    shown = run(workbook(HEAD, LI), "--json")
    assert (said(shown)["leaving"], said(shown)["left"]) == (1, 0)
    assert "王芳" in shown.stderr
    ended = run(workbook(HEAD, LI), "--json", "--end-missing")
    assert (said(ended)["leaving"], said(ended)["left"]) == (1, 1)


def many(count: int) -> list[list[str]]:
    return [[f"党员{number}", id_number(order=number), BRANCH, ""] for number in range(1, count + 1)]


def test_many_leave_only_when_somebody_says_so_twice(world, run):
    run(workbook(HEAD, *many(30)))
    asked = run(workbook(HEAD, *many(3)), "--end-missing")
    assert asked.exit_code == 1
    assert "30人中有27人（90%）" in asked.stderr
    asked = run(workbook(HEAD, *many(3)), "--end-missing", "--json")
    assert (asked.exit_code, "--yes" in said(asked)["errors"][0]["message"]) == (1, True)
    assert Membership.objects.count() == 30
    shown = run(workbook(HEAD, *many(3)))
    assert "另有7人" in shown.stderr
    assert said(run(workbook(HEAD, *many(3)), "--end-missing", "--yes", "--json"))["left"] == 27


def test_a_roster_without_rows_ends_nobody(world, run):
    run(workbook(HEAD, LI))
    answer = run(workbook(HEAD), "--end-missing", "--yes")
    assert (answer.exit_code, "没有一行数据" in answer.stderr) == (1, True)
    assert Membership.objects.get().valid_to is None


def test_columns_are_named_and_kept(world, run):
    content = workbook(["编号", "党员同志", "支部全名", "公民号"], [1, "李明", BRANCH, LI[1]])
    unknown = run(content)
    assert unknown.exit_code == 1
    assert "--map" in unknown.stderr
    named = ["--map", "党员同志=姓名", "--map", "支部全名=organisation", "--map", "公民号=身份证号"]
    answer = run(content, "--json", *named)
    assert (answer.exit_code, said(answer)["imported"]) == (0, 1)
    assert Person.objects.get().id_number == LI[1]
    assert ColumnMapping.objects.count() == 1
    assert said(run(content, "--json"))["duplicates"] == 1


@pytest.mark.parametrize("named", ["没有的列=姓名", "党员同志=没有的"])
def test_a_column_that_is_not_there_is_told(world, run, named):
    answer = run(workbook(["党员同志", "支部"], ["李明", BRANCH]), "--map", named)
    assert (answer.exit_code, "没有" in answer.stderr) == (1, True)


def test_what_an_earlier_command_was_killed_over_is_entered_first(world, run):
    book = jobs.Book("旧.xlsx", workbook(HEAD, WANG))
    place, jurisdiction = jobs.place_of(world.township.code)
    jobs.file_order(book, jobs.Order(jobs.KINDS["members"], place, jurisdiction, write=True), "0" * 64)
    answer = run(workbook(HEAD, LI), "--json")
    assert "旧.xlsx" in answer.stderr
    assert set(Person.objects.values_list("name", flat=True)) == {"李明", "王芳"}


@pytest.fixture
def start(tmp_path):
    """Start a process against the database of this test."""
    started = []

    def as_(command: list[str]) -> subprocess.Popen:
        at = connection.settings_dict
        url = make_conninfo(host=at["HOST"], port=at["PORT"], user=at["USER"], dbname=at["NAME"])
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("WEILU_", "PYTEST"))}
        given = clean | {"DATABASE_URL": url, "WEILU_DATA": str(tmp_path), "WEILU_DATA_KEY": settings.DATA_KEY}
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        started.append(process)
        return process

    yield as_
    for process in started:
        process.kill()
        process.wait()


def until(what, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_command_that_is_killed_is_finished_by_the_worker_once(real_world, start, tmp_path):
    rows = 6_000
    file = tmp_path / "党员.xlsx"
    people = [[f"党员{n}", id_number(f"{1940 + n % 60}0312", n // 60), BRANCH, ""] for n in range(60, rows + 60)]
    file.write_bytes(workbook(HEAD, *people))
    code = "from config.cli import main; main()"
    place = real_world.township.code
    command = [sys.executable, "-c", code, "import", "roster", str(file), "--kind", "members", "--place", place]
    process = start(command)
    until(lambda: RosterImport.objects.filter(done__gt=0).exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    roster = RosterImport.objects.get()
    assert (roster.state, Person.objects.count()) == (State.APPLYING, 0)
    start(worker().command)
    jobs.resume()
    jobs.resume()
    until(lambda: RosterImport.objects.get().state != State.APPLYING)
    roster.refresh_from_db()
    assert (roster.state, roster.report["counts"]["imported"]) == (State.DONE, rows)
    assert (Person.objects.count(), Membership.objects.count()) == (rows, rows)
    assert roster.attempts == 2


def test_a_dry_run_says_what_the_run_would_say(world, run):
    content = workbook(HEAD, LI, ["王芳", "1", BRANCH, ""])
    for more in (["--dry-run"], []):
        found = said(run(content, "--json", *more))
        assert (found["read"], found["imported"], found["held_back"], found["refused"]) == (2, 0, 1, 1)


def test_what_cannot_be_written_is_said_before_the_work_begins(world, run, tmp_path):
    answer = run(workbook(HEAD, LI), "--errors", str(tmp_path / "nowhere" / "更正.xlsx"))
    assert answer.exit_code == 1
    assert "写不了" in answer.stderr
    assert not Person.objects.exists()


def test_only_what_may_be_a_body_is_made_and_named(world, run):
    lines = [[f"赵{at}", id_number(order=at), name, ""] for at, name in enumerate(["1", "见附件", "同上", "二支部"], 1)]
    answer = run(workbook(HEAD, *lines), "--create-organisations", "--json")
    assert [(error["row"], error["field"]) for error in said(answer)["errors"]] == [
        (2, "organisation"), (3, "organisation"), (4, "organisation"),
    ]  # fmt: skip
    assert "尚未登记的组织：二支部" in answer.stderr


def test_what_stands_in_another_township_is_not_made_here_a_second_time(world, run):
    names = [
        f"{world.other_township.short_name}党委",
        f"{world.other_village.short_name}党支部",
        "机关党委",
        "一楼党小组",
    ]
    lines = [[f"赵{at}", id_number(order=at), name, ""] for at, name in enumerate(names, 1)]
    answer = run(workbook(HEAD, *lines), "--create-organisations", "--json")
    assert [error["row"] for error in said(answer)["errors"]] == [2, 3]
    assert world.other_township.short_name in said(answer)["errors"][0]["message"]
    run(workbook(HEAD, *lines[2:]), "--create-organisations", "--json")
    kinds = dict(Organisation.objects.filter(name__in=names).values_list("name", "kind"))
    assert kinds == {"机关党委": "party_committee", "一楼党小组": "party_group"}
