"""How django-allauth works here: our log-in, our words, secrets encrypted, nobody signs up."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.lib.client import ip_address
from weilu.lib.crypto import decrypt, encrypt
from weilu.orgs.models import User

BACKEND = "weilu.orgs.backends.AccountBackend"
SAID = {
    "mfa/messages/totp_activated.txt": _lazy("The authenticator app is set up."),
    "mfa/messages/totp_deactivated.txt": _lazy("The authenticator app was removed."),
    "mfa/messages/webauthn_added.txt": _lazy("The passkey was added."),
    "mfa/messages/webauthn_removed.txt": _lazy("The passkey was removed."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Log-in after password, passkey or the office's provider, with the second factor as the only stage between."""

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def login(self, request: HttpRequest, user: Any) -> None:
        login(request, user, backend=BACKEND)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, _("This account is shut. Ask your administrator."))
        return redirect("login")

    def get_client_ip(self, request: HttpRequest) -> str:
        return ip_address(request)

    def add_message(  # type: ignore[override]
        self, request: HttpRequest, level: int, message_template: str | None = None, message_context: Any = None,
        extra_tags: str = "", message: str | None = None,
    ) -> None:  # fmt: skip
        text = message or SAID.get(message_template or "")
        if text:
            messages.add_message(request, level, str(text), extra_tags=extra_tags)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: :mod:`weilu.accounts.notices` tells people, in the app and by mail."""

    def get_reauthentication_methods(self, user: Any) -> list[dict]:
        """By password; by code for those who have no password of their own and enter through their office."""
        by_password = {"id": "reauthenticate", "description": _("Password"), "url": reverse("account_reauthenticate")}
        by_code = {"id": "mfa_reauthenticate", "description": _("Code"), "url": reverse("mfa_reauthenticate")}
        from weilu.accounts.second_factor import has_factor  # the app's models are ready by now

        found = [by_password] if user.is_authenticated and user.has_usable_password() else []
        return [*found, by_code] if user.is_authenticated and has_factor(user) else found


class FactorAdapter(DefaultMFAAdapter):
    """Keys of authenticator apps and recovery codes lie encrypted; names are ours."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _lazy("That did not work. Try again."),
        "cannot_delete_authenticator": _lazy("Your role needs a second factor: set up another one first."),
    }

    def encrypt(self, text: str) -> str:
        return base64.b64encode(encrypt(text)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(base64.b64decode(encrypted_text))

    def get_totp_issuer(self) -> str:
        return f"{_('Weilu')} {settings.SITE_URL.partition('://')[2]}"

    def _get_user_identifier(self, user: User) -> str:  # type: ignore[override]
        return user.username

    def _get_site_name(self) -> str:
        return _("Weilu")

    def get_public_key_credential_user_entity(self, user: User) -> dict:  # type: ignore[override]
        return super().get_public_key_credential_user_entity(user) | {"display_name": user.name}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return _("Passkey")

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        from weilu.accounts.second_factor import must_keep  # the app's models are ready by now

        return not must_keep(authenticator)
