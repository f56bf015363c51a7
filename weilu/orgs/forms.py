"""Forms for accounts and grants."""

import re
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.password_validation import validate_password
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.lib.sought import OFFERED, SoughtField
from weilu.orgs.models import Grant, Jurisdiction, Level, Organisation, Place, User
from weilu.orgs.roles import ORGANISATION_ROLES, Permission
from weilu.orgs.scope import organisations_in_scope, places_in_scope

PROPOSED = 1_000
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ACCOUNT_NAME = re.compile(r"\w[\w.-]*")


def is_key(text: str) -> bool:
    """Tell whether a text is the key of a row."""
    return KEY.fullmatch(text) is not None


class LogInForm(AuthenticationForm):
    """Account and password; a name longer than any account's is refused before it is looked up."""

    username = UsernameField(max_length=40)


class FirstPasswordForm(forms.Form):
    """A new first password, for somebody who has forgotten theirs."""

    password = forms.CharField(label=_("first password"), widget=forms.PasswordInput, strip=False)

    def __init__(self, *args: Any, subject: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.subject = subject

    def clean_password(self) -> str:
        validate_password(self.cleaned_data["password"], self.subject)
        return self.cleaned_data["password"]


class AccountForm(forms.ModelForm):
    """A new account, with its first password, or with a link by which its owner sets one."""

    invite = forms.BooleanField(label=_("invite by a one-time link instead of a first password"), required=False)
    password = forms.CharField(label=_("first password"), widget=forms.PasswordInput, strip=False, required=False)

    class Meta:
        model = User
        fields = ["username", "name", "email"]

    def clean_username(self) -> str:
        username = self.cleaned_data["username"].strip()
        if not ACCOUNT_NAME.fullmatch(username) or username == "new":
            raise forms.ValidationError(_("Use letters, digits, and . _ - only."))
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("There is already an account of this name. Choose another."))
        return username

    def clean_password(self) -> str:
        if self.cleaned_data.get("invite"):
            return ""
        validate_password(self.cleaned_data["password"], User(username=self.data.get("username", "")))
        return self.cleaned_data["password"]

    def make(self) -> User:
        """Save the account, which may do nothing yet.

        Raises:
            IntegrityError: somebody was faster with this name.
        """
        user: User = self.save(commit=False)
        if self.cleaned_data["invite"]:
            user.set_unusable_password()
        else:
            user.set_password(self.cleaned_data["password"])
            user.password_to_change = True
        user.save()
        return user

    def refuse_name(self) -> None:
        """Say that there is an account of this name."""
        self.add_error("username", _("There is already an account of this name. Choose another."))


class GrantForm(forms.ModelForm):
    """A role for an account, at a place or in an organisation of the administrator's own scope."""

    place_code = forms.CharField(
        label=_("code of the place"),
        max_length=24,
        required=False,
        help_text=_("Type the name or the code; with an organisation, nothing: it is the organisation's place."),
        widget=forms.TextInput(attrs={"list": "places-of-mine", "autocomplete": "off"}),
    )

    organisation = SoughtField(
        label=_("organisation"), required=False,
        help_text=_("A part of its name, for a role that works for a body; of several you choose one."),
    )  # fmt: skip

    class Meta:
        model = Grant
        fields = ["role", "place_code", "organisation", "valid_from", "valid_to"]
        widgets = {
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "valid_to": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, manager: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.manager = manager
        field: Any = self.fields["organisation"]
        field.search, field.label_of = self._bodies, self._body_and_place
        self.fields["valid_from"].initial = timezone.localdate

    def _bodies(self, text: str) -> tuple[list[Organisation], bool]:
        mine = Organisation.objects.filter(organisations_in_scope(self.manager, Permission.MANAGE), valid_to=None)
        mine = mine.select_related("place__parent").order_by("name", "place__path")
        if exact := list(mine.filter(Q(pk=text) if is_key(text) else Q(name=text))[:OFFERED]):
            return exact, True
        return list(mine.filter(Q(name__icontains=text) | Q(aliases__contains=[text]))[: OFFERED + 1]), False

    @staticmethod
    def _body_and_place(body: Organisation) -> str:
        above = body.place.parent.short_name if body.place.parent and body.place.level > Level.COUNTY else ""
        return f"{body.name} · {above} {body.place.short_name}"

    def places(self) -> QuerySet[Place]:
        """The places that the field proposes."""
        mine = places_in_scope(self.manager, Permission.MANAGE)
        return Place.objects.filter(mine, valid_to=None, level__lte=Level.VILLAGE).order_by("path")[:PROPOSED]

    def clean_place_code(self) -> str:
        code = self.cleaned_data["place_code"].strip()
        self.place = None
        if code:
            mine = places_in_scope(self.manager, Permission.MANAGE)
            named = list(
                Place.objects.filter(mine, Q(code=code) | Q(name=code) | Q(short_name=code), valid_to=None)[:2]
            )
            if len(named) > 1:
                raise forms.ValidationError(_("Several places have this name; type the code."))
            self.place = named[0] if named else None
            if self.place is None:
                raise forms.ValidationError(_("There is no place with this code in your scope."))
        return code

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "organisation" in self.errors:
            return data
        if data.get("role") in ORGANISATION_ROLES and not data.get("organisation"):
            self.add_error("organisation", _("This role works for an organisation: choose it."))
        starts, ends = data.get("valid_from"), data.get("valid_to")
        if starts and ends and ends <= starts:
            self.add_error("valid_to", _("The grant must end after the day on which it starts."))
        organisation = data.get("organisation")
        if organisation and (not data.get("place_code") or data.get("role") in ORGANISATION_ROLES):
            self.place = organisation.place
        elif getattr(self, "place", None) is None and "place_code" not in self.errors:
            self.add_error("place_code", _("Choose a place or an organisation."))
        return data

    def save(self, commit: bool = True) -> Grant:
        self.instance.place = self.place
        place: Place = self.place  # type: ignore[assignment]  # cleaned, so there
        county = Jurisdiction.of(place)
        holder = next(
            grant for grant in self.manager.grants_for(Permission.MANAGE) if place.path.startswith(grant.place.path)
        )
        self.instance.jurisdiction_id = county.pk if county else holder.jurisdiction_id
        return super().save(commit)
