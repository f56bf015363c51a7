"""The worker as the supervisor starts it: it works, says nothing while all is well, and ends when told to."""

import os
import signal
import subprocess
import time

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from psycopg.conninfo import make_conninfo

from config.supervisor import worker
from weilu.records.models import OutgoingMail
from weilu.records.tasks import send_mail


@pytest.fixture
def start(transactional_db, tmp_path):
    """Start the worker against the database of this test; mails become files in a folder."""
    started = []

    def run() -> subprocess.Popen:
        at = connection.settings_dict
        url = make_conninfo(host=at["HOST"], port=at["PORT"], user=at["USER"], dbname=at["NAME"])
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("WEILU_", "PYTEST"))}
        environment = clean | {"DATABASE_URL": url, "WEILU_DATA": str(tmp_path)}
        process = subprocess.Popen(
            worker().command,
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def wait_for(what, process: subprocess.Popen) -> None:
    until = time.monotonic() + 60
    while not what() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)


def test_the_worker_sends_mail_and_says_nothing(real_world, start, tmp_path):
    row = OutgoingMail.objects.create(
        jurisdiction=real_world.jurisdiction, to="ming@example.org", subject="已办结", body="路灯亮了"
    )
    send_mail.defer(mail_id=str(row.pk))
    process = start()
    wait_for(lambda: OutgoingMail.objects.filter(sent_at__isnull=False).exists(), process)
    process.send_signal(signal.SIGTERM)
    words, _nothing = process.communicate(timeout=30)
    assert words == ""
    assert process.returncode == 0
    assert OutgoingMail.objects.get().sent_at
    assert len(list((tmp_path / "mail").iterdir())) == 1
    assert mail.outbox == []
