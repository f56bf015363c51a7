"""The three steps of raising a matter, and what a resident can say later."""

from django import forms
from django.utils.translation import gettext_lazy as _

from weilu.lib.phone import check_phone
from weilu.matters.forms import MAX_DETAIL, active_modules
from weilu.matters.models import Module
from weilu.orgs.models import Jurisdiction
from weilu.records.models import SECRET_ALPHABET, SECRET_LENGTH


class WhatForm(forms.Form):
    """Step 1: what it is."""

    module = forms.ModelChoiceField(
        Module.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you come for.")},
    )
    subject = forms.CharField(
        max_length=120,
        min_length=2,
        error_messages={
            "required": _("Say in one line what it is."),
            "min_length": _("Say a little more: at least 2 characters."),
        },
    )
    detail = forms.CharField(required=False, max_length=MAX_DETAIL)

    def __init__(self, *args, jurisdiction: Jurisdiction, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["module"].queryset = active_modules(jurisdiction)  # type: ignore[attr-defined]


class ContactForm(forms.Form):
    """Step 3: how to reach the resident, all of it optional."""

    name = forms.CharField(required=False, max_length=40)
    phone = forms.CharField(required=False, max_length=30)
    email = forms.EmailField(
        required=False,
        max_length=254,
        error_messages={"invalid": _("This is not an e-mail address. Check it or leave it empty.")},
    )

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"])


class FollowForm(forms.Form):
    """Number and secret."""

    number = forms.CharField(
        max_length=24, error_messages={"required": _("Give the number of your matter or booking.")}
    )
    secret = forms.CharField(max_length=20, error_messages={"required": _("Give the secret you were given with it.")})

    def clean_number(self) -> str:
        return self.cleaned_data["number"].strip().upper().replace("—", "-").replace("－", "-")

    def clean_secret(self) -> str:
        secret = self.cleaned_data["secret"].strip().upper().replace(" ", "").replace("-", "")
        if len(secret) != SECRET_LENGTH or not set(secret) <= set(SECRET_ALPHABET):
            raise forms.ValidationError(
                _("The secret has %(n)s letters and digits, as it was shown when you sent it.") % {"n": SECRET_LENGTH}
            )
        return secret


class RatingForm(forms.Form):
    """The resident's judgement."""

    rating = forms.TypedChoiceField(
        choices=[(n, str(n)) for n in range(5, 0, -1)],
        coerce=int,
        error_messages={"required": _("Choose one to five stars.")},
    )
    comment = forms.CharField(required=False, max_length=500)
