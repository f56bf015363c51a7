"""Forms of venues and bookings. They explain the rules; the services and the database keep them."""

import datetime as dt
import hashlib
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.lib.personal import personal_in
from weilu.lib.phone import check_phone
from weilu.orgs.models import Jurisdiction, Level, Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope, places_in_scope
from weilu.records.calendar import BEIJING
from weilu.venues.hours import Span
from weilu.venues.models import Venue, Weekday, Zone
from weilu.venues.queries import zones_of
from weilu.venues.services import Wish

SPANS_A_DAY = 2  # morning and afternoon


class TimeInput(forms.TimeInput):
    """The browser's own field for a time of day."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


def date_input() -> forms.DateInput:
    """The browser's own field for a date."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class VenueForm(forms.ModelForm):
    """A venue at a place that the clerk keeps."""

    place_code = forms.CharField(
        label=_("code of the place"),
        max_length=24,
        help_text=_("Of a township, village, grid or building; see Places."),
    )

    class Meta:
        model = Venue
        fields = [
            *("name", "kind", "zone", "place_code", "organisation", "address", "phone", "latitude", "longitude"),
            *("capacity", "bookable", "keeps_holidays"),
        ]

    def __init__(self, *args: Any, keeper: User, jurisdiction: Jurisdiction, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.keeper = keeper
        self.instance.jurisdiction = jurisdiction
        zones, bodies = zones_of(jurisdiction), organisations_in_scope(keeper, Permission.KEEP)
        if self.instance.zone_id:
            zones |= Zone.objects.filter(pk=self.instance.zone_id)  # one that is no longer in use may stay
        self.fields["zone"].queryset = zones  # type: ignore[attr-defined]
        kept = Organisation.objects.filter(bodies, valid_on(timezone.localdate()), jurisdiction=jurisdiction)
        kept = kept.exclude(kind=Organisation.Kind.MEMBER_HOUSEHOLD)
        self.fields["organisation"].queryset = kept.order_by("place__level", "name")[:500]  # type: ignore[attr-defined]
        if self.instance.place_id:
            self.fields["place_code"].initial = self.instance.place.code

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"])

    def clean_place_code(self) -> str:
        code = self.cleaned_data["place_code"].strip()
        mine = Place.objects.filter(places_in_scope(self.keeper, Permission.KEEP), level__gte=Level.COUNTY)
        inside = mine.filter(path__startswith=self.instance.jurisdiction.place.path, valid_to=None)
        place = inside.select_related("parent__parent__parent").filter(code=code).first()
        if place is None:
            raise forms.ValidationError(_("There is no place with this code in your scope."))
        self.instance.place = place
        return code

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if (data.get("latitude") is None) != (data.get("longitude") is None):
            self.add_error("latitude", _("Give both latitude and longitude, or neither."))
        return data


class HoursForm(forms.Form):
    """A week: morning and afternoon of each day; an empty row is a day off."""

    def __init__(self, *args: Any, venue: Venue, **kwargs: Any):
        super().__init__(*args, **kwargs)
        there: dict[int, list[Any]] = {}
        for row in venue.hours.all():
            there.setdefault(row.weekday, []).append(row)
        for weekday in Weekday.values:
            for number in range(SPANS_A_DAY):
                row = (there.get(weekday, [])[number : number + 1] or [None])[0]
                for edge, label in (("opens", _("opens")), ("closes", _("closes"))):
                    name = f"{edge}-{weekday}-{number}"
                    self.fields[name] = forms.TimeField(required=False, widget=TimeInput(), label=label)
                    self.fields[name].initial = getattr(row, edge) if row else None

    def days(self) -> list[tuple[str, list[tuple[Any, Any]]]]:
        """Return each day's name with its pairs of fields, for the page."""

        def pair(day: int, number: int) -> tuple[Any, Any]:
            return self[f"opens-{day}-{number}"], self[f"closes-{day}-{number}"]

        return [(str(day.label), [pair(day, number) for number in range(SPANS_A_DAY)]) for day in Weekday]

    def spans(self) -> list[tuple[int, Span]]:
        """Return the hours that were given."""
        found = []
        for weekday in Weekday.values:
            for number in range(SPANS_A_DAY):
                opens = self.cleaned_data[f"opens-{weekday}-{number}"]
                closes = self.cleaned_data[f"closes-{weekday}-{number}"]
                if opens and closes:
                    found.append((weekday, Span(opens, closes)))
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for day in Weekday:
            for number in range(SPANS_A_DAY):
                given = [bool(data.get(f"{edge}-{day}-{number}")) for edge in ("opens", "closes")]
                if any(given) and not all(given):
                    raise forms.ValidationError(
                        _("%(day)s: give both when it opens and when it closes.") % {"day": day.label}
                    )
        return data


class DayForm(forms.Form):
    """One date that is not as usual: closed when no hours are given."""

    day = forms.DateField(label=pgettext_lazy("of a calendar", "day"), widget=date_input())
    opens = forms.TimeField(label=_("opens"), required=False, widget=TimeInput())
    closes = forms.TimeField(label=_("closes"), required=False, widget=TimeInput())
    note = forms.CharField(label=_("reason"), max_length=60)

    @property
    def span(self) -> Span | None:
        """The hours of that day, or None for closed."""
        opens, closes = self.cleaned_data["opens"], self.cleaned_data["closes"]
        return Span(opens, closes) if opens and closes else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("opens")) != bool(data.get("closes")):
            raise forms.ValidationError(_("Give both when it opens and when it closes, or neither for a day off."))
        return data


