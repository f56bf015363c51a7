"""Rules that keep schema and queries such that they can move to Citus. What breaks one is named, with its reason."""

import ast
import re
import textwrap

import pytest
from django.db import connection
from django.db.models import UniqueConstraint
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.citus import DISTRIBUTED, faults
from tests.routes import ROUTES, ask, signed_in
from tests.test_architecture import sources
from tests.things import Things
from weilu.indicators.catalogue import catalogue
from weilu.indicators.reading import narrowed, read, rows_of, seen_by, ways
from weilu.lib.period import Period
from weilu.orgs import sharding
from weilu.orgs.sharding import HERE, Kind, inner_keys, join_by_jurisdiction, kind_of, tables
from weilu.records.moves import _locking

# Of places and of the queue; none of them is distributed.
WITH_TRIGGERS = {"procrastinate_jobs"}
WITH_IDENTITY = {"orgs_place_successors": "a reference table; the printed SQL gives it a sequence"}
# Unique keys that the jurisdiction makes wider than they were: on Citus each holds within one jurisdiction only.
WIDER = {
    "people_person.user": "an account could be somebody in two counties; linking asks first",
    "people_appointment.grant": "a grant names its jurisdiction, so does the appointment that it came with",
    "post_once_in_a_body": "a body is of one jurisdiction, and its posts are made with it",
    "honour_once_a_body": "a body is of one jurisdiction, and its honours are made with it",
    "notice_print_once_at_a_time": "a place lies in one jurisdiction; two prints of it would be waste, not a fault",
}
# The condition with the jurisdiction is made beside: merging._either.
LOCKED_OTHERWISE = {"merging._locked"}
# Pages whose queries Citus would refuse as they are; docs/debts.md says so.
REFUSED = {
    "coverage": "asks of each body whether a member belongs to it; bodies lie everywhere, members with their county",
    "coverage_export": "the same",
}


def distributed():
    return [model for model, kind in tables().items() if kind is Kind.DISTRIBUTED]


# --- the models -------------------------------------------------------------------------------------------------------
def test_every_table_says_where_its_rows_lie():
    known = {model._meta.label for model in tables()}
    assert set(sharding.EVERYWHERE) <= known
    assert known >= HERE
    for model in tables():
        kind_of(model)


def test_every_unique_key_names_the_jurisdiction_or_a_row_of_one():
    inner = set(inner_keys())
    found = set()
    for model in distributed():
        names = {field.name for field in model._meta.local_fields if field in inner} | {"jurisdiction", "id"}
        for field in model._meta.local_fields:
            if field.unique and not field.primary_key:
                found.add(f"{model._meta.db_table}.{field.name}")
        for constraint in model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and not names & set(constraint.fields):
                found.add(constraint.name)
    assert found == set(WIDER)


def test_every_row_that_is_distributed_names_its_jurisdiction():
    assert [model for model in distributed() if model._meta.get_field("jurisdiction").null] == []


