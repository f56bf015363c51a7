"""Back up and restore: database, attachments and keys in one archive; all of it comes back, or nothing changes.

The archive is a tar of ``manifest.json``, ``database.dump`` (pg_dump's custom format), ``secret_key.txt``,
``data_key.txt`` and ``files/…``. The manifest holds a hash of each part, the rows of each table and the migrations.
"""

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from rich.console import Console
from rich.progress import Progress

from config import database
from weilu.lib import embedded_postgres

FORMAT = "weilu-backup"
VERSION = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
KEYS = ("secret_key", "data_key")
PART_NAME = re.compile(r"database\.dump|secret_key\.txt|data_key\.txt|files/[0-9A-Za-z]{1,8}/[0-9A-Za-z.]{1,100}")
MANIFEST_TYPES = {"rows": dict, "migrations": list, "parts": dict}
EXTENSIONS = ["btree_gist", "pg_trgm"]
CHUNK = 1 << 20
DISCONNECT_WITHIN = 2.0


class BackupError(RuntimeError):
    """The archive could not be written or read; the message says why and what to do."""


# --- the database ---------------------------------------------------------------------------------------------------
def _owner() -> str:
    """Return how the owner of the tables connects; in the embedded server that is not the superuser."""
    if settings.EMBEDDED:
        return make_conninfo(database.admin_conninfo(settings.DATABASES["default"]["NAME"]), user="weilu")
    return database.admin_conninfo()


def _tool(name: str) -> str:
    """Return the path of one of PostgreSQL's own programs."""
    found = embedded_postgres.BIN / name
    path = str(found) if found.exists() else shutil.which(name)
    if not path:
        raise BackupError(f"{name} was not found. Install PostgreSQL's client programs.")
    return path


def _connection_arguments() -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment for PostgreSQL's programs; the password travels in the environment only."""
    known: dict[str, Any] = dict(conninfo_to_dict(_owner()))
    environment = {**os.environ, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
    if password := known.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    return ["--dbname", make_conninfo(**known)], environment


def _last_words(stderr: IO[bytes]) -> str:
    stderr.seek(0)
    return "\n".join(stderr.read().decode(errors="replace").strip().splitlines()[-6:])


def _tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [row[0] for row in rows]


def _row_counts(connection: psycopg.Connection) -> dict[str, int]:
    query = sql.SQL("SELECT count(*) FROM public.{}")
    return {
        name: connection.execute(query.format(sql.Identifier(name))).fetchone()[0]  # type: ignore[index]
        for name in _tables(connection)
    }


def _applied(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("SELECT app || '.' || name FROM django_migrations")
    return sorted({row[0] for row in rows})


def _dump(file: Path) -> dict[str, Any]:
    """Write the database to ``file`` and return what the same snapshot holds, for the manifest."""
    arguments, environment = _connection_arguments()
    with psycopg.connect(_owner()) as connection, tempfile.TemporaryFile() as stderr:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]  # type: ignore[index]
        present = connection.execute("SELECT extname FROM pg_extension WHERE extname = ANY(%s)", [EXTENSIONS])
        options = ["--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--schema=public"]
        options += [f"--extension={row[0]}" for row in present] + [f"--snapshot={snapshot}", "--file", str(file)]
        command = [_tool("pg_dump"), *arguments, *options]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stderr=stderr)
        if done.returncode:
            raise BackupError(f"pg_dump failed:\n{_last_words(stderr)}")
        return {"migrations": _applied(connection), "rows": _row_counts(connection)}


# Drops what is ours rather than the schema: an owner who is not superuser may not drop others' extensions.
CLEAR = """
BEGIN;
SET LOCAL client_min_messages = warning;
DO $clear$
DECLARE item record;
BEGIN
  FOR item IN
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END
           AS kind, oid::regclass::text AS name, oid, 'pg_class'::regclass AS class, 1 AS turn
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text, oid, 'pg_proc'::regclass, 2
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'TYPE', oid::regtype::text, oid, 'pg_type'::regclass, 3
    FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typelem = 0 AND typtype IN ('c', 'd', 'e', 'r')
    ORDER BY turn
  LOOP
    IF NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = item.class AND objid = item.oid AND deptype IN ('e', 'i', 'a')
    ) THEN
      EXECUTE format('DROP %s IF EXISTS %s CASCADE', item.kind, item.name);
    END IF;
  END LOOP;
END $clear$;
"""
ONE_CHECK = """SELECT count(*) INTO found FROM {table};
IF found <> {count} THEN RAISE EXCEPTION '% rows instead of % in %', found, {count}, {name}; END IF;"""


