"""``weilu bench figures``: figures at the size of a county and of the nation, beside other ways to count the same."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from config.bench_nation import PLAN
from config.bench_site import BenchError, environment, installation, run
from config.bench_timing import RUNS

ROWS, PLACES = 1_000_000, 690_000
FIGURE_MS, DRILL_MS, WRITES, REBUILT, REBUILT_WITHIN = 100, 50, 2_000, 10_000_000, 120
console = Console(stderr=True)
Block = tuple[str, list[str], list[list[Any]]]


# --- made and measured ----------------------------------------------------------------------------------------------
def _nation(data: Path, rows: int, places: int, values: dict[str, str]) -> dict[str, Any]:
    """Make the nation, or take the one that the folder holds."""
    plan = data / PLAN
    if not plan.exists():
        run(values, "config.bench_nation", str(rows), str(places))
    found = json.loads(plan.read_text())
    if (found["rows"], found["places"]) != (rows, places):
        raise BenchError(f"{data} was made with other numbers of rows or places; remove it or choose another folder.")
    return found


def measured(rows: int = ROWS, places: int = PLACES, runs: int = RUNS, data: Path | None = None) -> dict[str, Any]:
    """Make the nation, measure, and say which budgets are met.

    Raises:
        BenchError: it could not be made or measured.
    """
    if find_spec("duckdb") is None:
        raise BenchError("DuckDB, which is compared with, is not here: make .venv/.bench")
    with installation(data) as folder:
        values = environment(folder, 0)
        made = _nation(folder, rows, places, values)
        lines = run(values, "config.bench_readings", str(runs)).splitlines()
    found = {"rows": rows, "places": places, "data": made, **json.loads(lines[-1])}
    return {**found, "budgets": budgets(found)}


def _slowest(readings: dict[str, Any]) -> tuple[str, float]:
    return max(((name, each["p95_ms"]) for name, each in readings.items()), key=lambda pair: pair[1])


def budgets(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each budget with what was measured; times are 95th percentiles of the slowest of their kind."""
    nation = {name: found["nation"][name] for name in ("folded_readings", "unfolded_readings")}
    both = {f"{name} ({kind.split('_')[0]})": each for kind, all_ in nation.items() for name, each in all_.items()}
    months = {name: each for name, each in both.items() if name.startswith("province:") and " by month" in name}
    times = [
        ("county, a figure with its breakdown", found["county"]["readings"], FIGURE_MS),
        ("province by month, from cells", months, FIGURE_MS),
        ("province and nation, every breakdown, from cells", both, FIGURE_MS),
        ("drill to rows, whole page", found["drill"], DRILL_MS),
    ]
    made = []
    for name, readings, most in times:
        slowest, value = _slowest(readings)
        made.append({"name": name, "budget": f"≤ {most} ms", "value": value, "of": slowest, "met": value <= most})
    folds = found["folding"]["alone"]["folded_per_second"]
    text = f"≥ {WRITES:,} writes/s"
    made.append({"name": "folding", "budget": text, "value": folds, "of": "a backlog", "met": folds >= WRITES})
    seconds = round(REBUILT / max(1, found["rebuild"]["rows_per_second"]), 1)
    of = f"from {found['rebuild']['rows']:,} rows"
    text = f"≤ {REBUILT_WITHIN} s"
    name = f"rebuild of {REBUILT:,}"
    made.append({"name": name, "budget": text, "value": seconds, "of": of, "met": seconds <= REBUILT_WITHIN})
    return made


# --- shown ----------------------------------------------------------------------------------------------------------
def blocks(found: dict[str, Any]) -> list[Block]:
    """Return the tables: title, head and lines."""
    return [
        _of_the_county(found), _above(found), _drills(found), _ways(found), _steps(found),
        (
            "Budgets", ["budget", "", "measured", "of", "met"],
            [[e["name"], e["budget"], e["value"], e["of"], "yes" if e["met"] else "no"] for e in found["budgets"]],
        ),
    ]  # fmt: skip


