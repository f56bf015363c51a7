"""Tokens by which a program reads as an account."""

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.lib.crypto import keyed_hash
from weilu.lib.ids import new_id
from weilu.orgs.models import User


class ApiTokenQuerySet(models.QuerySet):
    """Tokens."""

    def valid_at(self, now: dt.datetime) -> "ApiTokenQuerySet":
        """Only tokens that were not revoked, have not run out, and whose account is active."""
        return self.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)


class ApiToken(models.Model):
    """A token of an account: what it may read is what its owner may. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("what it is for"), max_length=60)
    token_hash = models.BinaryField(unique=True, editable=False)
    # Its first letters, by which its owner knows it again.
    begins = models.CharField(max_length=8, editable=False)
    # Of the password at that time: whoever changes the password ends the tokens.
    password_mark = models.BinaryField(editable=False)
    # Whether it was made in a session with a second factor.
    second_factor = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("runs out"))
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="api_token_runs_out_later"),
        ]

    def __str__(self):
        return self.name

    @staticmethod
    def hash_of(secret: str) -> bytes:
        """Return what is kept of a secret."""
        return keyed_hash(f"token of the API {secret}")

    @staticmethod
    def mark_of(user: User) -> bytes:
        """Return what is kept of the owner's password."""
        return keyed_hash(f"password behind a token {user.password}")
