"""Forms by which an administrator changes the map."""

import datetime as dt
import hashlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.orgs.changes import ChangeError, NewPlace, merge, move, rename, split
from weilu.orgs.models import Grant, Level, Network, Place, PlaceChange, User
from weilu.orgs.names import full_name, short_name
from weilu.orgs.outlines import LARGEST_FILE, BadOutline, outline_in, sound
from weilu.orgs.succession import asked_in_split

Kind = PlaceChange.Kind
MOST_PARTS = 6
TAKEN = _("%(other)s has this name already. Choose another name, or tick below that it is meant.")


def told_apart(rows: Iterable[Place], *beside: Place) -> Callable[[Place], str]:
    """Return what names a place among others: its name, and its code behind it where the name repeats."""
    names = Counter(str(row) for row in (*rows, *beside))
    return lambda row: f"{row} ({row.code})" if names[str(row)] > 1 else str(row)


class WarnsOfNamesakes(forms.Form):
    """A form that lets places of one name stand side by side only where that is said to be meant."""

    def warn_of_namesakes(self, column: str, name: str, parent: Place | None, level: int, but: Iterable[Place]) -> None:
        """Refuse a name that a place beside it has, unless the tick below is set."""
        full = full_name(name)
        same = Q(name=full) | Q(short_name=short_name(full, Level(level)))
        rows = Place.objects.filter(same, parent=parent, level=level, valid_to=None)
        if beside := rows.exclude(pk__in=[place.pk for place in but]).order_by("code").first():
            self.ask_if_meant(column, TAKEN % {"other": f"{beside} ({beside.code})"})

    def ask_if_meant(self, column: str, words: str) -> None:
        field = forms.BooleanField(label=_("Two of one name are meant"), required=False)
        self.fields["namesake"] = field
        meant = bool(field.widget.value_from_datadict(self.data, self.files, self.add_prefix("namesake")))
        self.cleaned_data["namesake"] = meant
        if not meant:
            self.add_error(column, words)


