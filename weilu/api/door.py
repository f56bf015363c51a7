"""Who calls, by token or by session, and how the API refuses."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from weilu.api.services import owes, token_of
from weilu.lib.client import ip_address
from weilu.orgs import access
from weilu.orgs.rate_limit import WINDOW, read_too_often


def problem(status: int, detail: str) -> JsonResponse:
    """Return an error as JSON, in words."""
    return JsonResponse({"detail": detail}, status=status, json_dumps_params={"ensure_ascii": False})


class ApiDoor:
    """The door of the API: a bearer token, else the session; answers are JSON."""

    def enter(self, request: HttpRequest) -> HttpResponse | None:
        """Take the account of the token. A token that is wrong is refused, whatever the session says."""
        request.api_token = None  # type: ignore[attr-defined]
        given = request.headers.get("Authorization", "")
        if given:
            kind, _blank, secret = given.partition(" ")
            found = token_of(secret.strip()) if kind.lower() == "bearer" else None
            request.api_token = found  # type: ignore[attr-defined]
            request.user = found.user if found else AnonymousUser()
        if request.method != "GET" and request.user.is_authenticated:
            answer = problem(405, _("Figures are only read: use GET."))
            answer["Allow"] = "GET"
            return answer
        who = f"account:{request.user.pk}" if request.user.is_authenticated else f"address:{ip_address(request)}"
        return self._too_many() if read_too_often(who, "api") else None

    def owes(self, request: HttpRequest) -> bool:
        """Tell whether the account must see to something before it works, as on pages."""
        token = request.api_token  # type: ignore[attr-defined]
        return owes(token) if token else access.owes(request) is not None

    def refuse(self, request: HttpRequest, status: int) -> HttpResponse:
        """Say what is missing."""
        if status == 401:
            answer = problem(401, _("Log in, or send a valid token: “Authorization: Bearer …”."))
            answer["WWW-Authenticate"] = 'Bearer realm="weilu"'
            return answer
        return problem(403, _("The account may not read figures, or must first see to its password or second factor."))

    def _too_many(self) -> HttpResponse:
        answer = problem(429, _("Too many requests. Try again in ten minutes."))
        answer["Retry-After"] = str(int(WINDOW.total_seconds()))
        return answer
