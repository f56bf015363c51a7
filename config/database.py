"""Bring the database to where the code expects it: server, roles, tables, rights, partitions of duty."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from weilu.lib import embedded_postgres

# Tables that the app may add to and read, and never change.
APPEND_ONLY = ["records_event"]


def admin_conninfo(dbname: str = "") -> str:
    """Return how the owner of the tables (embedded: the superuser) connects."""
    if settings.EMBEDDED:
        host = str(embedded_postgres.socket_folder(settings.DATA))
        return make_conninfo(host=host, port=5432, user="postgres", dbname=dbname or "postgres")
    found: dict[str, Any] = dict(conninfo_to_dict(os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]))
    return make_conninfo(**{**found, **({"dbname": dbname} if dbname else {})})


def make_embedded_database() -> None:
    """Create roles and database in the embedded server, if they are not there."""
    with psycopg.connect(admin_conninfo(), autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role in ("weilu", settings.APP_ROLE):
            if role not in roles:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'weilu'").fetchone():
            connection.execute("CREATE DATABASE weilu OWNER weilu")


def _take_part(connection: psycopg.Connection, app_role: str) -> bool:
    """See to it that the app will work as ``app_role``; False where this server's logins do not allow it."""
    try:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [app_role]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(app_role)))
        if settings.EMBEDDED or os.environ.get("DATABASE_OWNER_URL"):
            return True  # the app has a login of its own
        member = "SELECT pg_has_role(current_user, %s, 'member')"
        if not connection.execute(member, [app_role]).fetchone()[0]:  # type: ignore[index]
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(app_role)))
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def separate_roles(connection: psycopg.Connection, app_role: str) -> str:
    """Give the app's role its rights: everything but changing or deleting events.

    Where the owner may not make a role, the owner gives up the rights itself.

    Returns:
        the name of the role that was limited.
    """
    owner = connection.execute("SELECT current_user").fetchone()[0]  # type: ignore[index]
    role = app_role if _take_part(connection, app_role) else owner
    name = sql.Identifier(role)
    if role != owner:
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}",
        ):
            connection.execute(sql.SQL(statement).format(name))  # type: ignore[arg-type]
    for table in APPEND_ONLY:
        connection.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name))
    return role


def migrate() -> None:
    """Run the migrations as the owner of the tables, then set the rights anew."""
    environment = {**os.environ, "WEILU_AS_OWNER": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0", "--no-input"],
        check=True,
        env=environment,
        cwd=settings.BASE_DIR,
    )
    owner = admin_conninfo("weilu") if settings.EMBEDDED else admin_conninfo()
    with psycopg.connect(owner, autocommit=True) as connection:
        separate_roles(connection, settings.APP_ROLE)


def prepare(say: Callable[[str], None] = lambda text: None) -> bool:
    """Start the embedded server if it is ours, and bring the tables up to date.

    Args:
        say: told what is being done.

    Returns:
        True if this call started a server, which the caller then stops.
    """
    started = False
    if settings.EMBEDDED:
        say("PostgreSQL")
        started = embedded_postgres.start(settings.DATA)
        make_embedded_database()
    try:
        if pending_migrations():
            say("tables")
            migrate()
    except BaseException:
        if started:
            embedded_postgres.stop(settings.DATA)
        raise
    return started


def analyze_if_new() -> None:
    """Gather the planner's statistics after a first load, as the owner: the app's role may not."""
    with psycopg.connect(admin_conninfo("weilu" if settings.EMBEDDED else ""), autocommit=True) as connection:
        known = connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'matters_matter'").fetchone()
        if known and known[0] <= 0:
            connection.execute("ANALYZE")


def pending_migrations() -> list[str]:
    """Return the names of migrations that have not run."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
