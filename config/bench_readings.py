"""Measure figures on the bench's nation: ``python -m config.bench_readings RUNS``; one JSON object on standard output.

The order matters: cells are counted, compared with the records and folded into while they are true; only then are they
filled as those of a hundred times as many records would be.
"""

import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from config import bench_cells, bench_folding, bench_peers
from config.bench_nation import BEIJING, PLAN, YEARS
from config.bench_timing import machine, time_so_often, timed

COUNTY = [
    *((code, by) for code in ("matters.settled", "matters.raised") for by in ("month", "category", "township")),
    ("matters.in_time", "township"), ("matters.days", "month"), ("matters.unsettled", "category"),
]  # fmt: skip
ABOVE = ["month", "city", "county", "category"]
UNFOLDED = 1_000
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
console = Console(stderr=True)


class Ground:
    """Where and when figures are read: the one county, its province, the nation; the last year, and all years."""

    def __init__(self, plan: dict[str, Any], conninfo: str, folder: Path):
        from weilu.indicators.choose import place_of
        from weilu.lib.period import Period
        from weilu.orgs.models import Place

        self.plan, self.conninfo, self.folder = plan, conninfo, folder
        self.county, self.province = place_of(plan["county"]), place_of(plan["province"])
        # Nobody keeps a place for the nation; all places lie below an empty path.
        self.nation = Place(code="0", name="全国", short_name="全国", level=0, path="")
        this = dt.datetime.now(BEIJING).year
        self.year, self.years = Period.of(str(this - 1)), Period.of(f"{this - YEARS + 1}-{this}")
        self.month = Period.of(f"{this - 1}-09")

    def admin(self) -> psycopg.Connection:
        """Connect as the superuser, for what is no part of what is measured."""
        return psycopg.connect(self.conninfo, autocommit=True)


def reading(code: str, place: Any, period: Any, by: str) -> Callable[[], Any]:
    """Return a call that reads a figure as pages and commands do."""
    from weilu.indicators.catalogue import catalogue
    from weilu.indicators.reading import read

    return lambda: read(catalogue()[code], place, period, by)


# --- parts ----------------------------------------------------------------------------------------------------------
def counted(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Count the cells anew, with statistics and visibility as the server's own housekeeping leaves them."""
    with ground.admin() as connection:
        connection.execute("TRUNCATE indicators_cell")
        found = bench_cells.rebuild(progress, "matters.matter")
        connection.execute("VACUUM (ANALYZE) indicators_cell")
        connection.execute("VACUUM (ANALYZE) indicators_touched")
        found["cells"] = connection.execute("SELECT count(*) FROM indicators_cell").fetchone()[0]  # type: ignore[index]
    return found


def of_the_county(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Read figures of the county from its records."""
    found = {}
    task = progress.add_task("figures of the county", total=len(COUNTY) * 2)
    for code, by in COUNTY:
        for period in (ground.year, ground.years):
            found[f"{code} by {by}, {period.text}"] = timed(reading(code, ground.county, period, by))
            progress.advance(task)
    return {"rows": ground.plan["county_rows"], "readings": found}


def above_the_county(ground: Ground, task_of: Callable[[int], Callable[[], None]]) -> dict[str, Any]:
    """Read figures of the province and the nation from cells and what is not folded."""
    asked = [("matters.settled", ground.province, ground.year, by) for by in ABOVE]
    asked += [("matters.settled", ground.nation, ground.year, by) for by in ["province", *ABOVE]]
    asked += [("matters.settled", place, ground.years, "month") for place in (ground.province, ground.nation)]
    asked += [("matters.in_time", place, ground.year, "month") for place in (ground.province, ground.nation)]
    tell, found = task_of(len(asked)), {}
    for code, place, period, by in asked:
        name = "province" if place is ground.province else "nation"
        found[f"{name}: {code} by {by}, {period.text}"] = timed(reading(code, place, period, by))
        tell()
    return found


def of_the_nation(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Read figures above the county, with everything folded and with a thousand rows that are not."""
    from weilu.indicators.folding import fold

    def task_of(name: str) -> Callable[[int], Callable[[], None]]:
        def begin(total: int) -> Callable[[], None]:
            task = progress.add_task(name, total=total)
            return lambda: progress.advance(task)

        return begin

    folded = above_the_county(ground, task_of("figures above it"))
    touched = bench_folding.touch(UNFOLDED)
    unfolded = above_the_county(ground, task_of(f"… with {touched:,} unfolded"))
    fold()
    return {"unfolded": touched, "folded_readings": folded, "unfolded_readings": unfolded}


def page_of(account: str) -> Callable[[str, Any, Any, str, str], int]:
    """Return what opens a group of a figure into its first page of rows, as an account's browser would.

    The whole page counts: session, scope, group, rows, how many are hidden, and the HTML.
    """
    from django.test import Client

    from weilu.orgs.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=account), backend="weilu.orgs.backends.AccountBackend")

    def opened(code: str, place: Any, period: Any, by: str, key: str) -> int:
        asked = {"place": place.code, "period": period.text, "by": by, "key": key}
        answer = client.get(f"/figures/{code}/rows/", asked)
        if answer.status_code != 200:
            raise RuntimeError(f"the page of rows answers {answer.status_code}")
        return answer.content.count(b"<tr")

    return opened


