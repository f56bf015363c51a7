"""Folding in the bench: people write while the worker folds. ``python -m config.bench_folding`` is the worker."""

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg

WRITES, BACKLOG = 2_000, 20_000
LOOK_EVERY, PATIENCE = 0.05, 600.0


# --- the worker -----------------------------------------------------------------------------------------------------
def main() -> None:
    """Fold as fast as there is something to fold, until standard input ends; then say how much it was."""
    import django

    django.setup()
    from weilu.indicators.folding import fold

    ended = threading.Event()
    threading.Thread(target=_until_input_ends, args=(ended,), daemon=True).start()
    print("ready", flush=True)
    rows, taken = 0, 0.0
    while not ended.is_set():
        begun = time.perf_counter()
        if done := fold():
            rows, taken = rows + done, taken + time.perf_counter() - begun
        else:
            time.sleep(0.01)
    print(json.dumps({"rows": rows, "seconds": taken}), flush=True)


def _until_input_ends(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


@contextlib.contextmanager
def _worker(found: dict[str, Any]) -> Iterator[None]:
    """Let a second process fold; what it folded stands in ``found`` afterwards. It ends with us: its input closes."""
    command = [sys.executable, "-m", "config.bench_folding"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or not process.stdout.readline():
                raise RuntimeError("the process that folds did not start")
            yield
            out, _none = process.communicate("")
            found.update(json.loads(out))
        finally:
            if process.poll() is None:
                process.kill()


# --- people who write -----------------------------------------------------------------------------------------------
def rows_to_write(count: int) -> tuple[list[UUID], list[UUID]]:
    """Return matters that are settled next, and matters that are rated next: at most ``count`` of each."""
    from weilu.matters.models import Matter
    from weilu.matters.workflow import DONE

    still = Matter.objects.open().order_by("-created_at")
    done = Matter.objects.filter(state__in=sorted(DONE)).order_by("-created_at")
    return list(still.values_list("pk", flat=True)[:count]), list(done.values_list("pk", flat=True)[:count])


def _settle(key: UUID, now: dt.datetime) -> None:
    from weilu.matters.models import Matter

    Matter.objects.filter(pk=key).update(
        state="settled", settled_at=now, settled_late=False, due_at=None, clock_left=None, outcome="已派人现场处理。",
        rate_until=now + dt.timedelta(days=7), reopen_until=now + dt.timedelta(days=15), version=3,
    )  # fmt: skip


def _rate(keys: list[UUID], now: dt.datetime, rating: int) -> None:
    from weilu.matters.models import Matter

    rows = Matter.objects.filter(pk=keys[0]) if len(keys) == 1 else Matter.objects.filter(pk__in=keys)
    rows.update(state="rated", rating=rating, rated_at=now, version=4)


def _write(count: int, tell: Any) -> None:
    """Settle and rate matters one after the other: one in four is settled, as long as some are open."""
    still, done = rows_to_write(count)
    for number in range(count):
        now = dt.datetime.now(dt.UTC)
        if number % 4 == 0 and still:
            _settle(still.pop(), now)
        else:
            _rate([done[number % len(done)]], now, 1 + number % 5)
        tell()


class Backlog:
    """Looks at how many writes are not folded yet, from a connection of its own."""

    def __init__(self, conninfo: str):
        self.conninfo, self.largest, self._ended = conninfo, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            while not self._ended.wait(LOOK_EVERY):
                self.largest = max(self.largest, unfolded(connection))

    def __enter__(self) -> "Backlog":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()


def unfolded(connection: psycopg.Connection) -> int:
    """Return how many writes are not folded yet."""
    return connection.execute("SELECT count(*) FROM indicators_touched").fetchone()[0]  # type: ignore[index]


# --- measured -------------------------------------------------------------------------------------------------------
def while_written(conninfo: str, count: int, tell: Any) -> dict[str, Any]:
    """Write as fast as one process can while another folds."""
    worker: dict[str, Any] = {}
    with _worker(worker), Backlog(conninfo) as backlog:
        begun = time.perf_counter()
        _write(count, tell)
        written = time.perf_counter()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            while unfolded(connection) and time.perf_counter() - written < PATIENCE:
                time.sleep(0.01)
        caught_up = time.perf_counter()
    return {
        "writes": count,
        "writes_per_second": round(count / (written - begun)),
        "largest_backlog": backlog.largest,
        "folded_after_the_last_s": round(caught_up - written, 2),
        "folded_beside": worker,
    }


def alone(rows: int) -> dict[str, Any]:
    """Fold a backlog of many rows that nobody adds to."""
    from weilu.indicators.folding import fold

    _still, done = rows_to_write(rows)
    _rate(done, dt.datetime.now(dt.UTC), 4)
    begun = time.perf_counter()
    folded = fold()
    taken = time.perf_counter() - begun
    return {"backlog": folded, "seconds": round(taken, 2), "folded_per_second": round(folded / taken)}


def touch(rows: int) -> int:
    """Write to so many matters, spread over all, and leave them unfolded; return how many they were."""
    from weilu.matters.models import Matter
    from weilu.matters.workflow import DONE

    found = Matter.objects.filter(state__in=sorted(DONE)).order_by("created_at").values_list("pk", flat=True)
    every = max(1, found.count() // rows)
    keys = list(found)[::every][:rows]
    _rate(keys, dt.datetime.now(dt.UTC), 5)
    return len(keys)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
