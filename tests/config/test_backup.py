"""Backup and restore, with the command itself and real servers: row for row, byte for byte, all or nothing."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config.backup import _copy_script
from weilu.lib import embedded_postgres

WEILU = Path(sys.executable).with_name("weilu")
PHONE = "13900001234"
CONTENT = """
import io, django
django.setup()
from config import database
database.prepare()
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from weilu.matters import services
from weilu.matters.models import Category, Matter, Module
from weilu.matters.setup import open_jurisdiction
from weilu.orgs.accounts import make_account
from weilu.orgs.models import Level, Organisation, Place
from weilu.orgs.roles import Role
from weilu.records.attachments import attach

path, parent = "", None
tree = [("51", "四川省"), ("5108", "广元市"), ("510824", "苍溪县"), ("510824100", "陵江镇")]
for level, (code, name) in enumerate(tree, start=1):
    path += code + "/"
    parent = Place.objects.create(code=code, name=name, short_name=name, level=level, parent=parent, path=path)
county = open_jurisdiction("510824", prefix="CX")
office = Organisation.objects.create(jurisdiction=county, kind="office", name="陵江镇综合治理办公室", place=parent)
clerk = make_account("clerk", "李文书", "lantern-Under-the-eaves-7", role=Role.TOWNSHIP_CLERK, place_code="510824100")
matter, _secret = services.file_matter(
    place=parent, module=Module.objects.get(code="report"), category=Category.objects.get(code="public_works"),
    subject="村口路灯坏了", detail="第一行\\n第二行\\t\\\\.\\nSET transaction_timeout = 0;", intake_key="first",
    contact=services.Contact("王某", "PHONE"),
)
image = io.BytesIO()
Image.new("RGB", (40, 30), "red").save(image, "JPEG")
photo = SimpleUploadedFile("灯.jpg", image.getvalue())
attach(photo, jurisdiction=county, record_kind="matter", record_id=matter.pk, by=clerk)
services.dispatch(matter, to=office, by=clerk, version=1)
""".replace("PHONE", PHONE)


@dataclass
class Installation:
    """A data folder with its server."""

    data: Path

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command with this installation's environment."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("WEILU_", "DATABASE_", "PYTEST"))
        }
        kept |= {"WEILU_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "config.settings", "COLUMNS": "200"}
        return subprocess.run(command, capture_output=True, text=True, env=kept | environment, timeout=60)

    def weilu(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(WEILU, *arguments, **environment)

    def python(self, script: str, **environment: str) -> str:
        done = self.run(sys.executable, "-c", script, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connect(self, user: str = "weilu", dbname: str = "weilu") -> psycopg.Connection:
        host = str(embedded_postgres.socket_folder(self.data))
        return psycopg.connect(host=host, user=user, dbname=dbname, autocommit=True)

    def rows(self, dbname: str = "weilu") -> dict[str, bytes]:
        """Every row of every table, as PostgreSQL writes it."""
        with self.connect("postgres", dbname) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return {name: copied(connection, name) for (name,) in tables}

    def files(self) -> dict[str, bytes]:
        folder = self.data / "files"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def phone(self, **environment: str) -> str:
        """The telephone number of the one matter, decrypted."""
        script = "import django; django.setup()\nfrom weilu.matters.models import Matter\n"
        return self.python(script + "print(Matter.objects.get().reporter_phone)", **environment).strip()


def copied(connection: psycopg.Connection, table: str) -> bytes:
    query = sql.SQL("COPY (SELECT * FROM {} ORDER BY 1) TO STDOUT").format(sql.Identifier(table))
    with connection.cursor().copy(query) as copy:
        return b"".join(bytes(block) for block in copy)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[Installation]:
    """An installation at work."""
    data = tmp_path_factory.mktemp("a")
    try:
        embedded_postgres.start(data, volatile=True)
        Installation(data).python(CONTENT)
        yield Installation(data)
    finally:
        embedded_postgres.stop(data)


@pytest.fixture(scope="module")
def archive(office, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "weilu.tar"
    done = office.weilu("backup", file)
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Iterator[Installation]:
    """An office's new machine, with nothing on it."""
    data = tmp_path_factory.mktemp("b")
    try:
        embedded_postgres.start(data, volatile=True)
        yield Installation(data)
    finally:
        embedded_postgres.stop(data)


@pytest.fixture(scope="module")
def restored(office, archive, fresh) -> Installation:
    """The new machine after the archive was brought back."""
    done = fresh.weilu("restore", archive)
    assert done.returncode == 0, done.stderr
    return fresh


def rewritten(archive: Path, target: Path, change: Callable[[dict], object]) -> Path:
    """A copy of ``archive`` with another manifest."""
    with tarfile.open(archive) as source, tarfile.open(target, "w") as out:
        for member in source:
            content = source.extractfile(member).read()
            if member.name == "manifest.json":
                manifest = json.loads(content)
                change(manifest)
                content = json.dumps(manifest).encode()
                member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return target


def assert_refused(done: subprocess.CompletedProcess, words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_every_row_and_every_file_comes_back(office, restored):
    assert restored.rows() == office.rows()
    assert len(office.files()) == 2  # the photo and its thumbnail
    assert restored.files() == office.files()


def test_telephone_numbers_can_be_read_with_the_key_that_came_along(office, restored):
    assert restored.phone() == PHONE
    assert (restored.data / "data_key.txt").read_text() == (office.data / "data_key.txt").read_text()
    assert (restored.data / "data_key.txt").stat().st_mode & 0o777 == 0o600


def test_the_archive_is_for_its_owners_eyes_and_leaves_nothing_beside_it(archive):
    assert archive.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in archive.parent.iterdir() if not path.name.startswith("made-")] == [archive.name]


