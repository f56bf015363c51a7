"""The database backend: Django's own, but for the health check of a kept connection and for what tells of writes.

Django asks ``SELECT 1`` at each request. A server that went away has closed its socket, and that is seen without
asking: an idle connection has nothing to read, unless it is the end.
"""

import select

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as PostgreSQLOperations


class DatabaseOperations(PostgreSQLOperations):
    """Django's operations with compilers that tell of what they write."""

    compiler_module = "weilu.lib.postgres.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper with a look at the socket instead of a question to the server."""

    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Tell whether the connection can be used; asks the server only where the socket shows something."""
        if self.connection is None or self.connection.closed:
            return False
        try:
            readable, _writable, _failed = select.select([self.connection.fileno()], [], [], 0)
        except (OSError, ValueError):  # the socket is gone, or its number is too high for select
            return super().is_usable()
        return super().is_usable() if readable else True
