"""Removing attachments: the file goes with its last row, after the commit, and never from under somebody else."""

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from PIL import Image

from weilu.lib.ids import new_id
from weilu.records.attachments import attach, path_of, remove
from weilu.records.models import Attachment


def photo(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "JPEG")
    return out.getvalue()


def draft(world, colour: str = "red") -> Attachment:
    """A photo of a form of its own."""
    given = {"jurisdiction": world.jurisdiction, "record_kind": "draft", "record_id": new_id()}
    return attach(SimpleUploadedFile("a.jpg", photo(colour)), **given)


def only(row: Attachment):
    return Attachment.objects.filter(pk=row.pk)


def lies(row: Attachment) -> bool:
    return path_of(row.sha256).exists() and path_of(row.sha256, thumbnail=True).exists()


def test_the_file_goes_after_the_commit_and_not_before(world, django_capture_on_commit_callbacks):
    row = draft(world)
    with django_capture_on_commit_callbacks(execute=True):
        remove(only(row))
        assert not Attachment.objects.exists()
        assert lies(row), "what is not committed may still come back"
    assert not path_of(row.sha256).exists()
    assert not path_of(row.sha256, thumbnail=True).exists()


def test_what_is_rolled_back_keeps_its_file(real_world):
    class Failure(Exception):
        pass

    row = draft(real_world)
    with pytest.raises(Failure), transaction.atomic():  # noqa: PT012  the error must come inside
        remove(only(row))
        raise Failure
    assert only(row).exists()
    assert lies(row)


def test_a_file_that_another_attachment_shows_stays(real_world):
    one, other = draft(real_world), draft(real_world)
    remove(only(one))
    assert lies(other)
    remove(only(other))
    assert not path_of(other.sha256).exists()


def beside(deed: Callable[[], object]) -> threading.Thread:
    """Do something on a connection of its own."""

    def run() -> None:
        try:
            deed()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def until_it_waits_or_ends(thread: threading.Thread) -> None:
    """Give ``thread`` the time to come to a lock that somebody else holds, or to its end."""
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
    )
    until = time.monotonic() + 30
    while thread.is_alive() and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


def test_a_file_that_is_just_being_attached_again_stays(real_world):
    old = draft(real_world)
    with transaction.atomic():
        new = draft(real_world)  # not committed yet: nobody else sees this row
        remover = beside(lambda: remove(only(old)))
        until_it_waits_or_ends(remover)
    remover.join(30)
    assert list(Attachment.objects.all()) == [new]
    assert lies(new)


def test_a_file_that_is_just_being_deleted_is_written_anew(real_world, monkeypatch):
    old = draft(real_world)
    attaching: list[threading.Thread] = []
    unlink = Path.unlink

    def late(path: Path, missing_ok: bool = False) -> None:
        if path == path_of(old.sha256):
            attaching.append(beside(lambda: draft(real_world)))
            until_it_waits_or_ends(attaching[0])
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", late)
    remove(only(old))
    attaching[0].join(30)
    assert lies(Attachment.objects.get())


def test_a_form_that_is_being_sent_keeps_its_photo(real_world):
    row = draft(real_world)
    with transaction.atomic():
        only(row).update(record_kind="matter")
        remover = beside(lambda: remove(Attachment.objects.filter(record_kind="draft", record_id=row.record_id)))
        remover.join(0.3)
    remover.join(30)
    assert only(row).exists()
    assert lies(row)