def drills(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Open groups of figures into their first page of rows."""
    from weilu.matters.setup import CATEGORIES

    readers, category = ground.plan["readers"], CATEGORIES[1][1]
    asked = [
        ("county", ground.county, ground.month, "category", category),
        ("county", ground.county, ground.years, "month", ground.month.text),
        ("province", ground.province, ground.month, "category", category),
        ("province", ground.province, ground.years, "month", ground.month.text),
        ("province", ground.province, ground.month, "county", ground.county.code),
    ]
    found = {}
    task = progress.add_task("rows behind them", total=len(asked))
    for name, place, period, by, key in asked:
        opened = page_of(readers[name])
        lines = opened("matters.settled", place, period, by, key)
        call = lambda: opened("matters.settled", place, period, by, key)  # noqa: B023, E731  called before the next
        label = f"{name}: matters.settled, {period.text}, {by} {key}"
        found[label] = {**timed(call), "lines": lines}
        progress.advance(task)
    return found


def compared(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Ask the same of the same rows in other ways."""
    task = progress.add_task("other ways", total=1 + len(bench_peers.QUESTIONS))
    asked = bench_peers.Asked(ground.county.code, ground.province.code, ground.years.start, ground.years.end)

    def ours(level: str, by: str) -> dict[str, Any]:
        place = ground.county if level == "county" else ground.province
        return {part.key: part.value for part in reading("matters.settled", place, ground.years, by)().parts}

    return bench_peers.compare(ground.conninfo, asked, ours, ground.folder, lambda: progress.advance(task))


def folded(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Write while another process folds, and fold a backlog."""
    count = min(bench_folding.WRITES, ground.plan["rows"] // 4)
    task = progress.add_task("writes, folded beside", total=count)
    found = bench_folding.while_written(ground.conninfo, count, lambda: progress.advance(task))
    task = progress.add_task("a backlog", total=None)
    found["alone"] = bench_folding.alone(bench_folding.BACKLOG)
    progress.update(task, total=1, completed=1)
    return found


def agreed(ground: Ground, progress: Progress) -> list[str]:
    """Return the readings of the province that cells and records do not agree upon."""
    task = progress.add_task("cells beside records", total=None)
    found = bench_cells.differences(ground.province, [ground.year, ground.years])
    progress.update(task, total=1, completed=1)
    return found


# --- all of it ------------------------------------------------------------------------------------------------------
def measure(ground: Ground, progress: Progress) -> dict[str, Any]:
    """Measure everything, in the order in which it must be."""
    found: dict[str, Any] = {"rebuild": counted(ground, progress)}
    wrong = agreed(ground, progress)
    found["county"] = of_the_county(ground, progress)
    found["compared"] = compared(ground, progress)
    found["folding"] = folded(ground, progress)
    wrong += [f"after folding: {each}" for each in agreed(ground, progress)]
    found["equal"], found["differences"] = not wrong, wrong
    with ground.admin() as connection:
        connection.execute("VACUUM (ANALYZE) matters_matter")
    months = (ground.years.start, dt.datetime.now(BEIJING).date().replace(day=1))
    found["filled"] = bench_cells.fill(ground.conninfo, ground.plan["rows"], months, progress)
    found["cells"], found["records_in_cells"] = (found["filled"].pop(key) for key in ("cells", "records_in_cells"))
    found["rows_behind"] = found["rebuild"]["rows"]
    found["nation"] = of_the_nation(ground, progress)
    found["drill"] = drills(ground, progress)
    return found


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(runs: int) -> None:
    """Measure what the data folder of the settings holds, each reading so often."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from config import database

    signal.signal(signal.SIGTERM, _interrupted)
    time_so_often(runs)
    database.prepare()
    call_command("collectstatic", verbosity=0, interactive=False)  # pages name their files by what these hold
    plan = json.loads((settings.DATA / PLAN).read_text())
    ground = Ground(plan, database.admin_conninfo(settings.DATABASES["default"]["NAME"]), settings.DATA)
    with ground.admin() as connection:
        version = connection.execute("SHOW server_version").fetchone()[0]  # type: ignore[index]
    found = {"machine": machine(version)}
    with Progress(*COLUMNS, console=console) as progress:
        found |= measure(ground, progress)
    print(json.dumps(found, ensure_ascii=False, default=str))


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
