"""Forms of persons and honours; the verbs keep the rules."""

import unicodedata
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.lib.sought import LONGEST, SoughtField
from weilu.orgs.finding_places import places_called, whole_name
from weilu.orgs.models import Jurisdiction, Level, Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.people.models import Honour, Person

BODIES_OFFERED = 200
REMOVE = {"-", "—", "无", "none"}
EMPLOYERS = [
    *(Organisation.Kind.DEPARTMENT, Organisation.Kind.OFFICE, Organisation.Kind.CO_BUILDER),
    *(Organisation.Kind.ENTERPRISE, Organisation.Kind.PROPERTY_FIRM),
]


def day(label: Any, **given: Any) -> forms.DateField:
    """A field for a day."""
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **given)


class Suggesting(forms.TextInput):
    """A line to type in, with suggestions that the browser offers."""

    suggestions: list[str] = []

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        key = f"{name}-offered"
        line = super().render(name, value, {**(attrs or {}), "list": key}, renderer)
        options = format_html_join("", '<option value="{}">', ((text,) for text in self.suggestions))
        return format_html('{}<datalist id="{}">{}</datalist>', line, key, options)


class PersonForm(forms.Form):
    """A person: who they are, where they live and work. Numbers that are kept are not shown again."""

    name = forms.CharField(label=pgettext_lazy("of a person", "name"), max_length=40)
    id_number = forms.CharField(label=_("ID number"), max_length=30, required=False)
    sex = forms.ChoiceField(label=_("sex"), choices=[("", "–"), *Person.Sex.choices], required=False)
    birth_date = day(_("date of birth"), required=False)
    phone = forms.CharField(label=_("telephone"), max_length=30, required=False)
    home = SoughtField(
        label=_("home"),
        help_text=_(
            "A part of the name of the village, the grid or the building, or the code; "
            "names above may stand before it, as in 金穗社区第一网格."
        ),
    )
    work = forms.CharField(label=_("works at"), max_length=80, required=False, widget=Suggesting)
    ethnicity = forms.CharField(label=_("ethnicity"), max_length=20, required=False)
    education = forms.CharField(label=_("education"), max_length=30, required=False)
    joined_party_on = day(_("joined the Party"), required=False)

    def __init__(self, *args: Any, user: User, person: Person | None = None, **given: Any):
        self.user, self.person = user, person
        if person:
            given["initial"] = {
                name: getattr(person, name)
                for name in ("name", "sex", "birth_date", "ethnicity", "education", "joined_party_on")
            } | {"home": named(person.home), "work": person.work.name if person.work else ""}
        super().__init__(*args, **given)
        home: Any = self.fields["home"]
        home.search, home.label_of = self._homes, whole_name
        self.fields["work"].widget.suggestions = self._employers()  # type: ignore[attr-defined]
        self.fields["id_number"].help_text = _("18 signs; birth date and sex are read from it.")
        if person:
            self._say_what_is_kept(person)

    def _say_what_is_kept(self, person: Person) -> None:
        words = _now("Leave empty to keep %(number)s; a dash removes it.")
        for name, shown in (("id_number", person.masked_id_number), ("phone", person.masked_phone)):
            if shown:
                self.fields[name].help_text = words % {"number": shown}

    def _homes(self, text: str) -> tuple[list[Place], bool]:
        """The places of the user's scope that a text may mean; the home of today stays what it is."""
        if self.person and text == self.initial["home"]:
            return [self.person.home], True
        mine = places_in_scope(self.user, Permission.KEEP) & valid_on(timezone.localdate())
        return places_called(Place.objects.filter(mine, level__gte=Level.VILLAGE), text)

    def _jurisdictions(self) -> list[Any]:
        return [grant.jurisdiction_id for grant in self.user.grants_for(Permission.KEEP)]

    def _employers(self) -> list[str]:
        rows = Organisation.objects.filter(jurisdiction__in=self._jurisdictions(), kind__in=EMPLOYERS, valid_to=None)
        return list(rows.order_by("name").values_list("name", flat=True)[:BODIES_OFFERED])

    def clean_work(self) -> Organisation | None:
        text = unicodedata.normalize("NFKC", self.cleaned_data["work"]).strip()
        if not text:
            return None
        if self.person and self.person.work and self.person.work.name == text:
            return self.person.work
        return body_named(text, self._jurisdictions())

    def _number(self, name: str) -> str:
        text = self.cleaned_data[name].strip()
        kept = getattr(self.person, name) if self.person else ""
        return kept if not text else "" if text.lower() in REMOVE else text

    def clean_id_number(self) -> str:
        return self._number("id_number")

    def clean_phone(self) -> str:
        return self._number("phone")

    def given(self) -> dict[str, Any]:
        """Return what the verb is given; a known month of birth stays one unless the date was changed."""
        data = dict(self.cleaned_data)
        same = self.person is not None and self.person.birth_date == data["birth_date"]
        return data | {"birth_day_known": self.person.birth_day_known if self.person and same else True}


