"""Forms of matters. They explain the rules; the services and the database keep them."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.lib.phone import check_phone
from weilu.matters.models import Category, Matter, Module
from weilu.matters.queries import grids_for, organisations_for
from weilu.orgs.memory import remember, rows_by_id
from weilu.orgs.models import Jurisdiction, Organisation, Place, User, valid_on

MAX_DETAIL = 4000


def active_modules(jurisdiction: Jurisdiction):
    """Return the modules that residents may choose from today."""
    return Module.objects.filter(valid_on(timezone.localdate()), jurisdiction=jurisdiction)


def active_categories(jurisdiction: Jurisdiction):
    """Return the categories in use today."""
    return Category.objects.filter(valid_on(timezone.localdate()), jurisdiction=jurisdiction)


def remembered(rows: Callable[[Jurisdiction], Any], jurisdiction: Jurisdiction) -> list[Any]:
    """Return the rows of a county's dictionary as they were within the last minute."""
    return remember((rows.__name__, jurisdiction.pk), lambda: list(rows(jurisdiction)))


class RememberedField(forms.Field):
    """A row of a small dictionary, chosen by its key among those in use."""

    widget = forms.Select
    rows: Sequence[Any] = ()
    default_error_messages = {"invalid": _("Choose one of the list.")}

    def offer(self, rows: Sequence[Any]) -> None:
        """Set the rows to choose from."""
        self.rows = rows
        self.widget.choices = [(str(row.pk), str(row)) for row in rows]  # type: ignore[attr-defined]

    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        for row in self.rows:
            if str(row.pk) == str(value):
                return row
        raise forms.ValidationError(self.error_messages["invalid"])


class IntakeForm(forms.Form):
    """A matter that a clerk or grid worker records for a resident: by telephone, at the counter, on a visit."""

    intake_key = forms.UUIDField(widget=forms.HiddenInput)
    module = RememberedField(label=_("kind of matter"))
    category = RememberedField(label=_("category"))
    channel = forms.ChoiceField(
        label=_("channel"), choices=[("hotline", _("Hotline or counter")), ("visit", _("Visit"))], initial="hotline"
    )
    subject = forms.CharField(label=_("in one line"), max_length=120)
    detail = forms.CharField(
        label=_("what happened"), required=False, max_length=MAX_DETAIL, widget=forms.Textarea(attrs={"rows": 4})
    )
    place = forms.ModelChoiceField(Place.objects.none(), label=_("place"), to_field_name="code")
    address = forms.CharField(label=_("where exactly"), required=False, max_length=120)
    name = forms.CharField(label=_("name"), required=False, max_length=40)
    phone = forms.CharField(label=_("telephone"), required=False, max_length=30)

    def __init__(self, *args: Any, jurisdiction: Jurisdiction, places: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["module"].offer(remembered(active_modules, jurisdiction))  # type: ignore[attr-defined]
        self.fields["category"].offer(remembered(active_categories, jurisdiction))  # type: ignore[attr-defined]
        self.fields["place"].queryset = places  # type: ignore[attr-defined]

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"])


class TargetField(forms.Field):
    """One of those to whom a matter may be handed, as ``organisation:<id>`` or ``grid:<id>``."""

    default_error_messages = {"required": _("Choose who is to handle it.")}

    def to_python(self, value: Any) -> Organisation | Place | None:
        if not value:
            return None
        kind, _sep, pk = str(value).partition(":")
        try:
            model: type[Organisation | Place] = {"organisation": Organisation, "grid": Place}[kind]  # type: ignore[assignment]
            return rows_by_id(model, [UUID(pk)])[UUID(pk)]
        except (KeyError, ValueError) as error:
            raise forms.ValidationError(_("Choose who is to handle it.")) from error


class DispatchForm(forms.Form):
    """Hand over one matter."""

    to = TargetField(label=_("to"))
    category = forms.ModelChoiceField(Category.objects.none(), label=_("category"), required=False)
    note = forms.CharField(label=_("note"), required=False, max_length=500)

    def __init__(self, *args: Any, matter: Matter, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = active_categories(matter.jurisdiction)  # type: ignore[attr-defined]


def target_groups(user: User, matter: Matter) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Return the choices of a dispatch form, in groups: offices, branches (as an order), grids."""
    groups: dict[str, list[tuple[str, str]]] = {"offices": [], "branches": [], "grids": []}
    for body in organisations_for(user, matter):
        is_branch = body.kind in (Organisation.Kind.BRANCH, Organisation.Kind.VOLUNTEERS)
        groups["branches" if is_branch else "offices"].append((f"organisation:{body.pk}", body.name))
    groups["grids"] = [(f"grid:{grid.pk}", f"{grid.parent} {grid}") for grid in grids_for(user, matter)]
    labels = {
        "offices": _("Offices and committees"),
        "branches": _("As an order to the members of"),
        "grids": _("Grids"),
    }
    return [(labels[key], rows) for key, rows in groups.items() if rows]


class NoteForm(forms.Form):
    """A reason, a question, a report: one text that must be there."""

    note = forms.CharField(label=_("text"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class SettleForm(forms.Form):
    """What was done, for the resident and for all."""

    outcome = forms.CharField(label=_("what was done"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    publish = forms.BooleanField(label=_("show the result to everybody, without anything personal"), required=False)
    public_outcome = forms.CharField(
        label=_("public result"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class TransferForm(forms.Form):
    """Another place of the county, and why."""

    place = forms.ModelChoiceField(Place.objects.none(), label=_("place"), to_field_name="code")
    note = forms.CharField(label=_("reason"), max_length=500)

    def __init__(self, *args: Any, places: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]


class CategoryForm(forms.ModelForm):
    """A category and its days."""

    class Meta:
        model = Category
        fields = ["name", "name_en", "days", "position"]


class ModuleForm(forms.ModelForm):
    """A module as residents see it."""

    class Meta:
        model = Module
        fields = ["name", "name_en", "hint", "hint_en", "position"]


class JurisdictionForm(forms.ModelForm):
    """What a county sets for itself."""

    class Meta:
        model = Jurisdiction
        fields = ["title", "hotline", "rate_days", "reopen_days", "work_starts", "work_ends"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("work_starts") and data.get("work_ends") and data["work_ends"] <= data["work_starts"]:
            self.add_error("work_ends", _("The working day ends before it starts."))
        return data
