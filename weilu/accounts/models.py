"""Sessions that can be listed and ended, and invitations to an account."""

import base64
import datetime as dt

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from weilu.lib.crypto import keyed_hash
from weilu.lib.ids import new_id
from weilu.orgs.models import Jurisdiction, User

INVITATION_LASTS = dt.timedelta(days=7)


class Session(AbstractBaseSession):
    """A session, with whose it is and from where. Residents who follow a matter have one without an account."""

    # A keyed hash of the key, which names the session on pages: the key itself is what the browser holds.
    id = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(default=timezone.now)

    @classmethod
    def get_session_store_class(cls):
        from weilu.accounts.sessions import SessionStore

        return SessionStore


class Invitation(models.Model):
    """A link through which a person sets the first password of their account, once. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="invitations", db_index=False)
    token_hash = models.BinaryField(unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(used_at=None, cancelled_at=None), name="invitation_open_once"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(cancelled_at=None), name="invitation_used_or_cancelled"
            ),
        ]

    @property
    def token(self) -> str:
        """The secret of the link, made from the data key: whoever reads the table alone cannot make it."""
        return base64.urlsafe_b64encode(keyed_hash(f"token of invitation {self.pk}")).decode().rstrip("=")

    @staticmethod
    def hash_of(token: str) -> bytes:
        """Return what is kept of a token."""
        return keyed_hash(f"hash of invitation token {token}")

    def open_at(self, now: dt.datetime) -> bool:
        """Tell whether it can still be used."""
        return self.used_at is None and self.cancelled_at is None and now < self.expires_at