def test_it_does_not_overwrite_a_file(office, archive):
    before = archive.read_bytes()
    assert_refused(office.weilu("backup", archive), "is there already")
    assert archive.read_bytes() == before


def test_events_stay_append_only_after_a_restore(restored):
    with restored.connect("weilu_app") as connection:
        for statement in ("UPDATE records_event SET note = ''", "DELETE FROM records_event"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        assert connection.execute("UPDATE matters_matter SET detail = detail").rowcount == 1


def test_it_does_not_restore_over_data_without_being_told_to(archive, restored):
    before = restored.rows()
    assert_refused(restored.weilu("restore", archive), "--replace")
    assert restored.rows() == before


def test_an_older_archive_is_brought_up_to_date(office, archive, restored, tmp_path):
    first = "people.0001_initial"
    older = rewritten(archive, tmp_path / "older.tar", lambda manifest: manifest["migrations"].remove(first))
    done = restored.weilu("restore", "--replace", older)
    assert done.returncode == 0, done.stderr
    assert restored.rows() == office.rows()


def test_replace_brings_back_exactly_what_the_archive_holds(office, archive, restored):
    with restored.connect() as connection:
        connection.execute("UPDATE matters_matter SET subject = 'changed'")
        connection.execute("CREATE TABLE left_over (id int)")
    (restored.data / "files" / "zz").mkdir()
    (restored.data / "files" / "zz" / "stray").write_text("stray")
    done = restored.weilu("restore", "--replace", archive)
    assert done.returncode == 0, done.stderr
    assert restored.rows() == office.rows()
    assert restored.files() == office.files()
    assert not list(restored.data.glob("restore-*"))


@pytest.mark.parametrize("share", [0.001, 0.9])
def test_a_truncated_archive_is_refused_and_changes_nothing(archive, restored, tmp_path, share):
    before, files = restored.rows(), restored.files()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    assert_refused(restored.weilu("restore", "--replace", cut), "nothing was changed")
    assert restored.rows() == before
    assert restored.files() == files


def test_a_foreign_file_is_refused_with_clear_words(restored, tmp_path):
    foreign = tmp_path / "letter.docx"
    foreign.write_bytes(b"PK\x03\x04" + b"no archive of ours" * 100)
    assert_refused(restored.weilu("restore", "--replace", foreign), "is not an archive of")
    assert_refused(restored.weilu("restore", "--replace", tmp_path / "missing.tar"), "There is no file")


def test_a_failure_at_the_very_end_leaves_what_was_there(archive, restored, tmp_path):
    before, files = restored.rows(), restored.files()
    wrong = rewritten(archive, tmp_path / "wrong.tar", lambda manifest: manifest["rows"].update(orgs_user=7))
    assert_refused(restored.weilu("restore", "--replace", wrong), "nothing was changed")
    assert restored.rows() == before
    assert restored.files() == files
    assert restored.phone() == PHONE


def test_an_archive_of_a_newer_weilu_is_refused(archive, restored, tmp_path):
    newer = rewritten(
        archive, tmp_path / "newer.tar", lambda manifest: manifest["migrations"].append("orgs.9999_later")
    )
    assert_refused(restored.weilu("restore", "--replace", newer), "newer than this Weilu")


def test_it_does_not_restore_under_another_key_set_in_the_environment(archive, restored):
    done = restored.weilu("restore", "--replace", archive, WEILU_DATA_KEY="another key")
    assert_refused(done, "WEILU_DATA_KEY")


def test_it_does_not_restore_while_the_service_is_connected(archive, restored):
    with restored.connect("weilu_app") as connection:
        connection.execute("SELECT 1")
        assert_refused(restored.weilu("restore", "--replace", archive), "Stop the service")


def test_an_owner_who_is_not_superuser_restores_into_an_offices_own_database(office, archive, restored, tmp_path):
    with restored.connect("postgres") as connection:
        connection.execute("CREATE ROLE office LOGIN PASSWORD 'not on the command line'")
        connection.execute("CREATE DATABASE office OWNER office")
    host = embedded_postgres.socket_folder(restored.data)
    url = f"host={host} user=office password='not on the command line' dbname=office"
    elsewhere = Installation(tmp_path)
    done = elsewhere.weilu("restore", archive, DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    found = Installation(restored.data).rows("office")
    assert found == office.rows()
    assert elsewhere.files() == office.files()
    assert elsewhere.phone(DATABASE_URL=url) == PHONE


def test_without_a_database_dump_in_it_an_archive_is_refused(archive, restored, tmp_path):
    lacking = rewritten(archive, tmp_path / "lacking.tar", lambda manifest: manifest["parts"].pop("database.dump"))
    assert_refused(restored.weilu("restore", "--replace", lacking), "lacks database.dump")


def test_what_only_one_server_can_read_is_left_out_of_the_head_and_never_out_of_the_data():
    head = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nCREATE SCHEMA public;\n"
    head += b"CREATE TABLE public.a (b int);\nALTER TABLE ONLY public.a ALTER COLUMN b SET (pg_attver=1);\n"
    head += b"COPY public.a (b) FROM stdin;\n"
    data = b"SET transaction_timeout = 0;\nALTER TABLE ONLY public.a ALTER COLUMN b SET (pg_attver=1);\n\\.\n"
    written = io.BytesIO()
    _copy_script(io.BytesIO(head + data), written, {"lock_timeout"})
    kept = b"SET lock_timeout = 0;\nCREATE TABLE public.a (b int);\nCOPY public.a (b) FROM stdin;\n"
    assert written.getvalue() == kept + data
