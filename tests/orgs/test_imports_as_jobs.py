"""Imports as jobs: whatever kills the command or the worker, what was filed is brought in, once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo
from rich.console import Console

from tests.config.test_worker import wait_for
from tests.orgs.test_import_grids import feature, file_of, square
from weilu.lib.import_result import ImportProblem
from weilu.matters.models import Matter
from weilu.orgs.imports import jobs
from weilu.orgs.imports.command import run_as_job
from weilu.orgs.imports.steps import State
from weilu.orgs.models import ImportJob, ImportPart, Place

QUIET = Console(quiet=True)
MATTERS = "subject,detail,submitted_at,category\n路灯坏了,晚上看不见路,2026-01-06 12:09,市政公用\n"


def environment(data: Path) -> dict[str, str]:
    at = connection.settings_dict
    url = make_conninfo(host=at["HOST"], port=at["PORT"], user=at["USER"], dbname=at["NAME"])
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("WEILU_", "PYTEST"))}
    return clean | {"DATABASE_URL": url, "WEILU_DATA": str(data), "WEILU_DATA_KEY": settings.DATA_KEY}


def start(data: Path, *words: str) -> subprocess.Popen:
    """Start ``weilu import`` against the database of this test."""
    command = [str(Path(sys.executable).with_name("weilu")), "import", *words]
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Held:
    """A lock that stops an import in the middle, as long as the block lasts."""

    def __init__(self, name: str):
        self.name = name

    def __enter__(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [self.name])

    def __exit__(self, *exc):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [self.name])


def kill_in_the_middle(data: Path, lock: str, *words: str) -> None:
    with Held(lock):
        process = start(data, *words)
        wait_for(waits_for_lock, process)
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate()
    until = time.monotonic() + 30
    while others() and time.monotonic() < until:
        time.sleep(0.1)  # the server finds out that nobody is there


def waits_for_lock() -> bool:
    return "advisory" in others()


def others() -> list[str]:
    """Return what other sessions of this database wait for, or an empty text for those that hold locks.

    The role of the app sees locks, and not what other sessions do.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN granted THEN '' ELSE locktype END FROM pg_locks WHERE pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return [waiting for (waiting,) in cursor.fetchall()]


def test_a_command_that_is_killed_is_finished_by_the_worker_once(real_world, tmp_path):
    file = tmp_path / "grids.geojson"
    file.write_bytes(file_of(feature("G1", square()), feature("G2", square(1))))
    kill_in_the_middle(
        tmp_path / "data", "weilu.import.divisions", "grids", str(file), "--place", real_world.village.code
    )
    assert not Place.objects.filter(code="G1").exists()
    job = ImportJob.objects.get()
    file.unlink()  # what was filed is kept
    jobs.resume()
    jobs.work(job.pk)  # as the worker does
    job.refresh_from_db()
    assert (job.state, job.report["imported"], job.attempts) == (State.DONE, 2, 2)
    assert jobs.work(job.pk) is None
    assert Place.objects.filter(code__in=["G1", "G2"]).count() == 2
    assert not ImportPart.objects.exists()


def test_the_same_command_again_goes_on_with_what_was_killed_and_brings_it_in_once(real_world, tmp_path):
    file = tmp_path / "m.csv"
    file.write_text(MATTERS, encoding="utf-8")
    words = ("matters", str(file), "--at", "510824", "--add-categories")
    kill_in_the_middle(tmp_path / "data", "weilu.import.matters", *words)
    assert not Matter.objects.exists()
    options = {"at": "510824", "add_categories": True}
    found, _refused = run_as_job("matters", [file], options=options, console=QUIET)
    assert found["imported"] == 1
    assert (Matter.objects.count(), ImportJob.objects.count()) == (1, 1)


def test_the_next_command_finishes_what_an_earlier_one_left(world, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "grids.geojson"
    first.write_text(MATTERS, encoding="utf-8")
    second.write_bytes(file_of(feature("G1", square())))
    with first.open("rb") as opened:
        jobs.file_in("matters", [(first.name, opened)], options={"at": "510824", "add_categories": True})
    run_as_job("grids", [second], options={"place": world.village.code}, console=QUIET)
    assert Matter.objects.count() == 1
    assert set(ImportJob.objects.values_list("state", flat=True)) == {State.DONE}


def test_who_presses_twice_files_once_and_what_ended_may_be_filed_again(world, sign_in):
    client = sign_in(world.village_clerk)
    for _press in range(2):
        file = SimpleUploadedFile("grids.geojson", file_of(feature("G1", square())))
        client.post(f"/places/{world.village.code}/grids/", {"file": file})
    job = ImportJob.objects.get()
    assert b"G1" not in bytes(ImportPart.objects.get().content)  # encrypted
    jobs.work(job.pk)
    file = SimpleUploadedFile("grids.geojson", file_of(feature("G1", square())))
    client.post(f"/places/{world.village.code}/grids/", {"file": file})
    assert ImportJob.objects.count() == 2


def test_a_file_that_fells_the_worker_is_given_up_after_three_tries(world, monkeypatch):
    job = filed(world)
    ImportJob.objects.filter(pk=job.pk).update(attempts=jobs.MOST_TRIES)
    assert jobs.work(job.pk) is None
    job.refresh_from_db()
    assert (job.state, bool(job.message)) == (State.FAILED, True)
    assert not job.parts.exists()


def filed(world, raw: bytes = b"") -> ImportJob:
    file = SimpleUploadedFile("grids.geojson", raw or file_of(feature("G1", square())))
    return jobs.file_in("grids", [(file.name, file)], options={"place": world.village.code}, place=world.village)


def test_an_import_that_was_given_up_enters_nothing_even_if_it_is_under_way(world, monkeypatch):
    job = filed(world)
    run = jobs.KINDS["grids"].run

    def late(*given):
        result = run(*given)
        jobs.cancel(job)
        return result

    monkeypatch.setitem(jobs.KINDS, "grids", jobs.KINDS["grids"].__class__("grids", "grids", late))
    assert jobs.work(job.pk) is None
    assert not Place.objects.filter(code="G1").exists()


def test_a_large_file_is_kept_in_parts_and_put_together_again(world, monkeypatch):
    monkeypatch.setattr(jobs, "PART", 100)
    job = filed(world, file_of(*[feature(f"G{number}", square(number)) for number in range(5)]))
    assert job.parts.count() > 10
    assert jobs.work(job.pk).imported == 5


def test_the_command_says_why_a_file_was_refused(world, tmp_path):
    file = tmp_path / "m.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ImportProblem, match=r"m\.csv"):
        run_as_job("matters", [file], options={"at": "510824", "add_categories": False}, console=QUIET)
    with pytest.raises(ImportProblem, match=r"nothing\.csv"):
        run_as_job("matters", [tmp_path / "nothing.csv"], options={}, console=QUIET)


def test_refused_features_are_forgotten_after_two_weeks(world):
    job = filed(world, file_of(feature("G1", {"type": "Point", "coordinates": [0, 0]})))
    jobs.work(job.pk)
    assert jobs.refused_of(ImportJob.objects.get())
    jobs.forget_old()
    assert jobs.refused_of(ImportJob.objects.get())
    ImportJob.objects.update(finished_at=timezone.now() - jobs.KEPT_FOR * 2)
    jobs.forget_old()
    assert not jobs.refused_of(ImportJob.objects.get())
