"""The command ``weilu``: what an office, a developer or a curious reader wants to do."""

import json
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

RUN, DATA, TRY = "Run it", "Bring data in, keep it safe", "Look and measure"

app = typer.Typer(
    help="Weilu 围炉: work is recorded once, where it is done; everything else follows.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
imports = typer.Typer(help="Bring data in: divisions, rosters, matters.", no_args_is_help=True)
app.add_typer(imports, name="import", rich_help_panel=DATA)
rebuilds = typer.Typer(help="Make derived things anew from the records.", no_args_is_help=True)
app.add_typer(rebuilds, name="rebuild", rich_help_panel=DATA)
demos = typer.Typer(invoke_without_command=True)
app.add_typer(demos, name="demo", rich_help_panel=RUN)
console = Console(stderr=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def setup() -> None:
    """Load Django with its settings."""
    import django

    django.setup()


def fail(message: str) -> typer.Exit:
    """Print what is wrong and return the exit to raise."""
    console.print(f"[red]{message}[/red]", highlight=False)
    return typer.Exit(1)


class Database:
    """The database, ready for one command; a server that the command started ends with it."""

    def __enter__(self) -> None:
        setup()
        import psycopg
        from django.db import DatabaseError

        from config import database
        from weilu.lib.embedded_postgres import PostgresError

        try:
            self.started = database.prepare(lambda what: console.print(f"[dim]{what} …[/dim]"))
        except PostgresError as error:
            raise fail(str(error)) from error
        except (DatabaseError, psycopg.Error) as error:
            words = str(error).strip().splitlines()[0]
            raise fail(f"The database does not answer as it should: {words}\nCheck DATABASE_URL.") from error
        except subprocess.CalledProcessError as error:
            raise fail("The tables could not be brought up to date; nothing was changed. See above.") from error

    def __exit__(self, *exc: object) -> None:
        if self.started:
            from django.conf import settings
            from django.db import connections

            from weilu.lib import embedded_postgres

            connections.close_all()
            embedded_postgres.stop(settings.DATA)


def check_port(host: str, port: int) -> None:
    """Say so before anything starts, if the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise fail(
                f"Port {port} on {host} is in use ({error.strerror}). Choose another, for example PORT=8001."
            ) from error


def _serve(host: str, port: int, workers: int, demo: bool) -> None:
    check_port(host, port)
    with Database():
        from django.core.management import call_command

        from config import database
        from config.supervisor import Supervisor, web, worker

        call_command("collectstatic", verbosity=0, interactive=False)
        accounts: list[tuple[str, str, str]] = []
        if demo:
            from weilu.demo import DemoError, load

            try:
                accounts = load(console)
            except DemoError as error:
                raise fail(str(error)) from error
            database.analyze_if_new()
        from django.db import connections

        connections.close_all()

        def ready() -> None:
            if accounts:
                print_accounts(accounts)
            print(f"ready http://{host}:{port}", flush=True)

        probe = "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104  compared, not bound
        status = Supervisor([web(host, port, workers), worker()]).run(f"http://{probe}:{port}/healthz", ready)
    raise typer.Exit(status)


def print_accounts(accounts: list[tuple[str, str, str]], title: str = "Accounts of the demo county") -> None:
    """Print one account for each role."""
    table = Table("role", "account", "password", title=title)
    for row in accounts:
        table.add_row(*row)
    Console(width=100).print(table)


def print_published(found: Any, scale: int) -> None:
    """Print each published figure beside what was read, and the accounts to look with."""
    from weilu.demo.published.accounts import accounts

    size = "" if scale == 1 else f" at 1:{scale}"
    table = Table(
        "figure", "name", "place", "period", f"published{size}", "read", "same", title="The published figures"
    )
    for row in found:
        fact, value = row.fact, "–" if row.value is None else f"{row.value:,}"
        same = "[green]yes[/green]" if row.exact else "[red]no[/red]"
        table.add_row(fact.figure, fact.words, f"{row.place}", fact.period, f"{row.expected:,}", value, same)
    Console(width=110).print(table)
    print_accounts(accounts(scale), "Accounts of the invented city: weilu serve, then /figures/published/")


HostOption = Annotated[str, typer.Option(envvar="HOST", help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(envvar="PORT", help="Port to listen on.")]


@demos.callback()
def demo(context: typer.Context, host: HostOption = "127.0.0.1", port: PortOption = 8000) -> None:
    """Show a county at work: load the demo county if it is not there, then serve."""
    if context.invoked_subcommand is None:
        _serve(host, port, workers=2, demo=True)


@demos.command("figures")
def demo_figures(
    scale: Annotated[int, typer.Option(help="How many times smaller than published: 100 is a hundredth.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Lay out an invented city of the size that published figures speak of, and read each of them there.

    It may be interrupted and goes on where it stood; run again it changes nothing. Leaves with 0 if all are exact.
    """
    with Database():
        from weilu.demo import DemoError
        from weilu.demo.published import lay_out

        try:
            found = lay_out(console, scale=scale)
        except DemoError as error:
            raise fail(str(error)) from error
        except KeyboardInterrupt:
            raise fail("Interrupted. What is done stays; the same command goes on from here.") from None
        if as_json:
            print(json.dumps([row.as_dict() for row in found], ensure_ascii=False))
        else:
            print_published(found, scale)
        raise typer.Exit(0 if all(row.exact for row in found) else 1)


@app.command(rich_help_panel=RUN)
def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[int, typer.Option(help="Web processes; about one for each core.")] = 2,
) -> None:
    """Run web server and worker, for an office's daily work."""
    _serve(host, port, workers, demo=False)


@app.command(name="open", rich_help_panel=RUN)
def open_county(
    code: Annotated[str, typer.Argument(help="GB/T 2260 code of the county, city or province, such as 510824.")],
    prefix: Annotated[str, typer.Option(help="Head of its numbers, such as CX for CX-2026-000001.")] = "",
    title: Annotated[str, typer.Option(help="Title of its pages.")] = "",
) -> None:
    """Open the platform for a county whose divisions are imported."""
    with Database():
        from weilu.matters.setup import OpeningError, open_jurisdiction

        try:
            jurisdiction = open_jurisdiction(code, prefix=prefix, title=title)
        except OpeningError as error:
            raise fail(str(error)) from error
        print(f"open {jurisdiction.place.name} {jurisdiction.prefix}")


@app.command(rich_help_panel=RUN)
def administrator(
    username: str,
    name: Annotated[str, typer.Option(help="The person's name.")],
    at: Annotated[str, typer.Option(help="Code of the county (or place) they administer.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Make an administrator's account, who then makes the others in the browser."""
    with Database():
        from weilu.orgs.accounts import AccountError, make_account
        from weilu.orgs.roles import Role

        try:
            make_account(username, name, password, role=Role.ADMINISTRATOR, place_code=at)
        except AccountError as error:
            raise fail(str(error)) from error
        print(f"account {username} is ready")


@app.command(rich_help_panel=RUN)
def migrate() -> None:
    """Bring the tables up to date and set the rights; `serve` does so too."""
    with Database():
        from config import database

        database.migrate()
        print("the tables are up to date")


def unreadable(error: Exception, as_json: bool) -> typer.Exit:
    """Say that a file as a whole cannot be imported, in the form that was asked for; return the exit to raise."""
    if as_json:
        from weilu.lib.import_result import ImportResult

        found = ImportResult().as_dict() | {"errors": [{"row": 0, "field": "", "message": str(error)}]}
        print(json.dumps(found, ensure_ascii=False))
    return fail(str(error))


def report(result: Any, as_json: bool) -> None:
    """Print what an import did and leave with 0 only if nothing was refused."""
    found = result if isinstance(result, dict) else result.as_dict()
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        counts = {key: value for key, value in found.items() if isinstance(value, int)}
        table = Table(*counts)
        table.add_row(*[str(value) for value in counts.values()])
        Console(width=120).print(table)
        for key in ("renamed", "kept"):
            for row in found.get(key, [])[:50]:
                print(f"{key} {row['code']}: {row['was']} {'→' if key == 'renamed' else '←'} {row['name']}")
        for error in found["errors"][:50]:
            print(f"{error.get('where') or 'row {}'.format(error['row'])}: {error['field']}: {error['message']}")
        if len(found["errors"]) > 50:
            print(f"… and {len(found['errors']) - 50} more; --json lists all")
    raise typer.Exit(1 if found["refused"] else 0)


@app.command(rich_help_panel=TRY)
def figure(
    code: Annotated[str, typer.Argument(help="The figure, such as matters.settled; `weilu figures` lists them.")],
    place: Annotated[str, typer.Option(help="Code of the place, such as 510824.")],
    period: Annotated[str, typer.Option(help="2025, 2025Q3, 2025-03 or 2021-2022.")],
    by: Annotated[str, typer.Option(help="Take it apart: a level below, month, or a way of its own.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read one figure from the records."""
    with Database():
        from django.utils.translation import gettext as _

        from weilu.indicators.choose import NotThere, check_place, indicator_of, period_of, place_of
        from weilu.indicators.reading import UnknownBreakdown, read

        try:
            indicator, where = indicator_of(code), place_of(place)
            check_place(indicator, where)
            found = read(indicator, where, period_of(period), by)
        except (NotThere, UnknownBreakdown) as error:
            raise fail(str(error)) from error
        if as_json:
            print(json.dumps(found.as_dict(), ensure_ascii=False))
            return
        table = Table(
            str(found.indicator.name), str(found.indicator.unit), _("rows"), title=f"{found.place} {found.period}"
        )
        for part in [*found.parts, found.whole]:
            name = part.name if part is not found.whole else found.place.short_name
            value = "–" if part.value is None else f"{part.value:,.2f}".removesuffix(".00")
            table.add_row(name, value, f"{part.rows:,}")
        Console(width=100).print(table)


@app.command(rich_help_panel=TRY)
def figures(as_json: AsJson = False) -> None:
    """List the figures that can be read."""
    setup()
    from weilu.indicators.catalogue import catalogue

    if as_json:
        keys = ("code", "version", "mechanism")
        found = [
            {**{key: getattr(item, key) for key in keys}, "name": str(item.name), "figures": list(item.figures)}
            for item in catalogue().values()
        ]
        print(json.dumps(found, ensure_ascii=False))
        return
    table = Table("code", "name", "unit", "mechanism", "figures")
    for item in catalogue().values():
        table.add_row(item.code, str(item.name), str(item.unit), item.mechanism, " ".join(item.figures))
    Console(width=120).print(table)


def _counted(bar: Any, task: Any, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


@rebuilds.command("figures")
def rebuild_figures(
    code: Annotated[list[str] | None, typer.Argument(help="Only these, such as matters.settled; else all.")] = None,
) -> None:
    """Count the cells of figures above the county anew from the records, while people work."""
    with Database():
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from weilu.indicators.choose import NotThere, indicator_of
        from weilu.indicators.folding import rebuild, recount

        try:
            codes = [indicator_of(each).code for each in code] if code else None
        except NotThere as error:
            raise fail(str(error)) from error
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as bar:
            for kind, indicators in rebuild(codes):
                task = bar.add_task(kind.label, total=None)
                recount(kind, indicators, partial(_counted, bar, task))
                bar.update(task, completed=bar.tasks[task].total or 1, total=bar.tasks[task].total or 1)
        print("the cells are counted anew")


@imports.command("roster")
def import_roster(
    file: Annotated[Path, typer.Argument(help="An Excel workbook: members, cadres, grid workers …")],
    kind: Annotated[
        str,
        typer.Option(
            help="members, reported, cadres, village-cadres, grid-workers, community-workers, volunteers or "
            "organisations."
        ),
    ],
    place: Annotated[str, typer.Option(help="Code of the place whose roster it is, such as 510824100.")],
    create_organisations: Annotated[
        bool, typer.Option("--create-organisations", help="Make bodies that are not known instead of refusing the row.")
    ] = False,
    end_missing: Annotated[
        bool, typer.Option("--end-missing", help="It is a full roster: who is missing from it leaves today.")
    ] = False,
    sheet: Annotated[str, typer.Option(help="Name of the sheet; by default the first with a header.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="Which column a heading is: “heading=name”; may be repeated, and is kept."),
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Write the same workbook with the reason beside each cell that is refused.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask when many would leave.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read a roster of people or bodies: all of it is entered, or nothing if a row is refused."""
    with Database():
        from weilu.people.rosters import command

        given: dict[str, Any] = {
            "errors": errors, "columns": columns, "kind": kind, "place": place, "sheet": sheet, "dry_run": dry_run,
            "create_organisations": create_organisations, "end_missing": end_missing, "sure": yes,
        }  # fmt: skip
        try:
            result = command.run_and_show(file, console, **given)
        except command.TooMany as problem:
            if as_json or not (sys.stdin.isatty() and typer.confirm(str(problem), err=True)):
                raise unreadable(command.ImportProblem(f"{problem} --yes"), as_json) from problem
            result = command.run_and_show(file, console, **given | {"sure": True})
        except command.ImportProblem as error:
            raise unreadable(error, as_json) from error
        if as_json:
            print(json.dumps(result.as_dict(), ensure_ascii=False))
        else:
            command.show_counts(result)
        raise typer.Exit(1 if result.refused else 0)


@app.command(rich_help_panel=DATA)
def backup(file: Annotated[Path, typer.Argument(help="The archive to write, such as weilu.tar.")]) -> None:
    """Write database, attachments and keys into one archive."""
    with Database():
        from config.backup import BackupError, write

        try:
            write(file, console)
        except BackupError as error:
            raise fail(str(error)) from error
        print(f"written {file}")


@app.command(rich_help_panel=DATA)
def restore(
    file: Annotated[Path, typer.Argument(help="An archive of `weilu backup`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
) -> None:
    """Bring back what `weilu backup` wrote: all of it or nothing."""
    with Database():
        from config.backup import BackupError, read

        try:
            read(file, console, replace=replace)
        except BackupError as error:
            raise fail(str(error)) from error
        print(f"restored {file}")


@app.command(rich_help_panel=DATA)
def distribute(
    only_print: Annotated[bool, typer.Option("--print", help="Write the SQL to the standard output.")] = False,
    shards: Annotated[int, typer.Option(help="Into how many parts each table is divided.", min=1)] = 64,
) -> None:
    """Write the SQL that moves the schema to Citus, made from the models. Nothing is run."""
    if not only_print:
        raise fail("Only printing is offered: weilu distribute --print > citus.sql, then see docs/scale.md.")
    setup()
    from config.citus import CannotDistribute, script

    try:
        sys.stdout.write(script(shards))
    except CannotDistribute as error:
        raise fail(str(error)) from error


@app.command(
    rich_help_panel=TRY,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def manage(context: typer.Context) -> None:
    """Django's own commands, for developers."""
    setup()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["weilu manage", *context.args])


def main() -> None:
    """Entry point."""
    from config import import_cli  # noqa: F401  its commands join the others
    from config.bench_cli import bench

    app.add_typer(bench, name="bench", rich_help_panel=TRY)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
