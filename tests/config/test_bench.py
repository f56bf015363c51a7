"""The bench measures real work on a throw-away installation, and leaves nothing of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

WEILU = Path(sys.executable).with_name("weilu")


def environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WEILU_", "PYTEST"))}
    return kept | {"TMPDIR": str(folder)}


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes that name ``folder`` or work in its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            surroundings = (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in command + surroundings:
            found.append(command.decode(errors="replace"))
    return found


def test_a_small_lifecycle_bench_counts_without_errors_and_leaves_nothing(tmp_path):
    command = [WEILU, "bench", "lifecycle", "--rows", "200", "--clients", "2", "--seconds", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == 0, done.stderr
    assert found["lifecycles"] > 0
    assert found["rows"] == 200
    assert found["clients"] == 2
    assert 0 < found["p50_ms"] <= found["p95_ms"]
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []


def test_an_interrupted_bench_leaves_nothing(tmp_path):
    command = [WEILU, "bench", "lifecycle", "--rows", "0", "--clients", "2", "--seconds", "60", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as process:
        for line in process.stderr:
            if "the clock starts" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []
