"""Sessions in the database, read with a query that is compiled once: every request of an account begins with it."""

import datetime as dt

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from weilu.lib.prepared import PreparedQuery

_session = PreparedQuery(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now),
    key="stand-in",
    now=dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
)


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def _get_session_from_db(self):
        found = _session(key=self.session_key, now=timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None