class WishForm(forms.Form):
    """When and what for."""

    day = forms.DateField(label=pgettext_lazy("of a calendar", "day"), widget=date_input())
    starts = forms.TimeField(label=pgettext_lazy("of a time", "from"), widget=TimeInput())
    ends = forms.TimeField(label=pgettext_lazy("of a time", "to"), widget=TimeInput())
    purpose = forms.CharField(
        label=_("purpose"),
        max_length=80,
        min_length=2,
        help_text=_("Such as: a talk in the courtyard, a reading circle."),
    )
    people = forms.IntegerField(label=_("how many people"), required=False, min_value=1, max_value=9999)
    intake_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def clean_purpose(self) -> str:
        purpose = self.cleaned_data["purpose"]
        if personal_in(purpose):
            raise forms.ValidationError(_("Leave telephone and ID numbers out of the purpose; they have a field."))
        return purpose

    def wish(self, key: str) -> Wish:
        """Return what was filled in; ``key`` keeps the forms of different people apart."""
        given = self.cleaned_data
        return Wish(
            dt.datetime.combine(given["day"], given["starts"], BEIJING),
            dt.datetime.combine(given["day"], given["ends"], BEIJING),
            given["purpose"],
            hashlib.sha256(f"{key}{given['intake_key']}".encode()).hexdigest(),
            given["people"],
            given.get("name", ""),
            given.get("phone", ""),
        )


class ResidentWishForm(WishForm):
    """The same from somebody without an account, who must be reached."""

    name = forms.CharField(label=pgettext_lazy("of a person", "your name"), max_length=40)
    phone = forms.CharField(label=_("your telephone"), max_length=30, help_text=_("We call you on it with the answer."))

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"], required=True)


class ClerkWishForm(WishForm):
    """The same as a clerk writes it down for a resident on the telephone, or for the office itself."""

    name = forms.CharField(label=_("booked for (name)"), required=False, max_length=40)
    phone = forms.CharField(label=_("telephone"), required=False, max_length=30)

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"])


class ZoneForm(forms.ModelForm):
    """A functional zone."""

    class Meta:
        model = Zone
        fields = ["name", "name_en", "position", "valid_to"]
        widgets = {"valid_to": date_input()}
