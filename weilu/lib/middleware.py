"""What holds for every request: its language, and text that a database can keep."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import gettext as _

CHOICES = {code for code, _name in settings.LANGUAGES}


class LanguageMiddleware:
    """Activate the language of a page: a cookie if the reader chose one, else Chinese, whatever the browser says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in CHOICES else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


def page_above(path: str) -> str:
    """Return the nearest address above ``path`` that is one of ours, such as the page of a record; empty if none is."""
    parts = path.strip("/").split("/")
    for size in range(len(parts) - 1, 0, -1):
        above = f"/{'/'.join(parts[:size])}/"
        try:
            resolve(above)
        except Resolver404:
            continue
        return above
    return ""


class FormAddressMiddleware:
    """Lead from an address that takes forms only to the page above it, where the form stands.

    A page that answered a form has such an address: reloaded or kept as a bookmark it would show nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.method in ("GET", "HEAD") and not request.path.startswith("/api/"):
            above = page_above(request.path)
            return redirect(above) if above else response
        return response


class TextMiddleware:
    """Refuse a request with a NUL character in its address or form: PostgreSQL cannot keep one, no person types one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict) -> HttpResponse | None:
        """Look at path, query and form; the API answers in its own way.

        Raises:
            BadRequest: there is a NUL.
        """
        texts = [request.path]
        for given in (request.GET, request.POST):
            for key, values in given.lists():
                texts += [key, *values]
        if any("\x00" in text for text in texts):
            if request.path.startswith("/api/"):
                return JsonResponse(
                    {"detail": _("There is a character (NUL) that no text has.")},
                    status=400,
                    json_dumps_params={"ensure_ascii": False},
                )
            raise BadRequest("NUL in the request")
        return None
