"""The second factor: set up, confirm, remove; django-allauth's steps in our pages."""

import json
from typing import Any

from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import BaseReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.accounts import forms, notices, second_factor
from weilu.accounts.views import sessions_of
from weilu.orgs.access import AccountRequest, public, requires
from weilu.orgs.managing import ELSEWHERE, managed, wholly_managed
from weilu.orgs.models import Jurisdiction, Level
from weilu.orgs.rate_limit import limited
from weilu.orgs.roles import Permission, Role

own = requires(Permission.SIGNED_IN, unsettled=True)
Type = Authenticator.Type


@own
@require_safe
def security(request: AccountRequest) -> HttpResponse:
    """One's second factors and sessions."""
    rows = list(Authenticator.objects.filter(user=request.user).order_by("created_at"))
    codes = next((row for row in rows if row.type == Type.RECOVERY_CODES), None)
    context = {
        "app": next((row for row in rows if row.type == Type.TOTP), None),
        "passkeys": [row for row in rows if row.type == Type.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "needed": request.user.needs_second_factor,
        "confirmed": second_factor.confirmed(request),
        "sessions": sessions_of(request),
    }
    return render(request, "accounts/security.html", context)


class Code(AuthenticateView):
    """After the password: a code, or a passkey."""

    template_name = "accounts/code.html"

    def get_form_class(self):
        return forms.CodeForm

    def get_webauthn_form_class(self):
        return forms.PasskeyCodeForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = Authenticator.objects.filter(user=self.stage.login.user)
        types = set(rows.values_list("type", flat=True))
        found = super().get_context_data(**kwargs)
        options = json.dumps(found["js_data"]["request_options"], cls=DjangoJSONEncoder)
        return found | {"with_passkey": Type.WEBAUTHN in types, "with_app": Type.TOTP in types, "options": options}


class PasskeyLogin(LoginWebAuthnView):
    """A passkey instead of account and password."""

    def get_form_class(self):
        return forms.PasskeyLoginForm


class App(ActivateTOTPView):
    """Set up an authenticator app: a QR code, then the first code as a proof."""

    template_name = "accounts/app.html"

    def get_form_class(self):
        return forms.AppForm

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            row = Authenticator.objects.get(user=self.request.user, type=Type.TOTP)
            second_factor.burn(row, form.step)
            _added(self.request, row)
        return answer


class AppRemove(DeactivateTOTPView):
    """Remove the authenticator app."""

    template_name = "accounts/remove.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"what": _("Authenticator app")}

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            notices.factor_removed(self.request.user, self.authenticator)
            return super().form_valid(form)


class Passkey(AddWebAuthnView):
    """Add a passkey."""

    template_name = "accounts/passkey.html"

    def get_form_class(self):
        return forms.PasskeyForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data()
        options = json.dumps(found["js_data"]["creation_options"], cls=DjangoJSONEncoder)
        # allauth leaves a form that was refused out of its context
        return found | {"options": options} | ({"form": kwargs["form"]} if "form" in kwargs else {})

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            _added(self.request, Authenticator.objects.filter(user=self.request.user, type=Type.WEBAUTHN).latest("pk"))
        return answer


class PasskeyRemove(RemoveWebAuthnView):
    """Remove a passkey."""

    template_name = "accounts/remove.html"

    def get_success_url(self) -> str:
        return reverse("mfa_index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"what": str(self.object)}

    def form_valid(self, form: Any) -> HttpResponse:
        if second_factor.must_keep(self.get_object()):
            messages.error(self.request, _("Your role needs a second factor: set up another one first."))
            return redirect("mfa_index")
        with transaction.atomic():
            notices.factor_removed(self.request.user, self.get_object())
            return super().form_valid(form)


class Codes(ViewRecoveryCodesView):
    """The recovery codes, shown once."""

    template_name = "accounts/codes.html"


class CodesNew(GenerateRecoveryCodesView):
    """New recovery codes in place of the old ones."""

    template_name = "accounts/codes_new.html"

    def get_form_class(self):
        return self.form_class

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            notices.codes_renewed(self.request.user)
            return super().form_valid(form)


class PasswordAgain(BaseReauthenticateView):
    """The password again, before something of the second factor changes."""

    form_class = forms.ConfirmPasswordForm
    template_name = "accounts/confirm.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.request.user}

    def form_valid(self, form: Any) -> HttpResponse:
        reauthentication.reauthenticate_by_password(self.request)
        return super().form_valid(form)


class CodeAgain(CodeAgainView):
    """A code again: before a change, or because a role needs the second factor in this session."""

    template_name = "accounts/confirm.html"

    def get_form_class(self):
        return forms.ConfirmCodeForm


def _added(request: AccountRequest, row: Authenticator) -> None:
    """The session in which a factor was set up has proved it; the owner is told."""
    record_authentication(request, request.user, "mfa", id=row.pk, type=row.type)
    notices.factor_added(request.user, row)


code = public(limited("follow")(Code.as_view()))
# Asking for the question already writes a session: that is limited too.
passkey_login = public(limited("follow", methods=("GET", "POST"))(PasskeyLogin.as_view()))
app = own(App.as_view())
app_remove = own(AppRemove.as_view())
passkey = own(Passkey.as_view())
passkey_remove = own(PasskeyRemove.as_view())
codes = own(Codes.as_view())
codes_new = own(CodesNew.as_view())
password_again = own(PasswordAgain.as_view())
code_again = own(CodeAgain.as_view())


# What administrators do.


@requires(Permission.MANAGE)
@require_POST
def factor_reset(request: AccountRequest, username: str) -> HttpResponse:
    """Reset the second factor of somebody who lost the telephone."""
    user = get_object_or_404(managed(request.user), username__iexact=username)
    if not wholly_managed(request.user, user):
        messages.error(request, ELSEWHERE)
    else:
        try:
            second_factor.reset_factor(user, by=request.user, reason=request.POST.get("reason", ""))
            messages.success(request, _("The second factor was reset, all sessions ended, and the owner told."))
        except second_factor.FactorError as error:
            messages.error(request, str(error))
    return redirect("account_edit", user.username)


@requires(Permission.MANAGE)
def factor_roles(request: AccountRequest) -> HttpResponse:
    """Which roles of the county need a second factor."""
    rows = Jurisdiction.objects.none()
    for grant in request.user.grants_for(Permission.MANAGE):
        if grant.place.level <= Level.COUNTY:
            rows |= Jurisdiction.objects.filter(place__path__startswith=grant.place.path)
    if wanted := request.GET.get("county"):
        rows = rows.filter(place__code=wanted)
    county = rows.select_related("place").order_by("prefix").first()
    if county is None:
        raise PermissionDenied
    form = forms.RolesForm(request.POST or None, county=county)
    if request.method == "POST":
        form = forms.RolesForm(request.POST, county=county)
        if form.is_valid():
            second_factor.require_for_roles(county, form.cleaned_data["roles"], by=request.user)
            messages.success(request, _("Saved."))
            return redirect(request.get_full_path())
    chosen = set(form["roles"].value() or [])
    roles = [(role.value, role.label, role.value in chosen) for role in Role]
    context = {"county": county, "roles": roles, "form": form}
    return render(request, "accounts/factor_roles.html", context, status=422 if form.errors else 200)
