"""Who may use a route: each view declares it, the middleware holds it, a test walks all of them."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from weilu.orgs.models import User
from weilu.orgs.roles import Permission

PUBLIC = "public"


class AccountRequest(HttpRequest):
    """A request whose route is not public: the middleware has seen to it that an account makes it."""

    user: User  # type: ignore[assignment]


View = TypeVar("View", bound=Callable[..., Any])


class Door(Protocol):
    """How a route for programs learns who calls, and how it refuses."""

    def enter(self, request: HttpRequest) -> HttpResponse | None:
        """Set the caller's account where the request names it by other means than a session; or refuse."""

    def owes(self, request: HttpRequest) -> bool:
        """Tell whether the account must see to something before it works."""

    def refuse(self, request: HttpRequest, status: int) -> HttpResponse:
        """Answer somebody who may not: 401 without an account, 403 with one."""


def public(view: View) -> View:
    """Open a route to everybody, residents and strangers alike."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def requires(permission: Permission, *, unsettled: bool = False, door: Door | None = None) -> Callable[[View], View]:
    """Open a route to accounts that hold ``permission`` somewhere; the view's query says where.

    Args:
        unsettled: also to those who must first set a password of their own, or a second factor.
        door: of a route for programs: who calls, and how it is refused.
    """

    def mark(view: View) -> View:
        view.access = permission  # type: ignore[attr-defined]
        view.unsettled = unsettled  # type: ignore[attr-defined]
        view.door = door  # type: ignore[attr-defined]
        return view

    return mark


class AccessMiddleware:
    """Hold the declaration of the view that was chosen; a view without one is a fault of ours and never answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, args: Any, kwargs: Any) -> HttpResponse | None:
        access = getattr(view, "access", None)
        if access == PUBLIC:
            return None
        if access is None:
            raise ImproperlyConfigured(f"{view!r} declares no permission: mark it @public or @requires(…)")
        if door := getattr(view, "door", None):
            return through(door, request, access)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if access is not Permission.SIGNED_IN and access not in request.user.permissions:
            raise PermissionDenied
        if note_use := getattr(request.session, "note_use", None):
            note_use(request)
        owed = None if getattr(view, "unsettled", False) else owes(request)
        return redirect(owed) if owed else None


def through(door: Door, request: HttpRequest, access: Any) -> HttpResponse | None:
    """Hold the declaration of a route for programs: the same rules, answered in its own form."""
    if refused := door.enter(request):
        return refused
    if not request.user.is_authenticated:
        return door.refuse(request, 401)
    if access not in request.user.permissions or door.owes(request):
        return door.refuse(request, 403)
    return None


def owes(request: HttpRequest) -> str | None:
    """Return the route that the account must see to before it works: its first password, or a second factor."""
    user: User = request.user  # type: ignore[assignment]
    if user.password_to_change:
        return "password_first"
    if user.needs_second_factor:
        records = get_authentication_records(request, user)
        if not any(record.get("method") == "mfa" for record in records):
            return "mfa_index"
    return None
