"""Fill the bench's throw-away base with a nation at work: ``python -m config.bench_nation ROWS PLACES``.

One county has all of the first million matters, the others what is beyond, and some each. All is made by the server,
invented throughout, and the same for the same numbers. Only words for search, events and messages are left out: figures
do not read them. Writes ``nation.json`` into the data folder: what the bench needs to know of it.
"""

import datetime as dt
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from config import bench_nation_sql as statements

BEIJING = dt.timezone(dt.timedelta(hours=8))
PLAN = "nation.json"
# The nation of 2023: provinces, cities, counties and townships to 690,000 places.
NATION, PROVINCES, CITIES, COUNTIES, TOWNSHIPS = 690_000, 31, 340, 2_900, 41_000
IN_ONE_COUNTY = 1_000_000
EACH = 10  # matters that every other county has at least
YEARS = 3
STEP = 250_000
COLUMNS = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
console = Console(stderr=True)


@dataclass(frozen=True)
class Size:
    """How many places of each level, and how many matters in the one county and in all others."""

    provinces: int
    cities: int
    counties: int
    townships: int
    villages: int
    county_rows: int
    other_rows: int

    @classmethod
    def of(cls, rows: int, places: int) -> "Size":
        """Return a nation of about ``places`` places with ``rows`` matters, those of small counties beside them."""
        share = places / NATION
        provinces = max(2, round(PROVINCES * share))
        cities = max(provinces, round(CITIES * share))
        counties = max(2 * cities, round(COUNTIES * share))
        townships = max(2 * counties, round(TOWNSHIPS * share))
        villages = max(townships, places - provinces - cities - counties - townships)
        county_rows = min(rows, IN_ONE_COUNTY)
        others = max(rows - county_rows, EACH * (counties - 1))
        return cls(provinces, cities, counties, townships, villages, county_rows, others)

    @property
    def places(self) -> int:
        return self.provinces + self.cities + self.counties + self.townships + self.villages

    @property
    def rows(self) -> int:
        return self.county_rows + self.other_rows


def first_moment(now: dt.datetime) -> dt.datetime:
    """Return when the records begin: with the year before the last."""
    return dt.datetime(now.astimezone(BEIJING).year - YEARS + 1, 1, 1, tzinfo=BEIJING)


# --- places and counties --------------------------------------------------------------------------------------------
def make_places(connection: psycopg.Connection, size: Size) -> None:
    """Make all places, level by level, each evenly below those above it."""
    connection.execute(statements.PROVINCES, {"count": size.provinces})
    levels = [
        (2, size.cities, size.provinces, 1, 2, "市"),
        (3, size.counties, size.cities, 1, 2, "县"),
        (4, size.townships, size.counties, 100, 3, "镇"),
        (5, size.villages, size.townships, 201, 3, "村"),
    ]
    for level, count, above, first, digits, kind in levels:
        values = {"level": level, "count": count, "above": above, "first": first, "digits": digits, "kind": kind}
        connection.execute(statements.PLACES, values)
        connection.execute("ANALYZE orgs_place")


def _columns(model: Any, without: set[str]) -> sql.Composable:
    names = [str(field.column) for field in model._meta.concrete_fields if str(field.column) not in without]
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def open_counties(connection: psycopg.Connection, first: Any) -> None:
    """Open the platform in all counties as it was opened in the first, by copying what that one got."""
    from weilu.matters.models import Category, Module
    from weilu.orgs.models import Jurisdiction

    others = _columns(Jurisdiction, {"place_id", "prefix", "title"})
    connection.execute(sql.SQL(statements.JURISDICTIONS).format(others=others), {"first": first.pk})
    for model in (Module, Category):
        table = sql.Identifier(model._meta.db_table)
        copied = sql.SQL(statements.DICTIONARY).format(table=table, others=_columns(model, {"id", "jurisdiction_id"}))
        connection.execute(copied, {"first": first.pk})
    connection.execute(statements.OFFICES)
    connection.execute(statements.MEMBERS)


def make_readers(first: Any, province: Any) -> dict[str, str]:
    """Make the accounts that open figures: of the first county, and of its province; return their names."""
    from weilu.orgs.models import Grant, User
    from weilu.orgs.roles import Role

    found = {}
    for name, place in (("county", first.place), ("province", province)):
        user = User.objects.create(username=f"bench-{name}", name=name)
        Grant.objects.create(user=user, jurisdiction=first, role=Role.OBSERVER, place=place)
        found[name] = user.username
    return found


# --- their matters --------------------------------------------------------------------------------------------------
def _insert() -> sql.Composed:
    """Return the statement that makes matters; columns that it does not speak of get the model's default."""
    from django.db import connection

    from weilu.matters.models import Matter

    columns: dict[str, sql.Composable] = {name: sql.SQL(text) for name, text in statements.MATTER.items()}
    for field in Matter._meta.concrete_fields:
        if str(field.column) not in columns and not field.null:
            default = field.get_db_prep_save(field.get_default(), connection)
            columns[str(field.column)] = sql.Literal(default)
    return sql.SQL(statements.MATTERS).format(
        columns=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        values=sql.SQL(", ").join(columns.values()),
    )


