"""Set-up of the app: its connections step down to the role that may not change events."""

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

from weilu.lib.borrowed import plain_dash


def step_down(connection, **kwargs) -> None:
    """Work as the app's role where there is one that the login may take, unless we are here to migrate."""
    if settings.AS_OWNER or getattr(settings, "TESTING_AS_OWNER", False):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('role', rolname, false) FROM pg_roles "
            "WHERE rolname = %s AND pg_has_role(session_user, oid, 'member')",
            [settings.APP_ROLE],
        )


class OrgsConfig(AppConfig):
    """Places, organisations, accounts."""

    name = "weilu.orgs"

    def ready(self) -> None:
        from weilu.orgs import import_divisions, import_grids
        from weilu.orgs.imports.kinds import register

        plain_dash()
        connection_created.connect(step_down, dispatch_uid="weilu.step_down")
        register(import_divisions.KIND)
        register(import_grids.KIND)
        if settings.SHARDED:
            from weilu.orgs.sharding import join_by_jurisdiction

            join_by_jurisdiction()
