"""One parent process that keeps the web server and the worker, and ends with everything it started."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from django.conf import settings

STOP_WITHIN = 15.0
PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask the kernel to end this child when the parent is killed, so that no orphan keeps the port (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """A process to keep alive."""

    name: str
    command: list[str]
    process: subprocess.Popen | None = None
    starts: int = 0

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C is for the parent, who stops its children in order."""
        self.process = subprocess.Popen(
            self.command, cwd=settings.BASE_DIR, start_new_session=True, preexec_fn=_die_with_parent
        )
        self.starts += 1

    def stop(self) -> None:
        """Ask it to end; insist after a while."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def web(host: str, port: int, workers: int) -> Child:
    """The web server: Granian, WSGI, persistent connections to clients and database."""
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        host,
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--blocking-threads",
        "4",
        "--backlog",
        "1024",
        "--no-ws",
        "--respawn-failed-workers",
        "--log-level",
        "error",
        "config.wsgi:application",
    ]
    return Child("web", command)


def worker() -> Child:
    """The worker that sends mail, keeps the clocks and tidies."""
    return Child("worker", [sys.executable, "-m", "config.worker"])


@dataclass
class Supervisor:
    """Keeps children running until a signal says stop."""

    children: list[Child]
    stopping: bool = field(default=False, init=False)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def run(self, url: str, ready: Callable[[], None], patience: float = 60.0) -> int:
        """Start all children, call ``ready`` once ``url`` answers, restart what dies, stop in order.

        Returns:
            0 after a signal; 1 when a child could not be kept running.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            for child in self.children:
                child.start()
            if not self._wait_for(url, patience):
                return 0 if self.stopping else 1
            ready()
            while not self.stopping:
                time.sleep(0.3)
                if not self._keep():
                    return 1
            return 0
        finally:
            for child in reversed(self.children):
                child.stop()

    def _wait_for(self, url: str, patience: float) -> bool:
        until = time.monotonic() + patience
        while not self.stopping and time.monotonic() < until:
            try:
                # A host that is always allowed, whatever name the office gave the site.
                host = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
                question = urllib.request.Request(url, headers={"Host": host})  # noqa: S310  our own address
                urllib.request.urlopen(question, timeout=5).close()  # noqa: S310  our own address
                return True
            except urllib.error.HTTPError:  # it answers; /healthz says what is missing
                time.sleep(0.2)
            except OSError:
                if any(child.process and child.process.poll() is not None for child in self.children):
                    return False
                time.sleep(0.1)
        return False

    def _keep(self) -> bool:
        for child in self.children:
            if child.process and child.process.poll() is not None:
                if child.starts > 20:
                    print(f"{child.name} keeps dying; giving up", file=sys.stderr)
                    return False
                print(f"{child.name} ended with {child.process.returncode}; starting it again", file=sys.stderr)
                time.sleep(min(child.starts, 10) * 0.5)
                child.start()
        return True
