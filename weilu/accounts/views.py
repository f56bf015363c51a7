"""Log-in, the first password, one's sessions, invitations."""

import re
from typing import Any

import segno
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from axes.utils import reset
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weilu.accounts import invitations, oidc
from weilu.accounts.forms import OwnPasswordForm
from weilu.accounts.models import Session
from weilu.orgs.access import AccountRequest, public, requires
from weilu.orgs.forms import LogInForm
from weilu.orgs.managing import ELSEWHERE, managed, wholly_managed
from weilu.orgs.rate_limit import limited
from weilu.orgs.roles import Permission

BROWSERS = [
    ("微信 WeChat", "MicroMessenger"), ("企业微信 WeCom", "wxwork"), ("Edge", r"Edg[AeiO/]"), ("Opera", "OPR/"),
    ("QQ", "QQBrowser"), ("UC", "UCBrowser"), ("360", "360|QihooBrowser"), ("Firefox", "Firefox/|FxiOS"),
    ("Chrome", "Chrome/|CriOS"), ("Safari", "Safari/"),
]  # fmt: skip
SYSTEMS = [
    ("HarmonyOS", "HarmonyOS|OpenHarmony"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("macOS", "Mac OS X"), ("Linux", "Linux|X11"),
]  # fmt: skip


class LogIn(LoginView):
    """Account and password, then the second factor of those who have one."""

    template_name = "accounts/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        record_authentication(self.request, user, "password", reauthenticated=True)
        return perform_login(self.request, Login(user=user, redirect_url=self.get_success_url()))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        from django.conf import settings

        office = settings.OIDC["name"] if oidc.is_configured() else ""
        return super().get_context_data(**kwargs) | {"office": office}


login = public(limited("follow")(LogIn.as_view()))


@public
@limited("follow", methods=("GET",))
@require_safe
def office_login(request: HttpRequest) -> HttpResponse:
    """To the office's own identity provider."""
    if not oidc.is_configured():
        raise Http404
    target = request.GET.get("next", "")
    safe = target.startswith("/") and url_has_allowed_host_and_scheme(target, {request.get_host()})
    return oidc.start(request, target if safe else "")


@public
@limited("follow", methods=("GET",))
@require_safe
@never_cache
def office_callback(request: HttpRequest) -> HttpResponse:
    """Back from it."""
    if not oidc.is_configured():
        raise Http404
    return oidc.finish(request)


@requires(Permission.SIGNED_IN, unsettled=True)
def password_first(request: AccountRequest) -> HttpResponse:
    """A password of one's own, after somebody else typed the first."""
    if not request.user.password_to_change:
        return redirect("account")
    form = OwnPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.password_to_change = False
        user.save(update_fields=["password", "password_to_change"])
        update_session_auth_hash(request, user)
        messages.success(request, _("The password is yours now."))
        return redirect("workbench")
    return render(request, "accounts/password_first.html", {"form": form}, status=422 if form.errors else 200)


# Sessions.


def device_words(agent: str) -> str:
    """Return browser and system of a User-Agent header, as people know them."""
    found = [next((name for name, sign in table if re.search(sign, agent)), "") for table in (BROWSERS, SYSTEMS)]
    return " · ".join(part for part in found if part) or _("Unknown device")


def sessions_of(request: AccountRequest) -> list[Session]:
    """Return the sessions of the reader's account that hold, this one first, each with its device in words."""
    rows = list(Session.objects.filter(user=request.user, expire_date__gt=timezone.now()).order_by("-used_at"))
    for row in rows:
        row.here = row.session_key == request.session.session_key  # type: ignore[attr-defined]
        row.words = device_words(row.device)  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: not row.here)  # type: ignore[attr-defined]


@requires(Permission.SIGNED_IN, unsettled=True)
@require_POST
def session_end(request: AccountRequest, pk: str) -> HttpResponse:
    """End one of one's sessions, elsewhere."""
    row = get_object_or_404(Session, pk__isnull=False, id=pk, user=request.user)
    if row.session_key != request.session.session_key:
        row.delete()
        messages.success(request, _("The session was ended."))
    return redirect("mfa_index")


@requires(Permission.SIGNED_IN, unsettled=True)
@require_POST
def sessions_end(request: AccountRequest) -> HttpResponse:
    """End all one's other sessions."""
    rows = Session.objects.filter(user=request.user).exclude(session_key=request.session.session_key)
    count = rows.delete()[0]
    messages.success(request, _("%(count)s other sessions were ended.") % {"count": count})
    return redirect("mfa_index")


# Invitations.


@requires(Permission.MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def account_invite(request: AccountRequest, username: str) -> HttpResponse:
    """Make an invitation, and show its link to whoever made it, in their session and for a short while."""
    user = get_object_or_404(managed(request.user), username__iexact=username)
    if not wholly_managed(request.user, user):
        messages.error(request, ELSEWHERE)
        return redirect("account_edit", user.username)
    if request.method == "POST":
        try:
            request.session["invited"] = str(invitations.invite(user, by=request.user).pk)
            return redirect("account_invite", user.username)
        except invitations.InvitationError as error:
            messages.error(request, str(error))
            return redirect("account_edit", user.username)
    row = invitations.just_made(user, request.session.get("invited"))
    if row is None:
        return render(request, "accounts/invite.html", {"subject": user})
    link = invitations.link_of(row)
    picture = segno.make(link, error="m", micro=False).svg_data_uri(scale=5, border=2)
    context = {"subject": user, "link": link, "picture": picture, "expires_at": row.expires_at}
    return render(request, "accounts/invited.html", context)


@public
@limited("follow", methods=("GET", "POST"))
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The invited person sets their password, once."""
    try:
        row = invitations.find(token)
        form = SetPasswordForm(row.user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            user = invitations.accept(token, password=form.cleaned_data["new_password1"])
            if request.user.is_authenticated:  # somebody else's session, who would be led to their own workbench
                logout(request)
            reset(username=user.username.lower())  # failed log-ins of before do not lock them out now
            messages.success(request, _("Your password is set. Log in with it."))
            return redirect("login")
    except invitations.InvitationError as error:
        return render(request, "accounts/invitation.html", {"problem": str(error), "form": None}, status=410)
    except ValidationError as error:
        form.add_error("new_password1", error)
    other = request.user if request.user.is_authenticated and request.user != row.user else None
    context = {"form": form, "problem": "", "subject": row.user, "other": other}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)
