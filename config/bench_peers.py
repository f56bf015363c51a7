"""The same questions of the same rows in other ways: a plain GROUP BY, DHIS2's wide table, DuckDB."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from config.bench_timing import WITHIN, seconds_of, timed

DONE = "('settled', 'rated', 'unrated')"
# What each question asks of the rows of matters settled: the level of the place, and the group.
QUESTIONS = {
    "county by month": ("county", "month"),
    "province by month": ("province", "month"),
    "province by category": ("province", "category"),
}


@dataclass(frozen=True)
class Asked:
    """Where and when is asked: codes of a county and its province, and the first day and the one after the last."""

    county: str
    province: str
    start: Any
    end: Any

    def code(self, level: str) -> str:
        return self.county if level == "county" else self.province


# --- a plain GROUP BY -----------------------------------------------------------------------------------------------
PLAIN = {
    "county by month": f"""
      SELECT to_char(m.settled_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM'), count(*)
      FROM matters_matter m JOIN orgs_place c ON c.id = m.county_id
      WHERE c.code = %s AND m.state IN {DONE} AND m.settled_at >= %s AND m.settled_at < %s GROUP BY 1""",
    "province by month": f"""
      SELECT to_char(m.settled_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM'), count(*)
      FROM matters_matter m JOIN orgs_place c ON c.id = m.county_id JOIN orgs_place s ON s.id = c.parent_id
      JOIN orgs_place p ON p.id = s.parent_id
      WHERE p.code = %s AND m.state IN {DONE} AND m.settled_at >= %s AND m.settled_at < %s GROUP BY 1""",
    "province by category": f"""
      SELECT k.name, count(*)
      FROM matters_matter m JOIN orgs_place c ON c.id = m.county_id JOIN orgs_place s ON s.id = c.parent_id
      JOIN orgs_place p ON p.id = s.parent_id JOIN matters_category k ON k.id = m.category_id
      WHERE p.code = %s AND m.state IN {DONE} AND m.settled_at >= %s AND m.settled_at < %s GROUP BY 1""",
}


def _answers(connection: psycopg.Connection, text: str, values: list[Any]) -> dict[str, int]:
    return dict(connection.execute(text, values).fetchall())  # type: ignore[arg-type]


# --- a wide table ---------------------------------------------------------------------------------------------------
# As DHIS2's analytics tables are: a column for each level and each kind of period, all texts, each with an index; a
# table of its own that a job builds, not logged.
WIDE_ROWS = f"""
SELECT p.code AS uidlevel1, s.code AS uidlevel2, c.code AS uidlevel3, t.code AS uidlevel4, v.code AS uidlevel5,
       to_char(day, 'YYYYMMDD') AS daily, to_char(day, 'YYYYMM') AS monthly, to_char(day, 'YYYY"Q"Q') AS quarterly,
       to_char(day, 'YYYY') AS yearly, k.name AS category, o.name AS module, m.channel, 1 AS value
FROM matters_matter m CROSS JOIN LATERAL (SELECT m.settled_at AT TIME ZONE 'Asia/Shanghai' AS day) moment
JOIN orgs_place c ON c.id = m.county_id JOIN orgs_place s ON s.id = c.parent_id JOIN orgs_place p ON p.id = s.parent_id
LEFT JOIN orgs_place t ON t.id = m.township_id LEFT JOIN orgs_place v ON v.id = m.village_id
JOIN matters_category k ON k.id = m.category_id JOIN matters_module o ON o.id = m.module_id
WHERE m.state IN {DONE}
"""
WIDE_COLUMNS = [
    *(f"uidlevel{level}" for level in range(1, 6)), "daily", "monthly", "quarterly", "yearly", "category", "module",
    "channel",
]  # fmt: skip
LEVELS = {"province": "uidlevel1", "county": "uidlevel3"}
GROUPS = {"month": "monthly", "category": "category"}


def _build_wide(connection: psycopg.Connection) -> None:
    connection.execute("DROP TABLE IF EXISTS bench_analytics")
    connection.execute(f"CREATE UNLOGGED TABLE bench_analytics AS {WIDE_ROWS}")  # type: ignore[arg-type]
    for column in WIDE_COLUMNS:
        connection.execute(sql.SQL("CREATE INDEX ON bench_analytics ({})").format(sql.Identifier(column)))
    connection.execute("VACUUM (ANALYZE) bench_analytics")


def _wide(level: str, group: str) -> str:
    return (
        f"SELECT {GROUPS[group]}, sum(value) FROM bench_analytics WHERE {LEVELS[level]} = %s"
        " AND yearly >= %s AND yearly < %s GROUP BY 1"
    )


def _as_ours(found: dict[str, int], group: str) -> dict[str, int]:
    """Write months as we do: ``202603`` is ``2026-03``."""
    return {f"{key[:4]}-{key[4:]}": int(n) for key, n in found.items()} if group == "month" else found


# --- DuckDB ---------------------------------------------------------------------------------------------------------
EXPORT = f"""
COPY (SELECT p.code, c.code, m.settled_at AT TIME ZONE 'Asia/Shanghai', k.name, o.name, m.channel, m.settled_late
      FROM matters_matter m JOIN orgs_place c ON c.id = m.county_id JOIN orgs_place s ON s.id = c.parent_id
      JOIN orgs_place p ON p.id = s.parent_id JOIN matters_category k ON k.id = m.category_id
      JOIN matters_module o ON o.id = m.module_id
      WHERE m.state IN {DONE}) TO STDOUT (FORMAT csv)
"""
DUCK_COLUMNS = {
    "province": "VARCHAR", "county": "VARCHAR", "settled_at": "TIMESTAMP", "category": "VARCHAR", "module": "VARCHAR",
    "channel": "VARCHAR", "late": "BOOLEAN",
}  # fmt: skip
DUCK_GROUPS = {"month": "strftime(settled_at, '%Y-%m')", "category": "category"}


def _export(connection: psycopg.Connection, file: Path) -> None:
    with file.open("wb") as out, connection.cursor().copy(EXPORT) as copy:  # type: ignore[arg-type]
        for block in copy:
            out.write(block)


@contextlib.contextmanager
def _duck(connection: psycopg.Connection, file: Path, told: dict[str, Any]) -> Iterator[Any]:
    """Export the rows and load them into DuckDB, in memory; what it took stands in ``told``."""
    import duckdb

    try:
        told["export_seconds"] = seconds_of(lambda: _export(connection, file))
        told["export_mb"] = round(file.stat().st_size / 1e6, 1)
        with duckdb.connect() as found:
            load = f"CREATE TABLE settled AS FROM read_csv('{file}', header = false, columns = {DUCK_COLUMNS})"
            told["load_seconds"] = seconds_of(lambda: found.execute(load))
            told["version"] = duckdb.__version__
            yield found
    finally:
        file.unlink(missing_ok=True)


def _duck_answers(duck: Any, level: str, group: str, values: list[Any]) -> dict[str, int]:
    text = (
        f"SELECT {DUCK_GROUPS[group]}, count(*) FROM settled WHERE {level} = ? AND settled_at >= ? AND settled_at < ?"
        " GROUP BY 1"
    )
    return dict(duck.execute(text, values).fetchall())


# --- all ------------------------------------------------------------------------------------------------------------
def compare(conninfo: str, asked: Asked, ours: Any, folder: Path, tell: Any) -> dict[str, Any]:
    """Ask every question in every way; return times, and whether the answers are the same.

    Args:
        ours: called with level and group, returns our answer by the same names.
    """
    wide: dict[str, Any] = {}
    duckdb: dict[str, Any] = {}
    questions: dict[str, Any] = {}
    with psycopg.connect(conninfo, autocommit=True) as connection:
        begun = time.perf_counter()
        _build_wide(connection)
        wide["build_seconds"] = round(time.perf_counter() - begun, 2)
        size = "SELECT pg_total_relation_size('bench_analytics') / 1000000"
        wide["mb"] = connection.execute(size).fetchone()[0]  # type: ignore[index]
        wide["stale"] = "between two builds"
        tell()
        with _duck(connection, folder / "settled.csv", duckdb) as duck:
            for name in QUESTIONS:
                questions[name] = _ask(connection, duck, asked, name, ours)
                tell()
        connection.execute("DROP TABLE bench_analytics")
    return {"questions": questions, "wide": wide, "duckdb": duckdb}


def _ask(connection: psycopg.Connection, duck: Any, asked: Asked, name: str, ours: Any) -> dict[str, Any]:
    level, group = QUESTIONS[name]
    place = asked.code(level)
    moments = [f"{asked.start} 00:00:00+08", f"{asked.end} 00:00:00+08"]
    years = [str(asked.start.year), str(asked.end.year)]
    days = [str(asked.start), str(asked.end)]
    ways = {
        "ours": lambda: ours(level, group),
        "plain": lambda: _answers(connection, PLAIN[name], [place, *moments]),
        "wide": lambda: _as_ours(_answers(connection, _wide(level, group), [place, *years]), group),
        "duckdb": lambda: _duck_answers(duck, level, group, [place, *days]),
    }
    answers = {way: call() for way, call in ways.items()}
    found: dict[str, Any] = {
        way: timed(call, warm=8 if way == "ours" else 2, within=WITHIN if way != "ours" else None)
        for way, call in ways.items()
    }
    found["rows"] = sum(answers["ours"].values())
    found["equal"] = all(each == answers["ours"] for each in answers.values())
    return found
