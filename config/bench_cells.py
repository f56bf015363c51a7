"""Cells of the bench: counted from the rows, compared with them, and filled as those of a hundred times as many."""

import math
import time
from typing import Any

import psycopg
from psycopg import sql
from rich.progress import Progress

TIMES = 100
# So many rows of each definition stand beside one matter settled, as in the rows that the bench makes; else all.
BESIDE = {"matters.raised": 1.04, "matters.satisfied": 0.6, "matters.rated": 0.99, "orders.services": 0.015}
STOCK, SECONDS, IN_HUNDRED = 0.005, 230_000, 90
COMPARED = ("matters.settled", "matters.raised", "matters.in_time", "matters.days", "matters.unsettled")
WAYS = ("month", "category", "county")


# --- counted, and compared ------------------------------------------------------------------------------------------
def rebuild(progress: Progress, kind_of_rows: str) -> dict[str, Any]:
    """Count all cells anew from the records, as ``weilu rebuild figures`` does.

    Args:
        kind_of_rows: the kind whose rows the bench made in numbers.
    """
    from weilu.indicators import folding
    from weilu.matters.models import Matter

    found: dict[str, Any] = {"rows": Matter.objects.count(), "kinds": {}}
    for kind, indicators in folding.rebuild():
        task = progress.add_task(f"rebuild: {kind.label}", total=None)
        begun = time.perf_counter()
        folding.recount(
            kind, indicators, lambda done, total, task=task: progress.update(task, completed=done, total=total)
        )
        found["kinds"][kind.label] = round(time.perf_counter() - begun, 2)
        progress.update(task, total=1, completed=1)
    found["seconds"] = found["kinds"][kind_of_rows]
    found["all_seconds"] = round(sum(found["kinds"].values()), 2)
    found["rows_per_second"] = round(found["rows"] / max(found["seconds"], 0.001))
    folding.fold()
    return found


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
    return one == other


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two readings say the same; sums of millions of durations differ in the last digits of a float."""
    if len(one["breakdown"]) != len(other["breakdown"]):
        return False
    others = {part["key"]: part for part in other["breakdown"]}
    pairs = [(one, other), *((part, others.get(part["key"], {})) for part in one["breakdown"])]
    return all(
        _close(mine.get(name), theirs.get(name))
        for mine, theirs in pairs
        for name in ("value", "numerator", "denominator", "rows")
    )


def differences(place: Any, periods: list[Any]) -> list[str]:
    """Return the readings of a place that cells and records do not agree upon."""
    from weilu.indicators.catalogue import catalogue
    from weilu.indicators.cells import read_cells
    from weilu.indicators.live import read_live

    found = []
    for code in COMPARED:
        for by in WAYS:
            if by == "month" and catalogue()[code].stock:
                continue
            for period in periods:
                cells = read_cells(catalogue()[code], place, period, by)
                live = read_live(catalogue()[code], place, period, by)
                if cells is None or not same(cells.as_dict(), live.as_dict()):
                    found.append(f"{code} by {by}, {period.text}")
    return found


# --- filled ---------------------------------------------------------------------------------------------------------
BASE = """
CREATE TEMP TABLE bench_base AS
WITH each AS (
  SELECT p.id, m.month::date AS month, 0.4 + 1.2 * (hashint8extended(row_number() OVER (ORDER BY p.code, m.month), 7)
         & 1073741823) / 1073741824.0::float8 AS weight
  FROM orgs_place p CROSS JOIN generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 month') m(month)
  WHERE p.level = 3
), run AS (
  SELECT id, month, round(%(records)s::float8 * sum(weight) OVER (ORDER BY month, id) / sum(weight) OVER ()) AS upto
  FROM each
)
SELECT id, month, (upto - lag(upto, 1, 0) OVER (ORDER BY month, id))::bigint AS rows FROM run
"""
# A group has its equal share of the whole, and the first groups what is left over: they sum to it.
FILL = """
WITH whole AS (
  SELECT id, month, round(rows * %(beside)s::float8)::bigint AS rows FROM bench_base
), ways AS (
  SELECT '' AS by, '' AS key, 0::bigint AS place, 1::bigint AS groups
  UNION ALL
  SELECT "by", "key", row_number() OVER (PARTITION BY "by" ORDER BY "key") - 1, count(*) OVER (PARTITION BY "by")
  FROM bench_ways
), filled AS (
  SELECT w.id, w.month, g.by, g.key, w.rows / g.groups + (g.place < w.rows %% g.groups)::int AS rows
  FROM whole w CROSS JOIN ways g
)
INSERT INTO indicators_cell ("jurisdiction_id", "code", "by", "key", "month", "who", "rows", "numerator")
SELECT id, %(code)s, by, key, month, '00000000-0000-0000-0000-000000000000', rows, {numerator}
FROM filled WHERE rows <> 0
"""
WAYS_OF = """
CREATE TEMP TABLE bench_ways AS
SELECT DISTINCT "by", "key" FROM indicators_cell WHERE "code" = 'matters.raised' AND "by" <> ''
"""


def _numerator(indicator: Any) -> str:
    from weilu.lib.indicators import Measure

    shares = {Measure.SHARE: f"rows * {IN_HUNDRED} / 100", Measure.RATIO: f"rows * {SECONDS}"}
    return shares.get(indicator.measure, "0")


def _without_keys(connection: psycopg.Connection) -> list[str]:
    """Drop what is quicker made at the end; return the statements that make it again."""
    from config.bench_seed import drop_indexes

    again = drop_indexes(connection, ["indicators_cell"])
    keys = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'indicators_cell'::regclass AND contype = 'p'"
    ).fetchall()
    for name, definition in keys:
        connection.execute(sql.SQL("ALTER TABLE indicators_cell DROP CONSTRAINT {}").format(sql.Identifier(name)))
        again.append(f'ALTER TABLE indicators_cell ADD CONSTRAINT "{name}" {definition}')
    return again


def fill(conninfo: str, rows: int, months: tuple[Any, Any], progress: Progress) -> dict[str, Any]:
    """Fill every cell of every county that matters can have, as those of a hundred times as many records would.

    Different people are left as they are: they have a cell for each of them.

    Args:
        months: the first and the last.
    """
    from weilu.indicators.contributions import kinds
    from weilu.lib.indicators import Measure

    begun = time.perf_counter()
    kind = next(kind for kind in kinds() if kind.label == "matters.matter")
    indicators = [each for each in kind.indicators if each.measure is not Measure.PEOPLE]
    task = progress.add_task("cells of the nation", total=len(indicators) + 3)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET session_replication_role = replica")  # counties are there by construction
        connection.execute(BASE, {"first": months[0], "last": months[1], "records": rows * TIMES})
        connection.execute(WAYS_OF)
        with connection.transaction():
            again = _without_keys(connection)
            codes = [each.code for each in indicators]
            connection.execute("DELETE FROM indicators_cell WHERE code = ANY(%s)", [codes])
            for each in indicators:
                statement = sql.SQL(FILL).format(numerator=sql.SQL(_numerator(each)))  # type: ignore[arg-type]
                beside = STOCK if each.stock else BESIDE.get(each.code, 1.0)
                connection.execute(statement, {"code": each.code, "beside": beside})
                progress.advance(task)
            for text in again:
                connection.execute(text)  # type: ignore[arg-type]
                progress.advance(task)
        connection.execute("VACUUM (ANALYZE) indicators_cell")
        progress.advance(task)
        return {"seconds": round(time.perf_counter() - begun, 1), **_held(connection)}


def _held(connection: psycopg.Connection) -> dict[str, Any]:
    question = """
    SELECT count(*), sum(rows) FILTER (WHERE code = 'matters.settled' AND by = ''),
           pg_total_relation_size('indicators_cell') / 1000000
    FROM indicators_cell
    """
    cells, records, size = connection.execute(question).fetchone()  # type: ignore[misc]
    return {"cells": cells, "records_in_cells": int(records), "mb": size}
