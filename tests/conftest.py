"""The suite's ground: a PostgreSQL of its own, the app's own database role, and a small cast known to all tests."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from config.database import separate_roles
from weilu.lib import embedded_postgres
from weilu.matters.models import Category, Matter, Module
from weilu.matters.services import file_matter
from weilu.matters.setup import open_jurisdiction
from weilu.orgs.memory import forget
from weilu.orgs.models import Grant, Jurisdiction, Level, Organisation, Place, User
from weilu.orgs.roles import Role

PASSWORD = "lantern-Under-the-eaves-7"


def pytest_configure(config: pytest.Config) -> None:
    """Start the server once, in the process that leads; its parallel workers find it by the shared folder."""
    if not hasattr(config, "workerinput"):
        embedded_postgres.start(settings.DATA, volatile=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        embedded_postgres.stop(settings.DATA)
        shutil.rmtree(settings.DATA, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, request) -> Iterator[None]:
    """Make the test database as its owner; from then on connect as the app does, who may not change events."""
    from django.test.utils import setup_databases, teardown_databases

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    settings.DATABASES["default"]["TEST"]["NAME"] = f"test_weilu_{worker or 'main'}"
    connections["default"].settings_dict["TEST"]["NAME"] = settings.DATABASES["default"]["TEST"]["NAME"]
    settings.TESTING_AS_OWNER = True
    with django_db_blocker.unblock():
        config = setup_databases(verbosity=0, interactive=False)
        connections["default"].ensure_connection()
        separate_roles(connections["default"].connection, settings.APP_ROLE)
        settings.TESTING_AS_OWNER = False
        connections["default"].close()
    yield
    with django_db_blocker.unblock():
        settings.TESTING_AS_OWNER = True
        connections["default"].close()
        with connections["default"].cursor() as cursor:  # the live server's threads may not have hung up yet
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        teardown_databases(config, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def flush_as_owner() -> None:
    """Tests with real transactions empty the tables afterwards, which the app's own role may not."""
    flush = TransactionTestCase._fixture_teardown

    def as_owner(self: TransactionTestCase) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("SET ROLE NONE")
        flush(self)
        connections["default"].close()

    TransactionTestCase._fixture_teardown = as_owner


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Counts and figures kept in memory belong to one test."""
    from django.core.cache import cache

    cache.clear()
    forget()


def place(code: str, name: str, level: Level, parent: Place | None) -> Place:
    """A place below ``parent``."""
    path = f"{parent.path if parent else ''}{code}/"
    return Place.objects.create(code=code, name=name, short_name=name, level=level, parent=parent, path=path)


@dataclass
class World:
    """Two counties: one at work, and one beside it that nobody of the first may see."""

    county: Place
    township: Place
    village: Place
    grid: Place
    other_township: Place
    other_village: Place
    far_county: Place
    far_village: Place
    jurisdiction: Jurisdiction
    far_jurisdiction: Jurisdiction
    office: Organisation
    department: Organisation
    branch: Organisation
    other_office: Organisation
    far_office: Organisation
    users: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["users"][name]
        except KeyError:
            raise AttributeError(name) from None

    def user(self, name: str, role: Role, at: Place, organisation: Organisation | None = None, **grant) -> User:
        """An account named after its part, with one grant."""
        user = User(username=name, name=name.replace("_", " ").title())
        user.set_password(PASSWORD)
        user.save()
        county = Jurisdiction.objects.get(place__code__in=at.ancestor_codes)
        Grant.objects.create(user=user, role=role, place=at, organisation=organisation, jurisdiction=county, **grant)
        self.users[name] = user
        return user

    def matter(self, at: Place | None = None, **given) -> Matter:
        """A matter just raised, in the village unless said otherwise."""
        at = at or self.village
        county = Jurisdiction.objects.get(place__code__in=at.ancestor_codes)
        defaults = {
            "module": Module.objects.get(jurisdiction=county, code="report"),
            "category": Category.objects.get(jurisdiction=county, code="public_works"),
            "subject": "村口路灯坏了",
            "detail": "晚上看不见路，老人出门危险。",
            "intake_key": str(uuid4()),
        }
        return file_matter(place=at, **(defaults | given))[0]


# The rows of a world made on a day, by table, and the world as it was then.
_kept: dict[dt.date, tuple[dict[str, bytes], World]] = {}


def _filled() -> set[str]:
    """Return the tables that have rows."""
    with connection.cursor() as cursor:
        names = [f"SELECT '{name}' WHERE EXISTS (TABLE \"{name}\")" for name in connection.introspection.table_names()]
        cursor.execute(" UNION ALL ".join(names))
        return {name for (name,) in cursor.fetchall()}


def build_world() -> World:
    """Make the world; called in a fixture, or by tests with real transactions.

    It is made once in each process; from then on its rows are copied in, which takes a tenth of the time.
    """
    today = timezone.localdate()
    if Place.objects.exists():
        return make_world()
    if today in _kept:
        rows, world = _kept[today]
        with transaction.atomic(), connection.cursor() as cursor:  # keys are looked at when it ends
            for table, lines in rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(lines)
        return deepcopy(world)
    before = _filled()
    world = make_world()
    if all(name.startswith(("django_", "auth_", "procrastinate_")) for name in before):
        rows = {}
        with connection.cursor() as cursor:
            for table in sorted(_filled() - before):
                with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                    rows[table] = b"".join(copy)
        _kept[today] = rows, deepcopy(world)
    return world


def make_world() -> World:
    """Make the world by the services."""
    province = place("51", "四川省", Level.PROVINCE, None)
    city = place("5108", "广元市", Level.CITY, province)
    county = place("510824", "苍溪县", Level.COUNTY, city)
    far_county = place("510823", "剑阁县", Level.COUNTY, city)
    township = place("510824100", "陵江镇", Level.TOWNSHIP, county)
    village = place("510824100001", "金穗社区", Level.VILLAGE, township)
    grid = place("510824100001-01", "第一网格", Level.GRID, village)
    other_township = place("510824101", "云峰镇", Level.TOWNSHIP, county)
    other_village = place("510824101201", "红旗村", Level.VILLAGE, other_township)
    far_township = place("510823100", "普安镇", Level.TOWNSHIP, far_county)
    far_village = place("510823100201", "远山村", Level.VILLAGE, far_township)
    home = open_jurisdiction("510824", prefix="CX", title="苍溪县群众诉求")
    far = open_jurisdiction("510823", prefix="JG")

    def body(kind: str, name: str, at: Place, county: Jurisdiction = home) -> Organisation:
        return Organisation.objects.create(jurisdiction=county, kind=kind, name=name, place=at)

    kinds = Organisation.Kind
    world = World(
        county,
        township,
        village,
        grid,
        other_township,
        other_village,
        far_county,
        far_village,
        home,
        far,
        office=body(kinds.OFFICE, "陵江镇综合治理办公室", township),
        department=body(kinds.DEPARTMENT, "苍溪县住房和城乡建设局", county),
        branch=body(kinds.BRANCH, "金穗社区第一党支部", village),
        other_office=body(kinds.OFFICE, "云峰镇综合治理办公室", other_township),
        far_office=body(kinds.OFFICE, "普安镇综合治理办公室", far_township, far),
    )
    world.user("clerk", Role.TOWNSHIP_CLERK, township)
    world.user("village_clerk", Role.VILLAGE_CLERK, village)
    world.user("county_clerk", Role.COUNTY_CLERK, county)
    world.user("handler", Role.COUNTY_DEPARTMENT, county, world.department)
    world.user("member", Role.MEMBER, village, world.branch)
    world.user("second_member", Role.MEMBER, village, world.branch)
    world.user("grid_worker", Role.GRID_WORKER, grid)
    world.user("observer", Role.OBSERVER, county)
    world.user("administrator", Role.ADMINISTRATOR, county)
    world.user("stranger", Role.TOWNSHIP_CLERK, other_township)
    world.user("far_clerk", Role.COUNTY_CLERK, far_county)
    return world


@pytest.fixture
def world(db) -> World:
    """The cast, in a transaction that is rolled back."""
    return build_world()


@pytest.fixture
def real_world(transactional_db) -> World:
    """The cast in committed rows, for tests of concurrency and of processes."""
    return build_world()


@pytest.fixture
def sign_in(client):
    """Sign the test client in as one of the cast."""

    def as_(user: User):
        client.force_login(user, backend="weilu.orgs.backends.AccountBackend")
        return client

    return as_


@pytest.fixture
def days_ago():
    """A moment some days back."""
    from django.utils import timezone

    return lambda days: timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def things(world):
    """What stands in the first county when routes and verbs are tried as everybody."""
    from tests.things import things_of

    return things_of(world)