def _of_the_county(found: dict[str, Any]) -> Block:
    title = f"county with {found['county']['rows']:,} records, live"
    lines = [[name, each["p50_ms"], each["p95_ms"]] for name, each in found["county"]["readings"].items()]
    return title, ["figure", "p50 ms", "p95 ms"], lines


def _above(found: dict[str, Any]) -> Block:
    nation = found["nation"]
    counties, cells, records = (
        f"{n:,}" for n in (found["data"]["counties"], found["cells"], found["records_in_cells"])
    )
    title = (
        f"{counties} counties, {cells} cells that hold {records} matters settled"
        f" (rows behind them: {found['rows_behind']:,})"
    )
    head = ["figure", "p50 ms", "p95 ms", f"p50 ms, {nation['unfolded']:,} unfolded", "p95 ms"]
    lines = []
    for name, each in nation["folded_readings"].items():
        beside = nation["unfolded_readings"][name]
        lines.append([name, each["p50_ms"], each["p95_ms"], beside["p50_ms"], beside["p95_ms"]])
    return title, head, lines


def _drills(found: dict[str, Any]) -> Block:
    lines = [[name, each["p50_ms"], each["p95_ms"]] for name, each in found["drill"].items()]
    return "rows behind a group, first page", ["group", "p50 ms", "p95 ms"], lines


def _ways(found: dict[str, Any]) -> Block:
    compared = found["compared"]
    title = (
        f"the same of {found['rebuild']['rows']:,} rows, p50 ms (wide table: built in"
        f" {compared['wide']['build_seconds']} s, {compared['wide']['mb']} MB, stale until the next; DuckDB: exported"
        f" in {compared['duckdb']['export_seconds']} s, loaded in {compared['duckdb']['load_seconds']} s)"
    )
    ways = ["ours", "plain", "wide", "duckdb"]
    lines = [
        [name, f"{each['rows']:,}", *(each[way]["p50_ms"] for way in ways), "yes" if each["equal"] else "no"]
        for name, each in compared["questions"].items()
    ]
    return title, ["question", "rows", "Weilu", "plain GROUP BY", "wide table", "DuckDB", "equal"], lines


def _steps(found: dict[str, Any]) -> Block:
    rebuild, folding = found["rebuild"], found["folding"]
    lines = [
        ["rebuild of these rows' cells", f"{rebuild['seconds']} s", f"{rebuild['rows_per_second']:,} rows/s"],
        ["rebuild of all cells", f"{rebuild['all_seconds']} s", f"{rebuild['cells']:,} cells"],
        [f"{folding['writes']:,} writes of one process, folded beside", f"{folding['writes_per_second']:,} writes/s",
         f"largest backlog {folding['largest_backlog']:,}"],
        [f"fold a backlog of {folding['alone']['backlog']:,}", f"{folding['alone']['seconds']} s",
         f"{folding['alone']['folded_per_second']:,} rows/s"],
    ]  # fmt: skip
    return "cells", ["what", "", ""], lines


def figures(
    rows: Annotated[int, typer.Option(help="Matters; up to a million of them in one county.", min=1_000)] = ROWS,
    places: Annotated[int, typer.Option(help="Places of the nation, from provinces to villages.", min=100)] = PLACES,
    runs: Annotated[int, typer.Option(help="How often each reading is timed.", min=3)] = RUNS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder to keep and to use again; else one that is removed.")
    ] = None,
) -> None:
    """Figures of a county live and of the nation from cells, their rows, folding and rebuilding; beside other ways."""
    try:
        found = measured(rows, places, runs, data)
    except BenchError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from error
    for title, head, lines in blocks(found):
        table = Table(*head, title=title)
        for line in lines:
            table.add_row(*[str(value) for value in line])
        console.print(table)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    same = found["equal"] and all(each["equal"] for each in found["compared"]["questions"].values())
    raise typer.Exit(0 if same else 1)
