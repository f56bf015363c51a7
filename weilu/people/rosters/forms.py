"""The form by which a roster is sent in."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from weilu.orgs.models import Level, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import NOTHING
from weilu.people.rosters.kinds import KINDS


def places_to_choose(user: User) -> Any:
    """The places whose rosters ``user`` keeps, and those one level below them."""
    condition = NOTHING
    for grant in user.grants_for(Permission.KEEP):
        if not grant.by_organisation:
            lowest = min(max(grant.place.level, Level.COUNTY) + 1, Level.VILLAGE)
            condition = condition | Q(path__startswith=grant.place.path, level__lte=lowest)
    return Place.objects.filter(condition, level__gte=Level.COUNTY, level__lte=Level.VILLAGE, valid_to=None).order_by(
        "level", "code"
    )


CHOICES = [(kind.code, kind.label) for kind in KINDS.values()]


class RosterForm(forms.Form):
    """A workbook, what it lists and of which place."""

    kind = forms.ChoiceField(label=_("What does it list?"), choices=CHOICES)
    place = forms.ModelChoiceField(
        Place.objects.none(),
        label=_("Whose roster is it?"),
        to_field_name="code",
        empty_label=None,
        help_text=_("Its bodies and grids are looked for in this place and below."),
    )
    file = forms.FileField(
        label=_("Excel file"),
        help_text=_("As you keep it, with its title rows: .xlsx or .xls. Nothing is entered yet."),
    )
    create_organisations = forms.BooleanField(
        label=_("Make bodies that are not entered yet"), required=False, initial=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places_to_choose(user)  # type: ignore[attr-defined]


class ExportForm(forms.Form):
    """Which roster of today to send out."""

    kind = forms.ChoiceField(choices=CHOICES)
    place = forms.ModelChoiceField(Place.objects.none(), to_field_name="code", empty_label=None)
    reason = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, user: User, **kwargs: Any):
        super().__init__(*args, auto_id="e-%s", **kwargs)
        self.fields["place"].queryset = places_to_choose(user)  # type: ignore[attr-defined]