def named(place: Place) -> str:
    """Return what names a place in a field: its name with those above, or the code where that is too long."""
    name = whole_name(place)
    return name if len(name) <= LONGEST else place.code


def body_named(text: str, jurisdictions: list[Any]) -> Organisation:
    """Return the body that is called so, by its name or an alias.

    Raises:
        ValidationError: there is none, or more than one; the message names what comes near.
    """
    rows = Organisation.objects.filter(jurisdiction__in=jurisdictions, valid_to=None).select_related("place")
    found = list(rows.filter(name=text)[:2]) or list(rows.filter(aliases__contains=[text])[:2])
    if len(found) == 1:
        return found[0]
    if found:
        places = "、".join(str(body.place) for body in found)
        raise forms.ValidationError(
            _("Several bodies are called so (%(places)s …). Give one of them an alias, and use that."),
            params={"places": places},
        )
    near = rows.filter(name__icontains=text[:6]).order_by("name").values_list("name", flat=True)[:5]
    if near:
        raise forms.ValidationError(
            _("There is no body of this name. Near it: %(names)s."), params={"names": "、".join(near)}
        )
    raise forms.ValidationError(_("There is no body of this name. Enter the body first, or leave this empty."))


class HonourForm(forms.Form):
    """An honour of a person or a body."""

    title = forms.CharField(label=_("honour"), max_length=80)
    level = forms.TypedChoiceField(label=_("level"), choices=Honour.Level.choices, coerce=int, initial=4)
    body = forms.CharField(label=_("given by"), max_length=80)
    document = forms.CharField(label=_("document number"), max_length=60, required=False)
    undocumented = forms.BooleanField(label=_("It has no document number"), required=False)
    no_document = forms.CharField(
        label=_("why it has no document number"), max_length=200, required=False,
        help_text=_("Of old honours: such as, the certificate of 1987 bears none."),
    )  # fmt: skip
    awarded_on = day(_("given on"))

    def __init__(self, *args: Any, jurisdiction: Jurisdiction, **given: Any):
        super().__init__(*args, **given)
        self.fields["awarded_on"].initial = timezone.localdate
        self.fields["body"].widget = Suggesting()
        offered = Honour.objects.filter(jurisdiction=jurisdiction).order_by("body").values_list("body", flat=True)
        self.fields["body"].widget.suggestions = list(offered.distinct()[:50])  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """Return what the verb is given: a reason counts only where it was ticked that there is no number."""
        data = dict(self.cleaned_data)
        return data | {"no_document": data["no_document"] if data.pop("undocumented") else ""}


class NewHonourForm(HonourForm):
    """An honour, with who is honoured: for the list of honours, where no page of theirs says so."""

    holder = forms.CharField(
        label=_("person or body"),
        max_length=80,
        help_text=_("The name; of a person whose name others have too, the ID number."),
    )
    field_order = ("holder",)