def _drop_unique(connection: psycopg.Connection, table: str) -> list[tuple[str, str]]:
    """Drop the unique constraints of a table, all but its key; return their names and definitions."""
    found = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'u'",
        [table],
    ).fetchall()
    for name, _definition in found:
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        connection.execute(drop.format(sql.Identifier(table), sql.Identifier(name)))
    return found


def make_matters(connection: psycopg.Connection, size: Size, now: dt.datetime, progress: Progress) -> None:
    """Make the matters of the one county, then those of all others; indexes come last."""
    from config.bench_seed import drop_indexes
    from weilu.lib.crypto import encrypt, keyed_hash

    table = "matters_matter"
    indexes = drop_indexes(connection, [table])
    unique = _drop_unique(connection, table)
    connection.execute(statements.GROUND)
    connection.execute("ANALYZE bench_county")
    connection.execute("ANALYZE bench_village")
    insert = _insert()
    values = {
        "start": first_moment(now), "now": now, "counties": size.counties, "each": EACH * (size.counties - 1),
        "name": encrypt("王小明"), "phone": encrypt("13900000000"), "hash": keyed_hash("13900000000"),
    }  # fmt: skip
    task = progress.add_task("matters", total=size.rows)
    for others, count in ((False, size.county_rows), (True, size.other_rows)):
        for begin in range(0, count, STEP):
            until = min(begin + STEP, count)
            connection.execute(insert, {**values, "others": others, "count": count, "begin": begin + 1, "until": until})
            progress.advance(task, until - begin)
    task = progress.add_task("indexes", total=len(indexes) + len(unique))
    for definition in indexes:
        connection.execute(definition)  # type: ignore[arg-type]
        progress.advance(task)
    for name, definition in unique:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
        connection.execute(add.format(sql.Identifier(table), sql.Identifier(name), sql.SQL(definition)))
        progress.advance(task)
    connection.execute(statements.COUNTERS, {"count": size.rows})


# --- is it honest ---------------------------------------------------------------------------------------------------
def faults(connection: psycopg.Connection) -> dict[str, int]:
    """Return what does not hold: keys that name no row, and matters whose places do not lie in each other.

    Check and unique constraints are held by the server while rows are made; foreign keys are not.
    """
    tables = ["orgs_place", "orgs_jurisdiction", "matters_module", "matters_category", "matters_matter"]
    found = connection.execute(statements.FOREIGN_KEYS, [tables]).fetchall()
    counts = {}
    for table, column, other, key in found:
        orphans = sql.SQL(statements.ORPHANS).format(
            table=sql.Identifier(table), column=sql.Identifier(column), other=sql.Identifier(other),
            key=sql.Identifier(key),
        )  # fmt: skip
        counts[f"{table}.{column}"] = connection.execute(orphans).fetchone()[0]  # type: ignore[index]
    for name, question in statements.MISPLACED.items():
        counts[name] = connection.execute(question).fetchone()[0]  # type: ignore[index]
    return {name: count for name, count in counts.items() if count}


# --- all of it ------------------------------------------------------------------------------------------------------
def fill(conninfo: str, size: Size) -> dict[str, Any]:
    """Make the nation; return what the bench needs to know of it.

    Raises:
        RuntimeError: what was made is not as the application would have made it.
    """
    from weilu.matters.setup import open_jurisdiction
    from weilu.orgs.models import Level, Place

    with (
        Progress(*COLUMNS, console=console, transient=True) as progress,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'", "work_mem = '128MB'"):
            connection.execute(f"SET {setting}")  # type: ignore[arg-type]
        task = progress.add_task("places", total=None)
        make_places(connection, size)
        county = Place.objects.filter(level=Level.COUNTY).order_by("code")[0]
        first = open_jurisdiction(county.code, prefix=statements.FIRST_PREFIX)
        open_counties(connection, first)
        province = Place.objects.get(code=county.code[:2])
        readers = make_readers(first, province)
        progress.update(task, total=1, completed=1)
        make_matters(connection, size, dt.datetime.now(dt.UTC), progress)
        task = progress.add_task("in order", total=None)
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        if wrong := faults(connection):
            raise RuntimeError(f"the nation is not as the application would have made it: {wrong}")
        connection.execute("CHECKPOINT")
        progress.update(task, total=1, completed=1)
    return {"county": county.code, "province": province.code, "readers": readers, **asdict(size)}


def main(rows: int, places: int) -> None:
    """Make the tables and the nation, and write down how it is made up."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings

    from config import database
    from weilu.orgs.models import Place

    database.prepare(lambda what: console.print(f"[dim]{what} …[/dim]"))
    if Place.objects.exists():
        console.print("[red]This folder holds another base, or one that was not finished; remove it.[/red]")
        raise SystemExit(1)
    size = Size.of(rows, places)
    console.print(f"[dim]a nation of {size.places:,} places with {size.rows:,} matters …[/dim]")
    begun = time.monotonic()
    plan = fill(database.admin_conninfo(settings.DATABASES["default"]["NAME"]), size)
    plan |= {"rows": rows, "places": places, "seconds": round(time.monotonic() - begun, 1)}
    (settings.DATA / PLAN).write_text(json.dumps(plan))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