def _check_rows(rows: dict[str, int]) -> str:
    """Return SQL that fails unless each table holds as many rows as the manifest says."""
    checks = [
        sql.SQL(ONE_CHECK).format(
            table=sql.Identifier("public", table), count=sql.Literal(int(count)), name=sql.Literal(table)
        )
        for table, count in rows.items()
    ]
    start = sql.SQL("DO $check$ DECLARE found bigint; BEGIN")
    return sql.SQL("\n").join([start, *checks, sql.SQL("END $check$;\n")]).as_string(None)


# Debian's PostgreSQL 15 keeps a number with each column that a newer pg_dump writes out and no server reads back.
ATTRIBUTE_VERSION = re.compile(rb"ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);$")


def _copy_script(source: IO[bytes], target: IO[bytes], known: set[str]) -> None:
    """Copy a dump's SQL without what the server does not know or has: newer settings, the schema public.

    Lines are looked at up to the first data only: from there on any line may be a row.
    """
    in_head = True
    for line in source:
        setting = re.match(rb"SET (\w+) = ", line)
        if in_head and setting and setting[1].decode() not in known:
            continue
        if ATTRIBUTE_VERSION.match(line):
            continue
        if line.startswith(b"CREATE SCHEMA public"):
            continue
        target.write(line)
        in_head = in_head and not line.startswith((b"CREATE ", b"ALTER "))
        if line.startswith(b"COPY "):
            break
    shutil.copyfileobj(source, target, CHUNK)


def _feed(reader: subprocess.Popen, writer: subprocess.Popen, end: str, known: set[str]) -> None:
    """Send what ``reader`` gives to ``writer``; ``end``, which commits, only if it came to its own end."""
    with contextlib.suppress(BrokenPipeError), writer.stdin as target, reader.stdout as source:  # type: ignore[union-attr]
        target.write(CLEAR.encode())
        _copy_script(source, target, known)
        if reader.wait() == 0:
            target.write(end.encode())


def _settings_known() -> set[str]:
    with psycopg.connect(_owner()) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM pg_settings")}


def _load(dump: Path, rows: dict[str, int]) -> None:
    """Replace all that the schema public holds by ``dump``, in one transaction.

    The transaction is ours rather than ``psql --single-transaction``, which would commit what it has when its input
    ends early: without our COMMIT as the last line everything is rolled back.
    """
    known = _settings_known() | {"client_encoding"}
    arguments, environment = _connection_arguments()
    psql = [_tool("psql"), *arguments, "-X", "-q", "-v", "ON_ERROR_STOP=1", "--file", "-"]
    restore = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--file", "-", str(dump)]
    with tempfile.TemporaryFile() as read_words, tempfile.TemporaryFile() as write_words:
        reader = subprocess.Popen(restore, stdout=subprocess.PIPE, stderr=read_words)
        writer = subprocess.Popen(
            psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=write_words, env=environment
        )
        try:
            _feed(reader, writer, _check_rows(rows) + "COMMIT;\n", known)
        finally:
            reader.wait()
            writer.wait()
        if reader.returncode > 0:
            raise BackupError(f"The dump cannot be read; nothing was changed.\n{_last_words(read_words)}")
        if writer.returncode:
            raise BackupError(f"The database refused the archive; nothing was changed.\n{_last_words(write_words)}")


def _set_rights() -> None:
    owner = database.admin_conninfo(settings.DATABASES["default"]["NAME"]) if settings.EMBEDDED else _owner()
    with psycopg.connect(owner, autocommit=True) as connection:
        database.separate_roles(connection, settings.APP_ROLE)
        connection.execute("ANALYZE")


def _others() -> int:
    """Return how many other sessions this database has."""
    with psycopg.connect(_owner(), autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'"
        ).fetchone()
    return found[0]  # type: ignore[index]


def _refuse_while_in_use() -> None:
    connections.close_all()
    until = time.monotonic() + DISCONNECT_WITHIN
    while count := _others():
        if time.monotonic() > until:
            raise BackupError(
                f"{count} other session(s) are connected to this database. "
                "Stop the service (web server and worker) first; nothing was changed."
            )
        time.sleep(0.1)


def _refuse_over_rows() -> None:
    with psycopg.connect(_owner()) as connection:
        present = set(_tables(connection))
        for table in ("orgs_user", "orgs_jurisdiction", "matters_matter"):
            query = sql.SQL("SELECT EXISTS (SELECT 1 FROM public.{})").format(sql.Identifier(table))
            if table in present and connection.execute(query).fetchone()[0]:  # type: ignore[index]
                raise BackupError(
                    "This database already holds data. To replace it by the archive: weilu restore --replace FILE"
                )


