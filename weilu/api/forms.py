"""The form of a token."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

DAYS = [(days, ngettext_lazy("%d day", "%d days", days) % days) for days in (30, 90, 366)]


class TokenForm(forms.Form):
    """What a token is for, and for how long."""

    name = forms.CharField(label=_("what it is for"), max_length=60)
    days = forms.TypedChoiceField(label=_("lasts"), choices=DAYS, coerce=int, initial=90)
