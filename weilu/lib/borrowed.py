"""What Django shows by itself: strings that its own Chinese catalogue lacks, and its sign for nothing chosen."""

from django import forms
from django.db.models import fields
from django.utils.translation import ngettext_lazy

PASSWORD_TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)

NOTHING = "–"


def plain_dash() -> None:
    """Let lists say “–” where nothing is chosen, as ours do; Django writes nine hyphens, which are read aloud."""
    fields.BLANK_CHOICE_DASH[0] = ("", NOTHING)
    defaults = forms.ModelChoiceField.__init__.__kwdefaults__ or {}
    defaults["empty_label"] = NOTHING
