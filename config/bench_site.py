"""A throw-away installation to measure: its data, its PostgreSQL, its web server and worker; nothing of it stays."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from weilu.lib import embedded_postgres

ROOT = Path(__file__).resolve().parent.parent
STOP_WITHIN = 40.0
console = Console(stderr=True)


class BenchError(RuntimeError):
    """The bench could not run; the message says why."""


@dataclass
class Site:
    """An installation that answers at ``url``, and the plan that its data was made by."""

    url: str
    plan: Path

    def client(self, *arguments: str) -> dict[str, Any]:
        """Run the client in a process of its own and return what it measured.

        Raises:
            BenchError: it did not come to an end.
        """
        kind, *rest = arguments
        command = [sys.executable, "-m", "config.bench_client", kind, str(self.plan), self.url, *rest]
        with _child(command, stdout=subprocess.PIPE, text=True) as process:
            out, _none = process.communicate()
        if process.returncode:
            raise BenchError("the client ended with an error")
        return json.loads(out.splitlines()[-1])


@contextlib.contextmanager
def _child(command: list[str], *, whole: bool = False, **options: Any) -> Iterator[subprocess.Popen]:
    """Run a command in a session of its own and stop it, whatever happens: Ctrl-C is for us.

    Args:
        whole: stop what it started as well; a web server stops its own.
    """
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            if whole:
                os.killpg(process.pid, signal.SIGTERM)  # with what it started: that would miss the database aloud
            else:
                process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment(data: Path, port: int) -> dict[str, str]:
    """Return the environment of a bench: its own data, and no limits for the one address all clients come from."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WEILU_", "DATABASE_"))}
    limits = {f"WEILU_RATE_{kind}": "100000000" for kind in ("FILE", "FOLLOW", "READ")}
    return {**kept, **limits, "WEILU_DATA": str(data), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "config.settings"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _seed(data: Path, rows: int, values: dict[str, str]) -> None:
    plan = data / "plan.json"
    if plan.exists():
        if json.loads(plan.read_text())["rows"] != rows:
            raise BenchError(f"{data} was made with another number of rows; remove it or choose another folder.")
        return
    console.print(f"[dim]a county with {rows:,} matters …[/dim]")
    with _child([sys.executable, "-m", "config.bench_seed", str(rows)], env=values) as process:
        process.wait()
    if process.returncode:
        raise BenchError("the county could not be made")


@contextlib.contextmanager
def _served(port: int, values: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-c", "from config.cli import main; main()", "serve", "--workers", "2"]
    with _child(command, env=values, stdout=subprocess.PIPE, text=True) as process:
        if not any(line.startswith("ready ") for line in process.stdout or ()):
            raise BenchError("the web server did not start")
        yield


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def site(rows: int | None, data: Path | None = None, url: str = "") -> Iterator[Site]:
    """Make an installation with ``rows`` matters, serve it, and remove all of it afterwards.

    Args:
        rows: None leaves it empty, without a county.
        data: a folder to keep and to use again.
        url: a server that runs already on ``data``.

    Raises:
        BenchError: it could not be made or started.
    """
    if url:
        if data is None or not (data / "plan.json").exists():
            raise BenchError("--url needs --data: the folder of that server, made by a bench.")
        yield Site(url.rstrip("/"), data / "plan.json")
        return
    with installation(data) as folder:
        port = _free_port()
        values = environment(folder, port)
        if rows is not None:
            _seed(folder, rows, values)
        with _served(port, values):
            yield Site(f"http://127.0.0.1:{port}", folder / "plan.json")


def run(values: dict[str, str], module: str, *arguments: str) -> str:
    """Run a module in a process of its own and return what it printed; what it tells people is seen at once.

    Raises:
        BenchError: it did not come to an end.
    """
    command = [sys.executable, "-m", module, *arguments]
    with _child(command, env=values, whole=True, stdout=subprocess.PIPE, text=True) as process:
        out, _none = process.communicate()
    if process.returncode:
        raise BenchError(f"{module} ended with an error")
    return out


@contextlib.contextmanager
def installation(data: Path | None = None) -> Iterator[Path]:
    """Make the folder and the PostgreSQL of an installation, and remove all of it afterwards.

    Args:
        data: a folder to keep and to use again.

    Raises:
        BenchError: PostgreSQL did not start.
    """
    signal.signal(signal.SIGTERM, _interrupted)
    folder = data or Path(tempfile.mkdtemp(prefix="weilu-bench-"))
    try:
        embedded_postgres.start(folder)
        yield folder
    except embedded_postgres.PostgresError as error:
        raise BenchError(str(error)) from error
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it behind
        embedded_postgres.stop(folder)
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(embedded_postgres.socket_folder(folder), ignore_errors=True)
        signal.signal(signal.SIGINT, signal.default_int_handler)
