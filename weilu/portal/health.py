"""Whether the platform works: for the load balancer, the service manager and a worried administrator."""

import datetime as dt

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from weilu.orgs.access import public

WORKER_SILENT_AFTER = dt.timedelta(seconds=60)


def _worker() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        last = cursor.fetchone()[0]
    if last is None:
        return "no worker has reported"
    silent = timezone.now() - last
    return "ok" if silent < WORKER_SILENT_AFTER else f"silent for {int(silent.total_seconds())} s"


def _migrations() -> str:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if not plan else f"{len(plan)} not applied"


@public
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 with each part ``ok``, or 503 with what is wrong."""
    parts: dict[str, str] = {}
    try:
        parts["migrations"] = _migrations()
        parts["database"] = "ok"
        parts["worker"] = _worker() if parts["migrations"] == "ok" else "unknown"
    except DatabaseError as error:
        connection.close()
        parts = {"database": str(error).strip().splitlines()[0][:200], "worker": "unknown", "migrations": "unknown"}
    good = all(value == "ok" for value in parts.values())
    body = {"status": "ok" if good else "failing", **dict(sorted(parts.items()))}
    return JsonResponse(body, status=200 if good else 503)
