"""Fill the bench's throw-away base with a county at work: ``python -m config.bench_seed ROWS``.

Writes ``plan.json`` into the data folder: what the client needs to know of it.
"""

import datetime as dt
import json
import sys
from typing import Any

import psycopg
from psycopg import sql
from rich.console import Console
from rich.progress import Progress

CODE, PREFIX, PASSWORD = "510824", "CX", "bench-Under-the-eaves-7"
TOWNSHIPS, VILLAGES, GRIDS = 34, 13, 2
CLERKS = 50
DEPARTMENTS = ["住房和城乡建设局", "交通运输局", "生态环境局", "农业农村局", "民政局", "卫生健康局"]
TABLES = ["matters_matter", "matters_mattertext", "records_event", "records_notification"]
console = Console(stderr=True)


# --- the county -----------------------------------------------------------------------------------------------------
def make_places() -> dict[str, Any]:
    """Make the tree of divisions and return it by code."""
    from weilu.orgs.models import Level, Place

    found: dict[str, Any] = {}

    def add(code: str, name: str, level: int, parent: Any = None) -> Any:
        path = f"{parent.path if parent else ''}{code}/"
        found[code] = Place(code=code, name=name, short_name=name, level=level, parent=parent, path=path)
        return found[code]

    city = add("5108", "广元市", Level.CITY, add("51", "四川省", Level.PROVINCE))
    county = add(CODE, "苍溪县", Level.COUNTY, city)
    for t in range(TOWNSHIPS):
        township = add(f"{CODE}{100 + t}", f"第{t + 1}镇", Level.TOWNSHIP, county)
        for v in range(VILLAGES):
            village = add(f"{township.code}{201 + v}", f"{t + 1}镇{v + 1}村", Level.VILLAGE, township)
            for g in range(GRIDS):
                add(f"{village.code}-{g + 1:02d}", f"第{g + 1}网格", Level.GRID, village)
    Place.objects.bulk_create(found.values())
    return found


def make_bodies(places: dict[str, Any], jurisdiction: Any) -> dict[str, Any]:
    """Make departments, township offices, village committees and a branch in each township; return them by key."""
    from weilu.orgs.models import Level, Organisation

    kinds = Organisation.Kind
    found: dict[str, Any] = {}
    for code, place in places.items():
        if place.level == Level.TOWNSHIP:
            found[code] = (kinds.OFFICE, f"{place.name}综合治理办公室", place)
            found[f"branch:{code}"] = (kinds.BRANCH, f"{place.name}第一党支部", place)
        elif place.level == Level.VILLAGE:
            found[code] = (kinds.COMMUNITY, f"{place.name}村民委员会", place)
    for name in DEPARTMENTS:
        found[f"department:{name}"] = (kinds.DEPARTMENT, f"苍溪县{name}", places[CODE])
    rows = {
        key: Organisation(jurisdiction=jurisdiction, kind=kind, name=name, place=place)
        for key, (kind, name, place) in found.items()
    }
    Organisation.objects.bulk_create(rows.values())
    return rows


def make_accounts(places: dict[str, Any], bodies: dict[str, Any], jurisdiction: Any) -> dict[str, Any]:
    """Make an account for each post, all with one password; return them by name."""
    from django.contrib.auth.hashers import make_password

    from weilu.orgs.models import Grant, Level, User
    from weilu.orgs.roles import Role

    hashed = make_password(PASSWORD)
    posts: list[tuple[str, str, Any, Any]] = [
        ("county", Role.COUNTY_CLERK, places[CODE], None),
        ("observer", Role.OBSERVER, places[CODE], None),
        ("department", Role.COUNTY_DEPARTMENT, places[CODE], bodies[f"department:{DEPARTMENTS[0]}"]),
    ]
    posts += [
        (f"clerk{n:02d}", Role.TOWNSHIP_CLERK, places[f"{CODE}{100 + n % TOWNSHIPS}"], None) for n in range(CLERKS)
    ]
    for code, place in places.items():
        if place.level == Level.TOWNSHIP:
            posts.append((f"m{code}", Role.MEMBER, place, bodies[f"branch:{code}"]))
        elif place.level == Level.VILLAGE:
            posts.append((f"v{code}", Role.VILLAGE_CLERK, place, None))
        elif place.level == Level.GRID:
            posts.append((f"g{code}", Role.GRID_WORKER, place, None))
    users = {name: User(username=name, name=f"{name}员", password=hashed) for name, *_post in posts}
    User.objects.bulk_create(users.values())
    Grant.objects.bulk_create(
        Grant(user=users[name], jurisdiction=jurisdiction, role=role, place=place, organisation=body)
        for name, role, place, body in posts
    )
    return users


