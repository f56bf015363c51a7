"""Log-in, the reader's own settings, places, and accounts for administrators."""

from allauth.mfa.models import Authenticator
from axes.utils import reset
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LogoutView
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, public, requires
from weilu.orgs.forms import AccountForm, FirstPasswordForm, GrantForm
from weilu.orgs.managing import ELSEWHERE, managed, wholly_managed
from weilu.orgs.models import Grant, Place, valid_on
from weilu.orgs.place_views import history_of
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.orgs.succession import find_place
from weilu.orgs.tree import shown_bodies

logout = public(LogoutView.as_view())


def locked_out(request: HttpRequest, credentials: dict, *args, **kwargs) -> HttpResponse:
    """Say that too many wrong passwords were given, and for how long the account stays shut."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    return render(request, "orgs/locked.html", {"minutes": minutes}, status=429)


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    safe = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(target) if safe else redirect("home")


@public
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Read on in another language."""
    response = _back(request)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=31_536_000, samesite="Lax", httponly=True)
    return response


@public
@require_POST
def type_size(request: HttpRequest) -> HttpResponse:
    """Switch large type (关怀版) on or off."""
    response = _back(request)
    large = request.COOKIES.get("large") != "1"
    response.set_cookie("large", "1" if large else "0", max_age=31_536_000, samesite="Lax", httponly=True)
    return response


@requires(Permission.SIGNED_IN)
def account(request: AccountRequest) -> HttpResponse:
    """One's own account: what one may do, and a new password."""
    form = PasswordChangeForm(request.user, request.POST or None)
    del form.fields["old_password"].widget.attrs["autofocus"]  # it would scroll a phone past what comes before
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("The password was changed."))
        return redirect("account")
    status = 422 if form.errors else 200
    return render(request, "orgs/account.html", {"form": form, "grants": request.user.grants_now}, status=status)


@requires(Permission.VIEW)
@require_safe
def places(request: AccountRequest, code: str = "") -> HttpResponse:
    """A place of one's scope: what lies in it and which bodies stand there."""
    today = timezone.localdate()
    mine = Place.objects.filter(places_in_scope(request.user, Permission.VIEW), valid_on(today))
    if not code:
        tops = mine.filter(pk__in=[grant.place_id for grant in request.user.grants_for(Permission.VIEW)])
        first = list(tops.order_by("level", "code")[:2])
        if len(first) == 1:
            return redirect("place", first[0].code)
        return render(request, "orgs/places.html", {"place": None, "children": tops.order_by("level", "code")})
    place = mine.filter(code=code).select_related("parent__parent__parent").first()
    if place is None:
        then = find_place(request.user, Permission.VIEW, code)
        if then is None:
            raise Http404
        return redirect("place_then", then.pk)
    bodies = shown_bodies(request.user).filter(place=place)
    codes = place.ancestor_codes[:-1]
    context = {
        "place": place,
        "above": mine.filter(code__in=codes).order_by("level"),
        "children": mine.filter(parent=place).order_by("code"),
        "organisations": bodies.order_by("kind", "name"),
        **history_of(place, request.user),
    }
    return render(request, "orgs/places.html", context)


@requires(Permission.MANAGE)
@require_safe
def accounts(request: AccountRequest) -> HttpResponse:
    """Accounts with a grant in the administrator's scope."""
    rows = managed(request.user)
    if text := request.GET.get("q", "").strip():
        rows = rows.filter(username__icontains=text) | rows.filter(name__icontains=text)
    page = rows.order_by("username").prefetch_related(
        "grants__place", "grants__organisation", "grants__appointment__post"
    )[:200]
    return render(request, "orgs/accounts.html", {"rows": page, "q": text})


@requires(Permission.MANAGE)
def account_new(request: AccountRequest) -> HttpResponse:
    """A new account with its first grant: both or neither."""
    form = AccountForm(request.POST or None)
    grant = GrantForm(request.POST or None, manager=request.user)
    if request.method == "POST" and form.is_valid() & grant.is_valid():
        try:
            with transaction.atomic():
                user = grant.instance.user = form.make()
                grant.save()
            messages.success(request, _("The account %(name)s is ready.") % {"name": user.username})
            return redirect("account_invite", user.username) if form.cleaned_data["invite"] else redirect("accounts")
        except IntegrityError:
            form.refuse_name()
    status = 422 if form.errors or grant.errors else 200
    return render(request, "orgs/account_new.html", {"form": form, "grant": grant}, status=status)


@requires(Permission.MANAGE)
def account_edit(request: AccountRequest, username: str) -> HttpResponse:
    """Grants of one account: add one, or end one today."""
    user = get_object_or_404(managed(request.user), username__iexact=username)
    form = GrantForm(request.POST or None, manager=request.user)
    if request.method == "POST" and form.is_valid():
        form.instance.user = user
        form.save()
        messages.success(request, _("The grant was added."))
        return redirect("account_edit", user.username)
    scope = places_in_scope(request.user, Permission.MANAGE)
    grants = user.grants.filter(place__in=Place.objects.filter(scope)).select_related(
        "place", "organisation", "appointment__post"
    )
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    context = {
        "subject": user, "form": form, "grants": grants, "today": timezone.localdate(), "factors": factors,
    }  # fmt: skip
    return render(request, "orgs/account_edit.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE)
@require_POST
def account_switch(request: AccountRequest, username: str) -> HttpResponse:
    """Shut an account, or open it again. One's own cannot be shut."""
    user = get_object_or_404(managed(request.user), username__iexact=username)
    if user == request.user:
        messages.error(request, _("You cannot shut your own account."))
    elif not wholly_managed(request.user, user):
        messages.error(request, ELSEWHERE)
    else:
        user.is_active = not user.is_active
        user.save(update_fields=["is_active"])
        messages.success(request, _("Done."))
    return redirect("account_edit", user.username)


@requires(Permission.MANAGE)
@require_POST
def account_password(request: AccountRequest, username: str) -> HttpResponse:
    """Give somebody who has forgotten their password a new first one, and open the account if it was locked."""
    user = get_object_or_404(managed(request.user), username__iexact=username)
    form = FirstPasswordForm(request.POST, subject=user)
    if not wholly_managed(request.user, user):
        messages.error(request, ELSEWHERE)
    elif form.is_valid():
        user.set_password(form.cleaned_data["password"])
        user.password_to_change = user != request.user
        user.save(update_fields=["password", "password_to_change"])
        reset(username=user.username.lower())  # as failed log-ins are counted
        messages.success(request, _("The new password holds from now on."))
    else:
        messages.error(request, " ".join(str(text) for text in form.errors["password"]))
    return redirect("account_edit", user.username)


@requires(Permission.MANAGE)
@require_POST
def grant_end(request: AccountRequest, pk: str) -> HttpResponse:
    """End a grant today; it stays in the history."""
    scope = Place.objects.filter(places_in_scope(request.user, Permission.MANAGE))
    grant = get_object_or_404(Grant.objects.select_related("user"), pk=pk, place__in=scope)
    today = timezone.localdate()
    if grant.user == request.user:
        messages.error(request, _("You cannot end your own grants; another administrator does."))
    elif grant.valid_to is None or grant.valid_to > today:
        grant.valid_to = max(today, grant.valid_from)
        grant.save(update_fields=["valid_to"])
        messages.success(request, _("The grant has ended."))
    return redirect("account_edit", grant.user.username)
