"""What every page needs: who reads it, in which type size, what they may use, and what is unread."""

from urllib.parse import urlsplit

from django.http import HttpRequest

from weilu.lib.middleware import page_above
from weilu.records.menu import ENTRIES, Entry
from weilu.records.models import Notification

UNREAD_SHOWN = 99


def here(request: HttpRequest) -> str:
    """Return the address at which the page can be opened again.

    A page that answered a form is opened where the form stood: at the same address with its query, or at the page of
    the record above it.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host() or not came_from.path.startswith("/"):
        return page_above(request.path) or request.path
    return f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path


def page(request: HttpRequest) -> dict:
    """Template context for the frame of a page; lazy, so that a page without a frame asks nothing."""
    user = getattr(request, "user", None)

    def unread() -> int:
        if not user or not user.is_authenticated:
            return 0
        rows = Notification.objects.filter(user=user, read_at=None).order_by()
        return rows.values("pk")[: UNREAD_SHOWN + 1].count()

    def menu() -> list[tuple[Entry, bool]]:
        if not user or not user.is_authenticated:
            return []
        route = request.resolver_match.url_name or "" if request.resolver_match else ""
        return [(entry, entry.holds(route)) for entry in ENTRIES if entry.is_for(user.permissions)]

    return {
        "large_type": request.COOKIES.get("large") == "1",
        "can": {permission.value: True for permission in user.permissions} if user and user.is_authenticated else {},
        "unread": unread,
        "menu": menu,
        "here": here(request),
    }