# --- writing --------------------------------------------------------------------------------------------------------
def _hash(stream: IO[bytes], copy_to: IO[bytes] | None = None) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := stream.read(CHUNK):
        digest.update(block)
        size += len(block)
        if copy_to:
            copy_to.write(block)
    return digest.hexdigest(), size


def _attachments() -> dict[str, Path]:
    """Return the attachments by their name in the archive; unfinished uploads stay out."""
    found = (path for path in settings.FILES.rglob("*") if path.is_file() and path.suffix != ".part")
    return {f"files/{path.relative_to(settings.FILES).as_posix()}": path for path in sorted(found)}


def _write_keys(folder: Path) -> dict[str, Path]:
    values = {"secret_key": settings.SECRET_KEY, "data_key": settings.DATA_KEY}
    paths = {f"{name}.txt": folder / f"{name}.txt" for name in KEYS}
    for name, value in values.items():
        paths[f"{name}.txt"].write_text(value)
    return paths


def _describe(parts: dict[str, Path]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, path in parts.items():
        with open(path, "rb") as stream:
            digest, size = _hash(stream)
        found[name] = {"sha256": digest, "size": size}
    return found


def _pack(out: Path, parts: dict[str, Path], manifest: dict[str, Any], console: Console) -> None:
    """Write the archive's parts to ``out``, which only its owner may read."""
    with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
        os.fchmod(raw.fileno(), 0o600)
        with tarfile.open(fileobj=raw, mode="w") as archive, Progress(console=console, transient=True) as progress:
            text = out.with_name(f"{out.name}.json")
            text.write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
            try:
                for name, path in progress.track({MANIFEST: text, **parts}.items(), description="archive"):
                    archive.add(path, name, recursive=False)
            finally:
                text.unlink()
        raw.flush()
        os.fsync(raw.fileno())


def write(file: Path, console: Console) -> None:
    """Write database, attachments and keys to ``file``; the service may go on meanwhile.

    The database is read in one snapshot, the attachments after it: they are never changed, so what the snapshot
    names is there.

    Raises:
        BackupError: ``file`` is there already, or something could not be read or written.
    """
    file = file.absolute()
    if file.exists():
        raise BackupError(f"{file} is there already; nothing was overwritten. Choose another name.")
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent}.")
    part = file.with_name(f"{file.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".weilu-", dir=file.parent) as name:
            folder = Path(name)
            with console.status("database"):
                contents = _dump(folder / DUMP)
            parts = {DUMP: folder / DUMP, **_write_keys(folder), **_attachments()}
            manifest = {
                "format": FORMAT,
                "version": VERSION,
                "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                **contents,
                "parts": _describe(parts),
            }
            _pack(part, parts, manifest, console)
        if file.exists():
            raise BackupError(f"{file} has appeared meanwhile; nothing was overwritten.")
        part.rename(file)
    except (OSError, psycopg.Error) as error:
        raise BackupError(f"The backup was not written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


# --- reading --------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _opened(file: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, Any]]]:
    """Open an archive and its manifest; whatever is wrong with either becomes a clear message."""
    damaged = f"{file} is damaged or was not written to its end; nothing was changed."
    try:
        with tarfile.open(file, "r:") as archive:
            first = archive.next()
            stream = archive.extractfile(first) if first and first.name == MANIFEST else None
            manifest = json.loads(stream.read()) if stream else {}
            if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
                raise BackupError(f"{file} is not an archive of `weilu backup`; nothing was changed.")
            if manifest.get("version") != VERSION:
                raise BackupError(f"{file} was written by a newer Weilu; install that first. Nothing was changed.")
            if not all(isinstance(manifest[key], kind) for key, kind in MANIFEST_TYPES.items()):
                raise TypeError
            yield archive, manifest
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {file}.") from error
    except tarfile.ReadError as error:
        foreign = "file could not be opened" in str(error) or "header" in str(error)
        words = f"{file} is not an archive of `weilu backup`; nothing was changed."
        raise BackupError(words if foreign else damaged) from error
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(damaged) from error
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}. Nothing was changed.") from error


def _unpack(archive: tarfile.TarFile, manifest: dict[str, Any], folder: Path, console: Console) -> None:
    """Write the parts to ``folder`` and check each against its hash."""
    wanted = dict(manifest["parts"])
    if missing := {DUMP, *(f"{name}.txt" for name in KEYS)} - set(wanted):
        raise BackupError(f"The archive lacks {', '.join(sorted(missing))}; nothing was changed.")
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("checking", total=len(wanted))
        for member in archive:
            if member.name == MANIFEST:
                continue
            expected = wanted.pop(member.name, None)
            if expected is None or not member.isfile() or not PART_NAME.fullmatch(member.name):
                raise BackupError(f"“{member.name}” does not belong in the archive; nothing was changed.")
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.extractfile(member) as source, open(path, "wb") as target:  # type: ignore[union-attr]
                digest, _size = _hash(source, target)
            if digest != expected["sha256"]:
                raise BackupError(f"“{member.name}” in the archive is damaged; nothing was changed.")
            progress.advance(task)
    if wanted:
        raise BackupError(f"The archive lacks “{next(iter(wanted))}”; nothing was changed.")


def _is_older(manifest: dict[str, Any]) -> bool:
    """Tell whether the archive's tables are older than the code.

    Raises:
        BackupError: they are newer.
    """
    loader = MigrationLoader(None)
    ours = {f"{app}.{name}" for app, name in loader.disk_migrations}
    theirs = set(manifest["migrations"])
    if unknown := sorted(theirs - ours):
        raise BackupError(
            f"The archive is newer than this Weilu, which does not know {unknown[0]}. "
            "Install the version that wrote it, or a later one; nothing was changed."
        )
    return bool(ours - theirs)


def _check_keys(folder: Path) -> None:
    """Refuse where the environment sets another data key: what is encrypted could not be read."""
    kept = os.environ.get("WEILU_DATA_KEY")
    if kept and kept != (folder / "data_key.txt").read_text():
        raise BackupError(
            "WEILU_DATA_KEY is set to another key than the archive's: telephone numbers in it could not be read. "
            "Set it to the archive's key, or unset it; nothing was changed."
        )


@contextlib.contextmanager
def _files_replaced(folder: Path) -> Iterator[None]:
    """Put the archive's attachments in place of those that are here; back again if what follows fails."""
    fresh, before = folder / "files", folder / "files.before"
    fresh.mkdir(exist_ok=True)
    settings.FILES.mkdir(parents=True, exist_ok=True)
    settings.FILES.rename(before)
    try:
        fresh.rename(settings.FILES)
        yield
    except BaseException:
        if settings.FILES.exists():
            settings.FILES.rename(fresh)
        before.rename(settings.FILES)
        raise


def _replace_keys(folder: Path) -> None:
    """Put the archive's keys in place, except where the environment sets one."""
    for name in KEYS:
        if not os.environ.get(f"WEILU_{name.upper()}"):
            fresh = folder / f"{name}.txt"
            fresh.chmod(0o600)
            fresh.replace(settings.DATA / f"{name}.txt")


def _migrate_or_undo(folder: Path, before: dict[str, Any]) -> None:
    """Bring older tables up to date; when that fails, bring back what was here."""
    try:
        database.migrate()
    except subprocess.CalledProcessError as error:
        _load(folder / "before.dump", before["rows"])
        _set_rights()
        raise BackupError("The archive's tables could not be brought up to date; what was here is back.") from error


def _restore(folder: Path, manifest: dict[str, Any], console: Console) -> None:
    older = _is_older(manifest)
    with console.status("database"), _files_replaced(folder):
        before = _dump(folder / "before.dump") if older else {}
        _load(folder / DUMP, manifest["rows"])
        if older:
            _migrate_or_undo(folder, before)
        _set_rights()
    _replace_keys(folder)


def read(file: Path, console: Console, *, replace: bool) -> None:
    """Bring back what ``write`` wrote: all of it or nothing.

    Args:
        replace: whether a database that already holds data is replaced.

    Raises:
        BackupError: the archive cannot be used, data would be lost, or somebody works with the database.
    """
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.DATA) as name:
        folder = Path(name)
        with _opened(file) as (archive, manifest):
            _unpack(archive, manifest, folder, console)
            _is_older(manifest)
        _check_keys(folder)
        if not replace:
            _refuse_over_rows()
        _refuse_while_in_use()
        try:
            _restore(folder, manifest, console)
        except (OSError, psycopg.Error) as error:
            raise BackupError(f"The archive was not restored: {error}") from error
    console.print(f"[dim]{sum(manifest['rows'].values())} rows, {len(manifest['parts']) - 3} files[/dim]")
