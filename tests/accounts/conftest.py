"""What the tests of accounts share: codes of an app, a log-in that stops half way."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from tests.conftest import PASSWORD


class Telephone:
    """An authenticator app."""

    def __init__(self, user):
        self.secret = generate_totp_secret()
        self.row: Authenticator = TOTP.activate(user, self.secret).instance
        self.codes = RecoveryCodes.activate(user).generate_codes()

    def code(self, ahead: int = 0) -> str:
        """The code of now, or of some steps of thirty seconds later."""
        return format_hotp_value(hotp_value(self.secret, int(time.time()) // 30 + ahead))

    def wrong(self) -> str:
        """A code that is none of those that hold now."""
        held = {self.code(ahead) for ahead in (-2, -1, 0, 1, 2)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in held)


@pytest.fixture
def telephone(world):
    """The clerk's."""
    return Telephone(world.clerk)


@pytest.fixture
def log_in():
    """Give name and password in a new browser."""

    def as_(name: str = "clerk", password: str = PASSWORD, **more) -> Client:
        client = Client(**more)
        client.answer = client.post("/login/", {"username": name, "password": password})
        return client

    return as_