# --- the catalogue of the database ------------------------------------------------------------------------------------
def ask_database(query: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_only_the_queue_has_triggers(db):
    rows = ask_database("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    assert {name for (name,) in rows} == WITH_TRIGGERS


def test_tables_of_ours_have_no_identity_columns(db):
    rows = ask_database("SELECT attrelid::regclass::text FROM pg_attribute WHERE attidentity <> ''")
    ours = {model._meta.db_table for model in tables() if kind_of(model) is not Kind.LOCAL or model._meta.label in HERE}
    assert {name for (name,) in rows} & ours == set(WITH_IDENTITY)


def test_tables_of_ours_have_no_sequences_rules_or_row_policies(db):
    kinds = "SELECT relname FROM pg_class WHERE relrowsecurity OR relhasrules AND relkind = 'r'"
    assert [name for (name,) in ask_database(kinds) if name in DISTRIBUTED] == []
    defaults = "SELECT adrelid::regclass::text FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) LIKE 'nextval%'"
    assert [name for (name,) in ask_database(defaults) if name in DISTRIBUTED] == []


def test_no_row_names_a_row_of_another_jurisdiction(world):
    """Keys between distributed tables become keys over both columns: the rows that there are must keep that."""
    for key in inner_keys():
        mine, theirs = key.model._meta.db_table, key.related_model._meta.db_table
        pk = key.related_model._meta.pk.column
        query = (
            f"SELECT count(*) FROM {mine} a JOIN {theirs} b ON a.{key.column} = b.{pk}"  # noqa: S608
            " WHERE a.jurisdiction_id <> b.jurisdiction_id"
        )
        assert ask_database(query) == [(0,)], key


# --- queries ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def sharded(monkeypatch, settings):
    """Joins as they are on a sharded database."""
    settings.SHARDED = True
    for key in inner_keys():
        monkeypatch.setitem(key.__dict__, "get_extra_restriction", None)
        monkeypatch.setitem(key.__dict__, "get_extra_descriptor_filter", None)
    join_by_jurisdiction()
    _locking.cache_clear()
    yield
    _locking.cache_clear()


READERS = ("county_clerk", "member", "administrator")
# What a page asks only when it is asked for more.
MORE = {
    "queue": ["?tab=late&q=路灯", "?tab=all&category=other&place=510824100", "?q=CX-2026-000001"],
    "people": ["?kind=member", "?q=赵大山", "?q=zds&place=510824100", "?kind=volunteer&q=zhao"],
    "honours": ["?level=4&year=2025&of=people&place=510824100&q=x"],
    "dashboard": ["?place=510824100", "?place=510824100001"],
    "figures": ["?place=510824100"],
    "coverage": ["?place=510824100"],
    "workbench": ["?place=510824100"],
    "venues": ["?q=厅"],
    "results": ["?year=2026&place=510824100", "?category=other"],
    "tree": ["?open=510824100001"],
}


PAGES = sorted(name for name, route in ROUTES.items() if route.method == "get")
# Pages that are asked on one made county: making it takes longer than asking.
AT_ONCE = 12


def reading(name: str, clients: list[Client], things: Things) -> dict[str, list[str]]:
    """Return what is wrong with the queries of a page, for everybody who may read it."""
    found: dict[str, list[str]] = {}
    for client in clients:
        with CaptureQueriesContext(connection) as captured:
            ask(client, name, things)
            for more in MORE.get(name, ()):
                client.get(reverse(name, kwargs=ROUTES[name].address(things)) + more)
        for query in captured:
            text = query["sql"]
            if text.lstrip().startswith(("SELECT", "WITH")) and (wrong := faults(text)):
                found.setdefault("; ".join(wrong), []).append(text)
    return found


@pytest.mark.parametrize(
    "names",
    [PAGES[first : first + AT_ONCE] for first in range(0, len(PAGES), AT_ONCE)],
    ids=lambda names: f"{names[0]} to {names[-1]}",
)
def test_pages_ask_nothing_that_citus_cannot_run(things, sharded, names):
    wrong = {name: reading(name, [signed_in(things.world.users[who]) for who in READERS], things) for name in names}
    assert {name for name, found in wrong.items() if found} == REFUSED.keys() & set(names), wrong


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_a_figure_asks_nothing_that_citus_cannot_run(world, sharded, code):
    indicator, period = catalogue()[code], Period.of("2026")
    with CaptureQueriesContext(connection) as captured:
        for place in (world.county.parent, world.county, world.village):
            for by in ("", *ways(indicator, place)):
                for part in read(indicator, place, period, by).parts[:1]:
                    list(narrowed(indicator, rows_of(indicator, place, period), by, part.key)[:1])
            list(seen_by(indicator, rows_of(indicator, place, period), world.county_clerk)[:1])
    found = {wrong: query["sql"] for query in captured for wrong in faults(query["sql"])}
    assert not found, found


def locks_without_a_place() -> set[str]:
    """Return the functions that lock rows which may be distributed, and do not say of which jurisdiction."""
    names = {model.__name__ for model in distributed()}
    found = set()
    for path in sources("weilu"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "select_for_update" in text else ():
            body = (ast.get_source_segment(text, node) or "") if isinstance(node, ast.FunctionDef) else ""
            if "select_for_update" in body and "jurisdiction" not in body and "key_of(" not in body:
                asked = set(re.findall(r"(\w+)\.objects", body))
                if not asked or asked & names:
                    found.add(f"{path.stem}.{node.name}")
    return found


def test_a_row_is_locked_with_its_jurisdiction():
    """A lock goes to one machine: the statement that takes it says to which."""
    assert locks_without_a_place() == LOCKED_OTHERWISE


# --- the check itself -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("SELECT id FROM people_person FOR UPDATE", "a row lock"),
        ("SELECT id FROM people_person WHERE jurisdiction_id = '1'::uuid FOR UPDATE", ""),
        ("SELECT m.id FROM people_membership m JOIN people_person p ON p.id = m.person_id", "a join without"),
        (
            "SELECT m.id FROM people_membership m JOIN people_person p"
            " ON p.id = m.person_id AND (p.jurisdiction_id = m.jurisdiction_id)",
            "",
        ),
        (
            "SELECT m.id FROM people_membership m JOIN people_person p ON p.id = m.person_id"
            " WHERE m.jurisdiction_id = '1' AND p.jurisdiction_id = '1'",
            "",
        ),
        ("SELECT level, count(*) FROM people_honour GROUP BY ROLLUP (level)", "ROLLUP"),
        ("SELECT level, count(*) FROM people_honour GROUP BY GROUPING SETS ((level), ())", "GROUPING SETS"),
        ("SELECT id FROM people_person TABLESAMPLE SYSTEM (1)", "TABLESAMPLE"),
        ("WITH RECURSIVE t AS (SELECT id FROM people_person) SELECT * FROM t", "WITH RECURSIVE"),
        ("SELECT 1 FROM people_person p, LATERAL (SELECT 1 FROM orgs_place WHERE id = p.home_id) x", "LATERAL"),
        (
            "SELECT 1 FROM people_person p WHERE EXISTS (SELECT 1 FROM people_membership m WHERE m.person_id = p.id)",
            "a correlated subquery",
        ),
        (
            "SELECT 1 FROM people_person p WHERE EXISTS (SELECT 1 FROM people_membership m WHERE m.person_id = p.id"
            " AND m.jurisdiction_id = p.jurisdiction_id)",
            "",
        ),
        (
            "SELECT 1 FROM orgs_organisation o WHERE EXISTS"
            " (SELECT 1 FROM people_membership m WHERE m.organisation_id = o.id)",
            "a correlated subquery",
        ),
        ("SELECT 1 FROM people_person p WHERE p.id IN (SELECT m.person_id FROM people_membership m)", ""),
        ("WITH RECURSIVE t AS (SELECT id FROM orgs_place) SELECT * FROM t", ""),
    ],
)
def test_the_check_sees_what_citus_refuses(query, wrong):
    found = faults(textwrap.dedent(query))
    assert any(wrong in text for text in found) if wrong else found == []