def make_county() -> tuple[Any, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Make the county without its matters."""
    from weilu.matters.setup import open_jurisdiction

    places = make_places()
    jurisdiction = open_jurisdiction(CODE, prefix=PREFIX)
    bodies = make_bodies(places, jurisdiction)
    return jurisdiction, places, bodies, make_accounts(places, bodies, jurisdiction)


def ground_of(jurisdiction: Any, places: dict[str, Any], bodies: dict[str, Any], users: dict[str, Any]) -> Any:
    """Return what the rows refer to."""
    from config.bench_rows import Ground, Village
    from weilu.lib.crypto import encrypt, keyed_hash
    from weilu.matters.models import Category, Module

    def bytea(value: bytes) -> str:
        return f"\\\\x{value.hex()}"

    phones = [f"1390000{n:04d}" for n in range(200)]
    categories = list(Category.objects.filter(jurisdiction=jurisdiction))
    villages = [
        Village(
            str(place.pk), str(place.parent_id), place.name,
            [str(places[f"{code}-{g + 1:02d}"].pk) for g in range(GRIDS)],
            str(bodies[place.parent.code].pk), str(users[f"clerk{int(code[6:9]) - 100:02d}"].pk),
        )
        for code, place in places.items()
        if len(code) == 12
    ]  # fmt: skip
    return Ground(
        prefix=PREFIX, villages=villages,
        modules=[str(row.pk) for row in Module.objects.filter(jurisdiction=jurisdiction)],
        categories={row.code: str(row.pk) for row in categories}, titles={row.code: row.name for row in categories},
        branches=[str(body.pk) for key, body in bodies.items() if key.startswith("branch:")],
        contacts=[(bytea(encrypt("王小明")), bytea(encrypt(phone)), bytea(keyed_hash(phone))) for phone in phones],
        rate_days=jurisdiction.rate_days, reopen_days=jurisdiction.reopen_days,
    )  # fmt: skip


# --- its matters ----------------------------------------------------------------------------------------------------
def fixed_columns(jurisdiction: Any, given: list[str]) -> tuple[list[str], str]:
    """Return the columns of a matter that are the same in every row of the bench, and the end of a line for them."""
    from django.db import connection

    from weilu.matters.models import Matter

    known = {"jurisdiction_id": str(jurisdiction.pk), "county_id": str(jurisdiction.pk)}
    columns: list[str] = []
    values: list[str] = []
    for field in Matter._meta.concrete_fields:
        if str(field.column) in given:
            continue
        value = known.get(str(field.column))
        if value is None and not field.null:
            default = field.get_db_prep_save(field.get_default(), connection)
            value = "\\\\x" if not isinstance(default, str | int | float | bool) else str(default)
        columns.append(str(field.column))
        values.append("\\N" if value is None else value)
    return columns, "".join(f"\t{value}" for value in values) + "\n"


def drop_indexes(connection: psycopg.Connection, tables: list[str] = TABLES) -> list[str]:
    """Drop the indexes that hold no constraint; return the statements that make them again."""
    found = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) AND NOT EXISTS "
        "(SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))",
        [tables],
    ).fetchall()
    for name, _definition in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name.strip('"'))))
    return [definition for _name, definition in found]


def copy_matters(connection: psycopg.Connection, rows: Any, jurisdiction: Any, progress: Progress) -> None:
    """Copy matters and their words."""
    from config.bench_rows import COLUMNS, copy_line

    fixed, end = fixed_columns(jurisdiction, COLUMNS)
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in [*COLUMNS, *fixed])
    task = progress.add_task("matters", total=rows.count)
    block: list[str] = []
    with connection.cursor().copy(sql.SQL("COPY matters_matter ({}) FROM STDIN").format(columns)) as copy:
        for number, values in enumerate(rows, start=1):
            block.append(copy_line(values, end))
            if number % 2000 == 0:
                copy.write("".join(block))
                block.clear()
                progress.update(task, completed=number)
        copy.write("".join(block))
    progress.update(task, completed=rows.count)


def write_words(connection: psycopg.Connection) -> None:
    """Write the words of each matter: of its text, tokenised once, of its address and its village."""
    from config.bench_rows import texts
    from weilu.lib.search import to_vector, words_of

    vectors = [(text.subject, to_vector(words_of(f"{text.subject} {text.detail}"))) for text in texts()]
    connection.execute("CREATE TEMP TABLE bench_text (subject text PRIMARY KEY, words tsvector)")
    connection.cursor().executemany("INSERT INTO bench_text VALUES (%s, %s::tsvector)", vectors)
    connection.execute("CREATE TEMP TABLE bench_place (id uuid PRIMARY KEY, words tsvector)")
    places = connection.execute("SELECT id, name FROM orgs_place WHERE level = 5").fetchall()
    vectors = [(pk, to_vector(words_of(name))) for pk, name in places]
    connection.cursor().executemany("INSERT INTO bench_place VALUES (%s, %s::tsvector)", vectors)
    connection.execute(
        "INSERT INTO matters_mattertext (matter_id, jurisdiction_id, words) "
        "SELECT m.id, m.jurisdiction_id, t.words || p.words || array_to_tsvector(ARRAY["
        "split_part(m.address, '组', 1), '组', split_part(split_part(m.address, '组', 2), '号', 1), '号']) "
        "FROM matters_matter m JOIN bench_text t USING (subject) JOIN bench_place p ON p.id = m.village_id"
    )


EVENTS = """
INSERT INTO records_event (id, jurisdiction_id, record_kind, record_id, at, move, from_state, to_state, actor_id,
                           actor_name, note, changes, open_to_resident)
SELECT uuidv7(step.at - now()), m.jurisdiction_id, 'matter', m.id, step.at, step.move, step.source, step.target,
       step.actor, coalesce(u.name, ''), step.note, '{{}}', true
FROM matters_matter m
JOIN bench_clerk c ON c.township_id = m.township_id
CROSS JOIN LATERAL (VALUES
  ('file', '', 'raised', m.created_at, m.created_by_id, ''),
  ('dispatch', 'raised', 'dispatched', least(m.created_at + interval '2 hours', now()), c.user_id, ''),
  ('settle', 'dispatched', 'settled', m.settled_at, c.user_id, m.outcome)
) AS step (move, source, target, at, actor, note)
LEFT JOIN orgs_user u ON u.id = step.actor
WHERE step.move = 'file' OR step.move = 'dispatch' AND m.state NOT IN ('raised', 'declined')
   OR step.move = 'settle' AND m.settled_at IS NOT NULL
""".replace("{{}}", "{}")
NOTIFICATIONS = """
INSERT INTO records_notification (id, jurisdiction_id, user_id, at, kind, record_kind, record_id, record_number,
                                  subject, read_at)
SELECT uuidv7(at - now()), m.jurisdiction_id, g.user_id, at, 'dispatched', 'matter', m.id, m.number, m.subject,
       CASE WHEN m.settled_at IS NULL THEN NULL ELSE at + interval '1 hour' END
FROM matters_matter m JOIN orgs_grant g ON g.place_id = m.handler_grid_id AND g.role = 'grid_worker'
CROSS JOIN LATERAL (SELECT least(m.created_at + interval '2 hours', now()) AS at) moment
"""
CLERK_OF = """
CREATE TEMP TABLE bench_clerk AS SELECT DISTINCT ON (place_id) place_id AS township_id, user_id
FROM orgs_grant WHERE role = 'township_clerk' ORDER BY place_id, user_id
"""


def write_counters(connection: psycopg.Connection, jurisdiction: Any, counters: dict[int, int]) -> None:
    """Let new numbers go on where the rows end."""
    from weilu.lib.ids import new_id

    for year, last in counters.items():
        connection.execute(
            "INSERT INTO records_counter (id, jurisdiction_id, kind, year, last) VALUES (%s, %s, 'matter', %s, %s)",
            [new_id(), jurisdiction.pk, year, last],
        )


def fill(conninfo: str, count: int, jurisdiction: Any, ground: Any) -> None:
    """Write ``count`` matters with their words, events and messages; as superuser, in one transaction."""
    from config.bench_rows import Rows

    rows = Rows(ground, count, dt.datetime.now(dt.UTC))
    with Progress(console=console, transient=True) as progress, psycopg.connect(conninfo) as connection:
        connection.execute("SET session_replication_role = replica")  # foreign keys hold by construction
        connection.execute("SET maintenance_work_mem = '1GB'")
        indexes = drop_indexes(connection)
        copy_matters(connection, rows, jurisdiction, progress)
        connection.execute("ANALYZE matters_matter")
        for name, work in (
            ("words", lambda: write_words(connection)),
            ("events", lambda: [connection.execute(CLERK_OF), connection.execute(EVENTS)]),
            ("messages", lambda: connection.execute(NOTIFICATIONS)),
        ):
            task = progress.add_task(name, total=None)
            work()
            progress.update(task, total=1, completed=1)
        task = progress.add_task("indexes", total=len(indexes))
        for definition in indexes:
            connection.execute(definition)  # type: ignore[arg-type]
            progress.advance(task)
        write_counters(connection, jurisdiction, ground.counters)


# --- the plan -------------------------------------------------------------------------------------------------------
def plan_of(places: dict[str, Any], bodies: dict[str, Any], users: dict[str, Any], ground: Any, count: int) -> dict:
    """Return what the client needs to know."""
    from config.bench_pages import pages
    from config.bench_rows import OUTCOMES, texts

    clerks = []
    for n in range(CLERKS):
        township = f"{CODE}{100 + n % TOWNSHIPS}"
        villages = [
            {"code": code, "grids": [str(places[f"{code}-{g + 1:02d}"].pk) for g in range(GRIDS)]}
            for code in places
            if len(code) == 12 and code.startswith(township)
        ]
        clerks.append({"username": f"clerk{n:02d}", "office": str(bodies[township].pk), "villages": villages})
    return {
        "rows": count, "password": PASSWORD, "clerks": clerks, "modules": ground.modules,
        "categories": list(ground.categories.values()), "pages": pages(),
        "texts": [{"subject": t.subject, "detail": t.detail, "outcome": OUTCOMES[0]} for t in texts()[:-1]],
    }  # fmt: skip


def main(count: int) -> None:
    """Make the tables, the county and its matters."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings

    from config import database

    database.prepare(lambda what: console.print(f"[dim]{what} …[/dim]"))
    county = make_county()
    ground = ground_of(*county)
    conninfo = database.admin_conninfo(settings.DATABASES["default"]["NAME"])
    if count:
        fill(conninfo, count, county[0], ground)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")
    plan = plan_of(*county[1:], ground, count)
    (settings.DATA / "plan.json").write_text(json.dumps(plan, ensure_ascii=False))


if __name__ == "__main__":
    main(int(sys.argv[1]))