class ChangeForm(WarnsOfNamesakes):
    """What every change needs: a day and the document that orders it.

    ``seen`` holds the mark of the values that were shown before; the change is made only if they are the same.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, place: Place, choices: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.place, self.choices = place, choices
        self.build()
        self.fields["on"] = forms.DateField(
            label=_("holds from"),
            initial=timezone.localdate,
            help_text=_("The day from which it holds: today or earlier."),
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )
        self.fields["document"] = forms.CharField(label=_("document number"), max_length=60, required=False)
        self.fields["note"] = forms.CharField(label=_("note"), max_length=200, required=False)

    def build(self) -> None:
        """Add the fields of this kind of change."""

    def clean(self) -> dict[str, Any]:
        """Warn of places that would bear the name of one beside them."""
        super().clean()
        for column, name, parent in self.named():
            if name and not self.errors:
                self.warn_of_namesakes(column, name, parent, self.place.level, self.places())
        return self.cleaned_data

    def named(self) -> Iterator[tuple[str, str, Place | None]]:
        """Yield what the new places are called and below what they lie, each with the field that says so."""
        yield "name", self.cleaned_data.get("name", ""), self.place.parent

    def rehearse(self, by: User) -> bool:
        """Make the change and let nothing of it stay, so that what it would refuse is said at its field now."""
        try:
            with transaction.atomic():
                self.make(by)
                connection.check_constraints()
                transaction.set_rollback(True)
        except ChangeError as error:
            self.refuse(error)
            return False
        return True

    def refuse(self, error: ChangeError) -> None:
        """Say at its field why the change cannot be made."""
        self.add_error(error.column if error.column in self.fields else None, str(error))

    def places(self) -> list[Place]:
        """Return the places that would end."""
        return [self.place]

    def day(self) -> dt.date:
        return self.cleaned_data["on"]

    def mark(self) -> str:
        """Return a mark of what was entered."""
        values = sorted((key, str(value)) for key, value in self.cleaned_data.items() if key != "seen")
        return hashlib.sha256(repr(values).encode()).hexdigest()[:16]

    def given(self, by: User) -> dict[str, Any]:
        data = self.cleaned_data
        return {"on": data["on"], "by": by, "document": data["document"], "note": data["note"]}

    @abstractmethod
    def make(self, by: User) -> Place:
        """Make the change; return the place to show."""


def _code(place: Place) -> forms.CharField:
    return forms.CharField(label=_("code"), max_length=24, initial=place.code)


class RenameForm(ChangeForm):
    """Another name or code."""

    def build(self) -> None:
        self.fields["name"] = forms.CharField(label=_("full name"), max_length=80, initial=self.place.name)
        self.fields["code"] = _code(self.place)

    def make(self, by: User) -> Place:
        data = self.cleaned_data
        return rename(self.place, name=data["name"], code=data["code"], **self.given(by))


class MoveForm(ChangeForm):
    """Below another place."""

    def build(self) -> None:
        above = self.place.parent
        others = Q(parent=above.parent_id if above else None, level=self.place.level - 1)
        rows = Place.objects.filter(others, valid_to=None).exclude(pk=self.place.parent_id).order_by("code")
        if self.place.level == Level.TOWNSHIP:
            rows = rows.none()
        field = self.fields["to"] = forms.ModelChoiceField(rows, label=_("put below"))
        field.label_from_instance = told_apart(rows)  # type: ignore[method-assign, assignment]
        self.fields["code"] = _code(self.place)

    def named(self) -> Iterator[tuple[str, str, Place | None]]:
        if to := self.cleaned_data.get("to"):
            yield "to", self.place.name, to

    def make(self, by: User) -> Place:
        return move(self.place, to=self.cleaned_data["to"], code=self.cleaned_data["code"], **self.given(by))


class MergeForm(ChangeForm):
    """One place of several."""

    def build(self) -> None:
        rows = self.choices.filter(parent=self.place.parent_id, level=self.place.level).exclude(pk=self.place.pk)
        field = self.fields["others"] = forms.ModelMultipleChoiceField(
            rows.order_by("code"), label=_("together with"), widget=forms.CheckboxSelectMultiple
        )
        field.label_from_instance = told_apart(rows, self.place)  # type: ignore[method-assign, assignment]
        self.fields["name"] = forms.CharField(
            label=_("full name of the merged place"), max_length=80, initial=self.place.name
        )
        self.fields["code"] = _code(self.place)
        self.fields["code"].help_text = _("It may keep the code of one of them.")

    def places(self) -> list[Place]:
        return [self.place, *self.cleaned_data.get("others", ())]

    def clean(self) -> dict[str, Any]:
        """Warn of what lies below the places as well, and would stand together with its name."""
        super().clean()
        below = Counter(
            Place.objects.filter(parent__in=self.places(), valid_to=None).values_list("short_name", flat=True)
        )
        twice = sorted(name for name, count in below.items() if count > 1)
        if twice and not self.errors:
            words = _(
                "Below the merged place would stand several of one name: %(names)s. "
                "Rename them first, or tick below that it is meant."
            )
            self.ask_if_meant("others", words % {"names": "、".join(twice[:5])})  # fmt: skip
        return self.cleaned_data

    def make(self, by: User) -> Place:
        data = self.cleaned_data
        return merge(self.places(), into=NewPlace(data["code"], data["name"]), **self.given(by))


@dataclass(frozen=True)
class Group:
    """Fields that belong together under a legend; the template of a form takes it for one."""

    legend: str
    fields: list[forms.BoundField]
    non_field_errors: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[forms.BoundField]:
        return iter(self.fields)


class SplitForm(ChangeForm):
    """Several places of one: for each thing in it, where it goes on."""

    def __init__(self, *args: Any, parts: int = 2, **kwargs: Any):
        self.parts = max(2, min(MOST_PARTS, parts))
        super().__init__(*args, **kwargs)

    def build(self) -> None:
        for number in range(self.parts):
            words = {"number": number + 1}
            name, code = (self.place.name, self.place.code) if not number else ("", "")
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("full name of part %(number)s") % words, max_length=80, initial=name
            )
            self.fields[f"code_{number}"] = forms.CharField(
                label=_("code of part %(number)s") % words, max_length=24, initial=code
            )
        options = [(str(number), _("part %(number)s") % {"number": number + 1}) for number in range(self.parts)]
        self.asked: list[tuple[str, UUID | str]] = []
        asked = asked_in_split(self.place, self._day_given())
        title_of = told_apart([row for _key, row in asked if isinstance(row, Place)])
        for key, row in asked:
            name = f"belongs_{key}"
            title = f"{row.user} · {row}" if isinstance(row, Grant) else str(row)
            if isinstance(row, Place):
                title = title_of(row)
            self.fields[name] = forms.ChoiceField(choices=[("", "–"), *options], label=title, required=False)
            self.asked.append((name, key))
        if len(self.asked) > 1:
            self.fields["rest"] = forms.ChoiceField(
                choices=[("", "–"), *options], label=_("All that is not chosen goes on in"), required=False
            )

    def _day_given(self) -> dt.date:
        """Return the day that was typed: a grant that held then is asked for, even if it has ended since."""
        try:
            return dt.date.fromisoformat(str((self.data or self.initial).get("on", "")))
        except ValueError:
            return timezone.localdate()

    def named(self) -> Iterator[tuple[str, str, Place | None]]:
        for number in range(self.parts):
            yield f"name_{number}", self.cleaned_data.get(f"name_{number}", ""), self.place.parent

    def clean(self) -> dict[str, Any]:
        """Warn of parts that bear one name too."""
        super().clean()
        for name, _key in self.asked:
            if not self.cleaned_data.get(name) and name not in self.errors:
                self.cleaned_data[name] = self.cleaned_data.get("rest") or ""
                if not self.cleaned_data[name]:
                    self.add_error(name, _("Say in which part it goes on, or say it of all the rest."))
        seen: set[str] = set()
        for column, name, _parent in self.named():
            if name and full_name(name) in seen and not self.errors:
                self.ask_if_meant(column, TAKEN % {"other": name})
            seen.add(full_name(name))
        return self.cleaned_data

    def groups(self) -> list[Group]:
        """Return the fields as they stand together: each part, what goes on where, and the rest."""
        parts = [[f"name_{number}", f"code_{number}"] for number in range(self.parts)]
        asked = [name for name, _key in self.asked] + (["rest"] if "rest" in self.fields else [])
        known = {name for names in (*parts, asked) for name in names} | {"seen"}
        found = [Group(str(_("part %(number)s") % {"number": number}), [self[name] for name in names])
                 for number, names in enumerate(parts, start=1)]  # fmt: skip
        if asked:
            found.append(Group(str(_("What goes on where")), [self[name] for name in asked]))
        return [*found, Group(str(_("Day and document")), [self[name] for name in self.fields if name not in known])]

    def going(self) -> list[tuple[str, str, list[str]]]:
        """Return of each part its name, its code, and what goes on in it."""
        data = self.cleaned_data
        return [
            (data[f"name_{number}"], data[f"code_{number}"],
             [str(self.fields[name].label) for name, _key in self.asked if data[name] == str(number)])
            for number in range(self.parts)
        ]  # fmt: skip

    def make(self, by: User) -> Place:
        data = self.cleaned_data
        parts = [NewPlace(data[f"code_{number}"], data[f"name_{number}"]) for number in range(self.parts)]
        belongs = {key: int(data[name]) for name, key in self.asked}
        return split(self.place, parts=parts, belongs=belongs, **self.given(by))[0]


FORMS: dict[str, type[ChangeForm]] = {
    Kind.RENAME: RenameForm, Kind.MOVE: MoveForm, Kind.MERGE: MergeForm, Kind.SPLIT: SplitForm,
}  # fmt: skip


class OutlineForm(forms.Form):
    """The outline of a place, as GeoJSON: drawn on the map, pasted, or as a file."""

    geometry = forms.CharField(
        label=_("outline (GeoJSON)"), required=False, widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("A Polygon or MultiPolygon in longitude and latitude. The map above fills this in."),
    )  # fmt: skip
    file = forms.FileField(label=_("or a file"), required=False)
    remove = forms.BooleanField(
        label=_("remove the outline: the place then stands in no map and in no overlap"), required=False
    )
    networks = forms.MultipleChoiceField(
        label=_("networks on this grid"), choices=Network.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    households = forms.IntegerField(label=_("households"), required=False, min_value=0, max_value=9_999_999)

    def __init__(self, *args: Any, level: int, drawn: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.drawn = drawn
        if not drawn:
            del self.fields["remove"]
        if level != Level.GRID:
            del self.fields["networks"]
        if level < Level.GRID:
            del self.fields["households"]

    def clean(self) -> dict[str, Any]:
        """Read the outline, from the file if there is one; ``outline`` is None where none is given."""
        data = super().clean() or {}
        column = "file" if data.get("file") else "geometry"
        raw = data["file"].read(LARGEST_FILE + 1) if data.get("file") else data.get("geometry", "").encode()
        data["outline"] = None
        if data.get("remove"):
            return data
        try:
            data["outline"] = sound(outline_in(raw)) if raw.strip() else None
        except BadOutline as error:
            self.add_error(column, str(error))
            return data
        if data["outline"] is None and self.drawn:
            self.add_error("geometry", _("The outline is empty. Draw or paste one, or tick that it is to be removed."))
        elif data["outline"] is None and "households" not in self.fields:
            self.add_error("geometry", _("Nothing is drawn yet: tap the map, paste an outline, or choose a file."))
        return data


class NewPlaceForm(WarnsOfNamesakes, OutlineForm):
    """A new grid or building."""

    name = forms.CharField(label=_("full name"), max_length=80)
    code = forms.CharField(
        label=_("code"), max_length=24, help_text=_("The next free one is proposed; your own is as good.")
    )
    field_order = ("name", "code", "networks", "households", "geometry", "file")

    def __init__(self, *args: Any, parent: Place, level: int, **kwargs: Any):
        super().__init__(*args, level=level, **kwargs)
        self.parent, self.level = parent, level

    def clean(self) -> dict[str, Any]:
        """Warn of a place beside it that has this name."""
        data = super().clean()
        if data.get("name"):
            self.warn_of_namesakes("name", data["name"], self.parent, self.level, ())
        return data


class GridFileForm(forms.Form):
    """A file of grids and buildings."""

    file = forms.FileField(label=_("GeoJSON file"))
    dry_run = forms.BooleanField(label=_("only look, enter nothing"), required=False)
