"""The printed SQL runs against the migrated schema, and the application works on what it makes."""

import datetime as dt
import os
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from psycopg import sql
from typer.testing import CliRunner

from config.citus import CannotDistribute, script, widened
from config.cli import app
from config.database import admin_conninfo, separate_roles
from tests.citus import STAND_INS, WRONG_KEYS
from tests.conftest import make_world
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.orgs.memory import forget
from weilu.orgs.models import Place
from weilu.people.appointments import appoint, make_post
from weilu.people.merging import merge, undo_merge
from weilu.people.models import Membership
from weilu.people.persons import make_person
from weilu.records.models import Event
from weilu.venues.hours import Span
from weilu.venues.models import Venue, Zone
from weilu.venues.services import Wish, ask_for, set_hours
from weilu.venues.setup import begin_zones

FOREIGN_KEYS = "SELECT conname FROM pg_constraint WHERE contype = 'f'"
UNIQUE = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND indrelid::regclass::text !~ 'pg_|stood'"


@pytest.fixture(scope="module")
def moved(django_db_setup, django_db_blocker) -> Iterator[str]:
    """The name of a copy of the migrated database on which the printed SQL has run, stand-ins for Citus and all."""
    here = settings.DATABASES["default"]["TEST"]["NAME"]
    name = f"citus_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock():
        connections["default"].close()
    with psycopg.connect(admin_conninfo(), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(others, [here])  # a live server's threads may not have hung up yet
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(here)))
    with psycopg.connect(admin_conninfo(name), autocommit=True) as connection:
        connection.execute(STAND_INS)
        connection.execute("CREATE TABLE keys_before AS " + FOREIGN_KEYS)
        connection.execute("CREATE TABLE unique_before AS " + UNIQUE)
        connection.execute(script(shards=8))  # type: ignore[arg-type]
        separate_roles(connection, settings.APP_ROLE)
    yield name
    with psycopg.connect(admin_conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def asked(moved) -> Iterator[psycopg.Connection]:
    """A connection to look at what the SQL made."""
    with psycopg.connect(admin_conninfo(moved), autocommit=True) as connection:
        yield connection


@pytest.fixture
def at_work(moved, django_db_blocker):
    """The cast in the moved database, rolled back at the end."""
    connection = connections["default"]
    here = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = moved
        try:
            with transaction.atomic():
                yield make_world()
                connection.check_constraints()
                transaction.set_rollback(True)
        finally:
            connection.close()
            connection.settings_dict["NAME"] = here
            forget()


def test_every_table_is_where_it_belongs_and_the_foreign_keys_are_those_that_citus_can_hold(asked):
    kinds = dict(asked.execute("SELECT kind, count(*) FROM stood_in GROUP BY kind").fetchall())
    assert kinds["distributed"] > 20
    assert kinds["reference"] > 10
    assert asked.execute(WRONG_KEYS).fetchall() == []


def test_no_foreign_key_and_no_unique_key_is_lost(asked):
    lost = f"SELECT conname FROM keys_before EXCEPT {FOREIGN_KEYS}"  # noqa: S608
    assert asked.execute(lost).fetchall() == []
    assert asked.execute(f"SELECT * FROM unique_before EXCEPT {UNIQUE}").fetchall() == []  # noqa: S608


def test_a_matter_goes_its_way_on_the_moved_schema(at_work):
    matter = at_work.matter(at=at_work.grid, contact=services.Contact("田七", "13800001111"))
    twin = at_work.matter(at=at_work.grid)
    matter = services.dispatch(matter, to=at_work.department, by=at_work.county_clerk, version=1)
    matter = services.settle(matter, by=at_work.handler, version=2, outcome="修好了", public_outcome="修好了")
    services.merge(twin, into=at_work.matter(), by=at_work.clerk, version=1)
    assert Matter.objects.get(number=matter.number).state == "settled"
    assert Event.objects.of(matter).count() == 3
    again = {"intake_key": matter.intake_key}
    assert at_work.matter(**again).pk == matter.pk  # sent twice, it is still one


def test_people_and_posts_keep_their_rules_on_the_moved_schema(at_work):
    given = {"by": None, "home": at_work.village, "name": "赵大山"}
    one, other = make_person(**given, phone="13800000001"), make_person(**given, phone="13800000002")
    row = Membership.objects.create(person=one, organisation=at_work.branch, kind="member")
    assert row.jurisdiction_id == at_work.jurisdiction.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(person=one, organisation=at_work.branch, kind="member")
    post = make_post(at_work.office, title="主任", by=None)
    appoint(post, person=one, by=None, since=dt.date(2024, 1, 1))
    undo_merge(merge(other, into=one, by=None), by=None)
    assert Membership.objects.filter(person=one).count() == 1


def test_a_key_to_another_jurisdiction_is_refused_on_the_moved_schema(at_work):
    person = make_person(by=None, home=at_work.village, name="赵大山")
    row = Membership.objects.create(person=person, organisation=at_work.branch, kind="member")
    connections["default"].check_constraints()
    with connections["default"].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=row.pk).update(jurisdiction=at_work.far_jurisdiction)


def test_a_hall_is_booked_once_on_the_moved_schema(at_work):
    begin_zones(at_work.jurisdiction)
    given = {"jurisdiction": at_work.jurisdiction, "zone": Zone.objects.filter(jurisdiction=at_work.jurisdiction)[0]}
    hall = Venue.objects.create(kind="council_hall", name="议事厅", place=at_work.village, **given)
    set_hours(hall, [(day, Span(dt.time(8), dt.time(20))) for day in range(7)], by=at_work.clerk)
    starts = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0) + dt.timedelta(days=2)
    wish = Wish(starts, starts + dt.timedelta(hours=1), "院坝会", "one", phone="13987654321")
    assert ask_for(hall, wish, by=None).pk == ask_for(hall, wish, by=None).pk


def test_places_still_name_their_successors_on_the_moved_schema(at_work):
    at_work.village.successors.add(at_work.other_village)
    assert list(Place.objects.get(pk=at_work.village.pk).successors.all()) == [at_work.other_village]


# --- the command ------------------------------------------------------------------------------------------------------
def test_the_command_prints_sql_and_nothing_else():
    done = CliRunner().invoke(app, ["distribute", "--print", "--shards", "16"])
    assert done.exit_code == 0
    assert done.stdout == script(16)
    assert all(line.startswith("--") for line in done.stdout.splitlines()[:3])


def test_without_print_the_command_says_that_only_printing_is_offered():
    done = CliRunner().invoke(app, ["distribute"])
    assert done.exit_code == 1
    assert "create_distributed_table" not in done.output


def test_a_key_that_has_the_jurisdiction_stays_as_it_is():
    assert all(widened(item) is None for item in Matter._meta.constraints)


def test_a_model_that_breaks_a_rule_is_named(monkeypatch):
    monkeypatch.setattr(Membership._meta.get_field("jurisdiction"), "null", True)
    with pytest.raises(CannotDistribute, match="Membership"):
        script()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("create_reference_table('procrastinate_jobs')", "triggers"),
        ("create_reference_table('auth_group')", "identity"),
        ("create_reference_table('accounts_session')", "foreign key"),
        ("create_distributed_table('orgs_ratecount', 'window', 'none')", "unique key without the column"),
        ("create_distributed_table('orgs_ratecount', 'count', 'matters_matter')", "unique key without the column"),
    ],
)
def test_the_stand_ins_refuse_what_citus_refuses(asked, call, reason):
    with pytest.raises(psycopg.errors.RaiseException, match=reason):
        asked.execute(f"SELECT {call}")
