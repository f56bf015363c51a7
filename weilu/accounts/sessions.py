"""Sessions in the database, read with a query that is compiled once: every request of an account begins with it.

The table says whose a session is and from where, so that people see their sessions and end them.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils import timezone

from weilu.accounts.models import Session
from weilu.lib.client import ip_address
from weilu.lib.crypto import keyed_hash
from weilu.lib.prepared import PreparedQuery

# The last use is written at most so often: a page of an account otherwise writes nothing.
NOTED_EVERY = dt.timedelta(minutes=5)
ORIGIN = "_origin"

_session = PreparedQuery(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now),
    key="stand-in",
    now=dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
)


class SessionStore(db.SessionStore):
    """Django's sessions in the database, each row with its account, device and address."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls):
        return Session

    def _get_session_from_db(self):
        found = _session(key=self.session_key, now=timezone.now())
        if not found:
            self._session_key = None
        self.row = found[0] if found else None
        return self.row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        origin = data.get(ORIGIN, {})
        user = data.get("_auth_user_id")
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return Session(
            session_key=key,
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            id=UUID(bytes=keyed_hash(key)[:16]),
            user_id=UUID(user) if user else None,
            device=origin.get("device", ""),
            address=origin.get("address", ""),
            created_at=dt.datetime.fromisoformat(origin["since"]) if origin else timezone.now(),
        )

    def note_use(self, request: HttpRequest) -> None:
        """Note that the session is used now and from where, if that was not noted a few minutes ago."""
        now = timezone.now()
        if self.row is None or now - self.row.used_at < NOTED_EVERY:
            return
        self.row.used_at = now
        Session.objects.filter(pk=self.row.pk).update(used_at=now, address=ip_address(request)[:45])


def note_origin(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """At log-in, write into the session where it comes from; its row repeats it."""
    request.session[ORIGIN] = {
        "since": timezone.now().isoformat(),
        "device": request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[:200],
        "address": ip_address(request)[:45],
    }
