"""Forms of bodies, posts and appointments; the verbs and the database keep the rules."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.orgs.bodies import LEVELS
from weilu.orgs.models import Level, Organisation, Place
from weilu.orgs.roles import Role
from weilu.people.memberships import kinds_for
from weilu.people.models import Appointment, Membership

Kind = Organisation.Kind
BODY_COLUMNS = ("kind", "name", "parent", "serves", "speciality", "phone", "credit_code")


def day(label: Any, **given: Any) -> forms.DateField:
    """A field for a day."""
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **given)


class Given(forms.Form):
    """A form whose fields are what a verb is given."""

    @property
    def given(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class _Body(Given):
    kind = forms.ChoiceField(label=_("kind"), choices=[("", "–"), *Kind.choices])
    name = forms.CharField(label=pgettext_lazy("of a place or body", "name"), max_length=80)
    parent = forms.ModelChoiceField(Organisation.objects.none(), label=_("body above"), required=False)
    serves = forms.CharField(label=_("estate or address"), max_length=80, required=False)
    speciality = forms.CharField(
        label=_("speciality"),
        max_length=30,
        required=False,
        help_text=_("Of volunteer teams: law, schooling, medicine …"),
    )
    phone = forms.CharField(label=_("office telephone"), max_length=30, required=False)
    credit_code = forms.CharField(label=_("unified social credit code"), max_length=18, required=False)

    def __init__(self, *args: Any, place: Place, body: Organisation | None = None, **given: Any):
        super().__init__(*args, **given)
        kinds = [(kind.value, kind.label) for kind in Kind if place.level in LEVELS.get(kind, Level)]
        self.fields["kind"].choices = [("", "–"), *kinds]  # type: ignore[attr-defined]
        near = Q(place__code__in=place.ancestor_codes)
        if place.level >= Level.VILLAGE:  # further up that would be a list of thousands
            near |= Q(place__path__startswith=place.path)
        if body is not None and body.parent_id:
            near |= Q(pk=body.parent_id)
        rows = Organisation.objects.filter(near, valid_to=None).exclude(kind=Kind.MEMBER_HOUSEHOLD)
        if body is not None:
            rows = rows.filter(jurisdiction=body.jurisdiction_id).exclude(pk=body.pk)
        self.fields["parent"].queryset = rows.order_by("-place__level", "kind", "name")  # type: ignore[attr-defined]


class BodyNewForm(_Body):
    """A body that stands at a place."""

    since = day(_("began on"))
    document = forms.CharField(label=_("document number"), max_length=60, required=False)

    def __init__(self, *args: Any, **given: Any):
        super().__init__(*args, **given)
        self.fields["since"].initial = timezone.localdate


class BodyForm(_Body):
    """A body's name and what else is known of it, with the day from which the change holds."""

    valid_from = day(_("began on"))
    on = day(_("the change holds from"))
    document = forms.CharField(label=_("document number"), max_length=60, required=False)

    def __init__(self, *args: Any, body: Organisation, **given: Any):
        initial = {name: getattr(body, name) for name in (*BODY_COLUMNS, "valid_from")}
        super().__init__(*args, body=body, initial=initial | {"on": timezone.localdate()}, **given)


class DayForm(Given):
    """A day on which something ends, and the document that says so."""

    on = day(_("on"), initial=timezone.localdate)
    document = forms.CharField(label=_("document number"), max_length=60, required=False)


class LeaveForm(Given):
    """The day on which somebody leaves a body."""

    on = day(_("on"), initial=timezone.localdate)


class JoinForm(Given):
    """As what somebody belongs to a body, and from when."""

    kind = forms.ChoiceField(label=_("as"))
    since = day(_("from"), initial=timezone.localdate)
    until = day(_("until (not included)"), required=False)
    place = forms.ModelChoiceField(
        Place.objects.none(), label=_("grid"), required=False, empty_label=_("all grids of the village"),
        help_text=_("Only of a grid worker."),
    )  # fmt: skip
    note = forms.CharField(label=_("note"), max_length=120, required=False)

    def __init__(self, *args: Any, body: Organisation | None, **given: Any):
        super().__init__(*args, **given)
        if body is None:
            return
        kinds = kinds_for(body)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]
        grids = Place.objects.filter(path__startswith=body.place.path, level=Level.GRID, valid_to=None)
        if body.place.level < Level.VILLAGE or Membership.Kind.GRID_WORKER not in kinds:
            del self.fields["place"]
        else:
            self.fields["place"].queryset = grids.order_by("code")  # type: ignore[attr-defined]


class PostForm(Given):
    """A post."""

    title = forms.CharField(label=_("title"), max_length=60)
    strength = forms.IntegerField(label=_("seats"), min_value=1, max_value=500, initial=1)
    position = forms.IntegerField(label=_("order"), min_value=0, max_value=999, initial=0)
    leads = forms.BooleanField(label=_("leads the body"), required=False)
    role = forms.ChoiceField(
        label=_("role of its holder"), required=False, choices=[("", _("none")), *Role.choices],
        help_text=_("Whoever holds the post may do this with their account, as long as they hold it."),
    )  # fmt: skip


class PostNewForm(PostForm):
    """A new post."""

    since = day(
        _("from"),
        required=False,
        help_text=_("Without a day, since the body began: who holds it today may have been appointed long ago."),
    )


class PostChangeForm(PostForm):
    """A post that is there."""

    valid_from = day(_("from"), required=False)

    @property
    def given(self) -> dict[str, Any]:
        """Without a first day, it stays."""
        return {name: value for name, value in self.cleaned_data.items() if name != "valid_from" or value}


class AppointForm(Given):
    """Who is appointed, and from when."""

    person = forms.ModelChoiceField(
        None, label=_("person"), error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose a person."))
    )  # fmt: skip
    since = day(_("from"))
    until = day(_("until (not included)"), required=False)
    document = forms.CharField(label=_("document number"), max_length=60, required=False)
    rank = forms.CharField(label=_("rank"), max_length=40, required=False)

    def __init__(self, *args: Any, people: Any, **given: Any):
        super().__init__(*args, **given)
        self.fields["person"].queryset = people  # type: ignore[attr-defined]


class HandOverUndoForm(forms.Form):
    """Whether who held the seat until the appointment began holds it again once that is taken back."""

    restore = forms.BooleanField(required=False, initial=True)

    def __init__(self, *args: Any, before: Appointment, **given: Any):
        super().__init__(*args, **given)
        self.fields["restore"].label = _("%(name)s, who held the post until %(day)s, holds it again") % {
            "name": before.person, "day": before.valid_to,
        }  # fmt: skip
