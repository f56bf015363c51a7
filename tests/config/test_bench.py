"""The bench measures real work on a throw-away installation, and leaves nothing of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.db import connection

from config.bench_nation import Size, faults
from weilu.matters.models import Matter

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


def test_a_small_nation_reads_the_same_from_cells_records_and_in_other_ways(tmp_path):
    command = [WEILU, "bench", "figures", "--rows", "3000", "--places", "300", "--runs", "3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"machine", "data", "rebuild", "county", "compared", "folding", "nation", "drill", "budgets"} <= set(found)
    assert found["equal"], found["differences"]
    assert all(each["equal"] for each in found["compared"]["questions"].values())
    assert found["data"]["provinces"] >= 2
    assert (
        found["rebuild"]["rows"] == found["rows_behind"] == found["data"]["county_rows"] + found["data"]["other_rows"]
    )
    assert found["records_in_cells"] == 100 * found["rows"]
    assert found["folding"]["writes"] == 750
    assert all(each["lines"] > 1 for each in found["drill"].values())
    assert all(set(each) == {"name", "budget", "value", "of", "met"} for each in found["budgets"])
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []


def test_the_nation_grows_with_the_number_of_its_places():
    whole, small = Size.of(1_000_000, 690_000), Size.of(3_000, 300)
    assert (whole.provinces, whole.cities, whole.counties) == (31, 340, 2_900)
    assert whole.places == 690_000
    assert whole.county_rows == 1_000_000
    assert whole.other_rows >= whole.counties - 1
    assert Size.of(10_000_000, 690_000).rows == 10_000_000
    assert small.places == 300
    assert small.provinces == 2


def test_a_nation_that_is_not_as_the_application_would_make_it_is_found(world):
    world.matter()
    assert faults(connection.connection) == {}
    Matter.objects.update(township=world.other_township)
    assert list(faults(connection.connection)) == ["matters whose places do not lie in each other"]
