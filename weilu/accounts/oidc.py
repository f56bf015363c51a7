"""Log-in through an office's own identity provider: OpenID Connect Core 1.0, code flow with PKCE, state and nonce.

Who the provider vouches for must have an account here already: nobody gets one silently.
"""

import hmac
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from requests import RequestException

from weilu.accounts import notices
from weilu.orgs.models import User

PROVIDER = "office"
# Signatures that need the provider's private key; "none" and shared secrets are refused.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
LEEWAY = 60  # seconds by which two clocks may differ


def is_configured() -> bool:
    """Tell whether this installation has an identity provider."""
    return bool(settings.OIDC["issuer"] and settings.OIDC["client_id"])


class OfficeProvider(OpenIDConnectProvider):
    """The one provider, from the settings."""

    pkce_enabled_default = True

    def __init__(self, request: HttpRequest):
        app = SocialApp(
            provider="openid_connect", provider_id=PROVIDER, name=settings.OIDC["name"],
            client_id=settings.OIDC["client_id"], secret=settings.OIDC["secret"],
            settings={"server_url": settings.OIDC["issuer"].rstrip("/"), "oauth_pkce_enabled": True},
        )  # fmt: skip
        super().__init__(request, app=app)

    def get_oauth2_adapter(self, request: HttpRequest) -> "OfficeFlow":
        return OfficeFlow(request, PROVIDER)

    def redirect(self, request: HttpRequest, process: str, next_url: Any = None, data: Any = None, **kwargs: Any):  # type: ignore[override]
        """Send the browser to the provider, with a nonce that the token must come back with."""
        nonce = secrets.token_urlsafe(24)
        return super().redirect(request, process, next_url, data, auth_params={"nonce": nonce}, nonce=nonce, **kwargs)


class OfficeFlow(OpenIDConnectOAuth2Adapter):
    """allauth's flow, with what it leaves out: issuer by configuration, signature and nonce are always checked."""

    nonce = ""

    def get_provider(self) -> OfficeProvider:
        return OfficeProvider(self.request)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{request.scheme}://{request.get_host()}{reverse('office_callback')}"

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself; it must be the issuer we were told (OpenID Connect Discovery, 4.3)."""
        config = super().openid_config
        if str(config.get("issuer", "")).rstrip("/") != settings.OIDC["issuer"].rstrip("/"):
            raise OAuth2Error("the provider says that it is another issuer")
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Return the log-in that the provider's token vouches for.

        Raises:
            OAuth2Error: token or user information is not what it should be.
        """
        claims = self._verified(kwargs["response"].get("id_token", ""))
        if settings.OIDC["claim"] not in claims and self.openid_config.get("userinfo_endpoint"):
            told = self._fetch_user_info(token.token)
            if told.get("sub") != claims["sub"]:  # OpenID Connect Core, 5.3.2
                raise OAuth2Error("user information of another subject")
            claims = told | claims
        login = SocialLogin(
            user=User(), account=SocialAccount(provider=PROVIDER, uid=claims["sub"], extra_data={}),
            provider=self.get_provider(),
        )  # fmt: skip
        login.claims = claims  # type: ignore[attr-defined]
        return login

    def _verified(self, token: str) -> dict[str, Any]:
        """Return the claims of an ID token that is signed by, made by and meant for whom it should be."""
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token, self._key(header.get("kid")), algorithms=ALGORITHMS, audience=settings.OIDC["client_id"],
                issuer=self.openid_config["issuer"], leeway=LEEWAY, options={"require": REQUIRED},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise OAuth2Error("the ID token is not valid") from error
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 191:
            raise OAuth2Error("the ID token names nobody")
        if not self.nonce or not hmac.compare_digest(str(claims.get("nonce", "")), self.nonce):
            raise OAuth2Error("the ID token answers another question (nonce)")
        if claims.get("azp", settings.OIDC["client_id"]) != settings.OIDC["client_id"]:
            raise OAuth2Error("the ID token was made for another client")
        return claims

    def _key(self, kid: str | None) -> Any:
        """Return the provider's key by its name; without a name the only one."""
        with OfficeAdapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            rows = answer.json()["keys"]
        found = [row for row in rows if row.get("use", "sig") == "sig" and (kid is None or row.get("kid") == kid)]
        if len(found) != 1:
            raise OAuth2Error("the provider has no such key")
        return jwt.PyJWK.from_json(json.dumps(found[0]))


class OfficeCallback(OAuth2CallbackView):
    """The way back: the state is looked up in the session, and tells the nonce."""

    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[Any, Any]:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce", "")  # type: ignore[attr-defined]
        return state, answer


class OfficeAdapter(DefaultSocialAccountAdapter):
    """Finds the account of whom the provider vouches for, and links it once."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> OfficeProvider:
        return OfficeProvider(request)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Link an account that exists to who came, the first time they come.

        Raises:
            ImmediateHttpResponse: there is no such account; the log-in page says so.
        """
        if sociallogin.is_existing:
            return
        user = account_for(sociallogin.claims)  # type: ignore[attr-defined]
        if user is None:
            refuse(request, _("There is no account for you yet. Ask your administrator to make one."))
            raise ImmediateHttpResponse(redirect("login"))
        if not _link(user, sociallogin.account.uid):
            words = _("The account “%(name)s” is linked to another person of your office. Ask your administrator.")
            refuse(request, words % {"name": user.username})
            raise ImmediateHttpResponse(redirect("login"))
        sociallogin.user = user

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        refuse(request, _("The log-in through your office did not work. Try again, or log in with your password."))
        raise ImmediateHttpResponse(redirect("login"))


def account_for(claims: dict[str, Any]) -> User | None:
    """Return the account that the provider's claim names; None if none, several, or an address it has not checked."""
    claim = settings.OIDC["claim"]
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        return None
    if claim == "email" and claims.get("email_verified") is False:
        return None
    column = "email__iexact" if claim == "email" else "username__iexact"
    found = list(User.objects.filter(**{column: value.strip()}, is_active=True)[:2])
    return found[0] if len(found) == 1 else None


def _link(user: User, subject: str) -> bool:
    """Link an account to a subject of the provider; False if somebody else of the provider has it already."""
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            if SocialAccount.objects.filter(user=user, provider=PROVIDER).exists():
                return False  # a name that was given to a second person opens no account of the first
            SocialAccount.objects.create(user=user, provider=PROVIDER, uid=subject)
            notices.note(user, "office_link", by=user)
    except IntegrityError:
        return False
    return True


def refuse(request: HttpRequest, text: str) -> None:
    """Say on the next page why nobody was logged in."""
    messages.error(request, text)


def start(request: HttpRequest, next_url: str) -> HttpResponse:
    """Send the browser to the provider, or back to the log-in page when the provider does not answer."""
    try:
        return OfficeProvider(request).redirect(request, "login", next_url or None)
    except ImmediateHttpResponse as error:
        return error.response
    except (OAuth2Error, RequestException, KeyError, ValueError):
        host = urlsplit(settings.OIDC["issuer"]).netloc
        refuse(request, _("%(host)s does not answer as it should. Log in with your password.") % {"host": host})
        return redirect("login")


def finish(request: HttpRequest) -> HttpResponse:
    """Take what the provider sent back, and log in whom it vouches for."""
    try:
        return OfficeCallback.adapter_view(OfficeFlow(request, PROVIDER))(request)
    except (KeyError, ValueError, AttributeError):  # the provider answered with what is no answer
        refuse(request, _("The log-in through your office did not work. Try again, or log in with your password."))
        return redirect("login")
