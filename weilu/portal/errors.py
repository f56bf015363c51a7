"""Error pages: what is wrong, where, what to do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from weilu.lib.explained import NotFound
from weilu.orgs.access import public


@public
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return render(request, "errors/400.html", status=400)


@public
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, with a role that does not do this."""
    return render(request, "errors/403.html", status=403)


@public
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, for what is not there and for what lies outside one's scope alike."""
    told = isinstance(exception, NotFound)
    frame = "work.html" if told and request.user.is_authenticated else "resident.html"  # who works stays at work
    return render(request, "errors/404.html", {"words": str(exception) if told else "", "frame": frame}, status=404)


@public
def server_error(request: HttpRequest) -> HttpResponse:
    """500; without the frame, which may be what is broken."""
    return render(request, "errors/500.html", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long or comes from elsewhere."""
    return render(request, "errors/csrf.html", status=403)
