"""Routes of the API, version 1, and of the page of one's tokens."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, include, path
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.renderers import JSONRenderer

from weilu.api import figures, views
from weilu.api.door import ApiDoor, problem
from weilu.indicators.choose import NotThere
from weilu.indicators.reading import UnknownBreakdown
from weilu.orgs.access import requires
from weilu.orgs.roles import Permission


class Readable(JSONRenderer):
    """JSON with Chinese as it is."""

    json_dumps_params = {"ensure_ascii": False}


# No page of documentation: its scripts come from elsewhere. docs/api.md describes it.
api = NinjaAPI(title="Weilu", version="1", docs_url=None, openapi_url=None, renderer=Readable())
api.add_router("", figures.router)


@api.exception_handler(figures.Missing)
def missing(request: HttpRequest, error: Exception) -> HttpResponse:
    """What is not there, or not for this reader."""
    return problem(404, str(error))


@api.exception_handler(NotThere)
@api.exception_handler(UnknownBreakdown)
def not_meant(request: HttpRequest, error: Exception) -> HttpResponse:
    """A period or a breakdown that there is not; the message names what there is."""
    return problem(422, str(error))


@api.exception_handler(ValidationError)
def not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A parameter that is not of its kind."""
    names = ", ".join(sorted({str(item["loc"][-1]) for item in error.errors}))
    return problem(422, _("Not understood: %(names)s") % {"names": names})


def declared() -> list[URLPattern]:
    """Return the routes of the API, each with who may use it.

    They only read. One that wrote would need the token of a form where a session opens it: nothing is exempt.
    """
    found = []
    for entry in api.urls[0]:
        if isinstance(entry, URLPattern) and entry.name != "api-root":
            view: Any = entry.callback
            requires(Permission.VIEW, door=ApiDoor())(view)
            view.csrf_exempt = False
            found.append(entry)
    return found


urlpatterns = [
    path("api/v1/", include(declared())),
    path("account/tokens/", views.tokens, name="api_tokens"),
    path("account/tokens/new/", views.token_new, name="api_token_new"),
    path("account/tokens/<uuid:pk>/revoke/", views.token_revoke, name="api_token_revoke"),
]
