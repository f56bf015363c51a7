"""``weilu bench``: measure on this machine, with an installation made for it and removed again."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from config.bench_figures import blocks, figures, measured
from config.bench_roster import roster
from config.bench_site import BenchError, Site, environment, site

bench = typer.Typer(
    help="Measure: lifecycle, pages, figures; numbers go into docs/performance.md and docs/scale.md.",
    no_args_is_help=True,
)
console = Console(stderr=True)
bench.command()(roster)
bench.command()(figures)
SIZES = [0, 100_000, 1_000_000]

Rows = Annotated[int, typer.Option(help="Matters in the base before the clock starts.", min=0)]
Clients = Annotated[int, typer.Option(help="Clerks who work at the same time.", min=1)]
Seconds = Annotated[float, typer.Option(help="How long the clock runs.", min=1)]
Data = Annotated[Path | None, typer.Option(help="Folder to keep and to use again; else one that is removed.")]
Url = Annotated[str, typer.Option(help="A server that runs already on --data; else one is started.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]


def _lifecycle(at: Site, rows: int, clients: int, seconds: float) -> dict[str, Any]:
    return {"rows": rows, "clients": clients, **at.client("lifecycle", str(clients), str(seconds))}


def _pages(at: Site, rows: int) -> dict[str, Any]:
    return {"rows": rows, **at.client("pages")}


def _fail(error: BenchError) -> typer.Exit:
    console.print(f"[red]{error}[/red]", highlight=False)
    return typer.Exit(1)


def _show(title: str, head: list[str], lines: list[list[Any]]) -> None:
    table = Table(*head, title=title)
    for line in lines:
        table.add_row(*[str(value) for value in line])
    console.print(table)


@bench.command()
def lifecycle(
    rows: Rows = 0,
    clients: Clients = 50,
    seconds: Seconds = 60,
    as_json: AsJson = False,
    data: Data = None,
    url: Url = "",
) -> None:
    """Matters filed, dispatched, settled and found again over HTTP, by clerks at work at the same time."""
    try:
        with site(rows, data, url) as at:
            found = _lifecycle(at, rows, clients, seconds)
    except BenchError as error:
        raise _fail(error) from error
    _show("Lifecycles", list(found), [list(found.values())])
    if as_json:
        print(json.dumps(found))
    raise typer.Exit(1 if found["errors"] else 0)


@bench.command()
def pages(rows: Rows = 1_000_000, as_json: AsJson = False, data: Data = None, url: Url = "") -> None:
    """How long each page takes, one reader at a time."""
    try:
        with site(rows, data, url) as at:
            found = _pages(at, rows)
    except BenchError as error:
        raise _fail(error) from error
    lines = [[name, page.get("p50_ms"), page.get("p95_ms")] for name, page in found["pages"].items()]
    _show(f"Pages at {rows:,} matters", ["page", "p50 ms", "p95 ms"], lines)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    raise typer.Exit(1 if any("error" in page for page in found["pages"].values()) else 0)


def _imports(rows: int | None, name: str, *arguments: str) -> list[Any]:
    """Time one import into a base of its own, with the command that an office uses."""
    with site(rows) as at:
        values = environment(at.plan.parent, 0)
        main = [sys.executable, "-c", "from config.cli import main; main()", "import", name, *arguments, "--json"]
        begun = time.monotonic()
        done = subprocess.run(main, env=values, stdout=subprocess.PIPE, text=True)
    taken = round(time.monotonic() - begun, 1)
    counts = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
    return [name, taken, {key: value for key, value in counts.items() if key != "errors"}]


def _markdown(head: list[str], lines: list[list[Any]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(value) for value in row) + " |" for row in rows) + "\n"


@bench.command(name="all")
def everything(
    clients: Clients = 50,
    seconds: Seconds = 60,
    divisions: Annotated[Path | None, typer.Option(help="Folder of divisions whose import is timed too.")] = None,
    matters: Annotated[Path | None, typer.Option(help="File of matters whose import is timed too.")] = None,
) -> None:
    """All measurements; the tables for docs/performance.md and docs/scale.md go to standard output."""
    lives: list[list[Any]] = []
    seen: dict[str, Any] = {}
    imported: list[list[Any]] = []
    try:
        for rows in SIZES:
            with site(rows) as at:
                if rows == SIZES[-1]:  # before the lifecycles add to it
                    seen = _pages(at, rows)["pages"]
                lives.append(list(_lifecycle(at, rows, clients, seconds).values()))
        if divisions:
            imported.append(_imports(None, "divisions", str(divisions)))
        if matters:
            imported.append(_imports(0, "matters", str(matters), "--add-categories"))
        figured = measured()
    except BenchError as error:
        raise _fail(error) from error
    head = ["rows", "clients", "lifecycles", "errors", "per second", "p50 ms", "p95 ms"]
    print(_markdown(head, lives))
    lines = [[name, page.get("p50_ms", ""), page.get("p95_ms", "")] for name, page in seen.items()]
    print(_markdown([f"page at {SIZES[-1]:,}", "p50 ms", "p95 ms"], lines))
    if imported:
        print(_markdown(["import", "seconds", "counts"], imported))
    for title, head, lines in blocks(figured):
        print(f"{title[0].upper()}{title[1:]}\n\n{_markdown(head, lines)}")
