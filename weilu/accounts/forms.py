"""Forms of log-in, second factor, invitations and handing over."""

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, LoginWebAuthnForm
from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.accounts import second_factor
from weilu.lib.sought import OFFERED, SoughtField
from weilu.orgs.models import Jurisdiction, User
from weilu.orgs.rate_limit import forget_try, tried
from weilu.orgs.roles import Role
from weilu.people.models import Person

# What a browser sends as a passkey's answer is data; whatever is wrong with it, the form says that it did not work.
BROKEN = (ValueError, TypeError, KeyError, AttributeError, IndexError)


class OwnPasswordForm(SetPasswordForm):
    """A password of one's own, twice; not the one that somebody else typed."""

    def clean_new_password1(self) -> str:
        password = self.cleaned_data.get("new_password1", "")
        if self.user.check_password(password):
            raise forms.ValidationError(_("Choose another password than the one you were given."))
        return password


class UsedOnce:
    """Codes are checked by :func:`second_factor.use_code`: each once, and not too many."""

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]  # type: ignore[attr-defined]
        try:
            self.authenticator = second_factor.use_code(self.user, code)  # type: ignore[attr-defined]
        except second_factor.FactorError as error:
            raise forms.ValidationError(str(error)) from error
        self.authenticator.user = self.user  # type: ignore[attr-defined]
        return code


class CodeForm(UsedOnce, AuthenticateForm):
    """The code after the password."""

    code = forms.CharField(max_length=20)


class ConfirmCodeForm(UsedOnce, ReauthenticateForm):
    """A code again, before the second factor is changed or because a role needs one."""

    code = forms.CharField(label=_lazy("code"), max_length=20)


class ConfirmPasswordForm(forms.Form):
    """The password again, before the second factor is changed."""

    password = forms.CharField(
        label=_lazy("password"), max_length=500, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        key = f"password:{self.user.pk}"
        if tried(key, second_factor.TRIES):
            raise forms.ValidationError(_("There were too many wrong passwords. Try again in ten minutes."))
        if not self.user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("This is not your password."))
        forget_try(key, second_factor.TRIES)
        return self.cleaned_data["password"]


class AppForm(ActivateTOTPForm):
    """The first code of an authenticator app; it is used up too."""

    code = forms.CharField(label=_lazy("code that the app shows"), max_length=20)
    step = -1

    def clean_code(self) -> str:
        key = f"app:{self.user.pk}"
        if tried(key, second_factor.TRIES):
            raise forms.ValidationError(_("There were too many wrong codes. Try again in ten minutes."))
        found = second_factor.matching_step(self.secret, self.cleaned_data["code"])
        if found is None:
            raise forms.ValidationError(_("This is not the code that the app shows now. Check the telephone's clock."))
        forget_try(key, second_factor.TRIES)
        self.step = found
        return self.cleaned_data["code"]


class PasskeyForm(AddWebAuthnForm):
    """A new passkey, which can also log in without a password."""

    name = forms.CharField(label=_lazy("name of the device"), max_length=40, required=False)

    def clean(self) -> dict[str, Any]:
        try:
            data = super().clean()
        except BROKEN as error:
            raise forms.ValidationError(_("The device gave no passkey. Try again.")) from error
        return data


class _Unbroken(AuthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except BROKEN as error:
            raise forms.ValidationError(_("The passkey was not accepted. Try again.")) from error


class PasskeyCodeForm(_Unbroken):
    """A passkey after the password."""


class PasskeyLoginForm(_Unbroken, LoginWebAuthnForm):
    """A passkey instead of a password."""


class RolesForm(forms.Form):
    """Which roles of a county need a second factor."""

    roles = forms.MultipleChoiceField(
        label=_lazy("roles that need a second factor"), choices=Role.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args: Any, county: Jurisdiction, **kwargs: Any):
        super().__init__(*args, initial={"roles": county.second_factor_roles}, **kwargs)


class HandOverForm(forms.Form):
    """To whom the grants of an account go, and from which day."""

    successor = SoughtField(
        label=_lazy("successor"), help_text=_lazy("The account, or a part of the name; of several you choose one.")
    )
    day = forms.DateField(
        label=_lazy("first day of the successor"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, candidates: QuerySet[User], **kwargs: Any):
        super().__init__(*args, **kwargs)
        field: Any = self.fields["successor"]
        field.search, field.label_of = self._accounts, lambda user: f"{user.name} · {user.username}"
        self.candidates = candidates
        self.fields["day"].initial = timezone.localdate

    def _accounts(self, text: str) -> tuple[list[User], bool]:
        if exact := list(self.candidates.filter(username__iexact=text)[:1]):
            return exact, True
        named = self.candidates.filter(Q(name__icontains=text) | Q(username__icontains=text))
        return list(named[: OFFERED + 1]), False


class PersonForm(forms.Form):
    """The person behind an account."""

    person = forms.ModelChoiceField(Person.objects.none())

    def __init__(self, *args: Any, candidates: QuerySet[Person], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = candidates  # type: ignore[attr-defined]
