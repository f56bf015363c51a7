"""Venues, when they are open, and who has booked them."""

import datetime as dt

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.lib.crypto import EncryptedField, mask_name, mask_phone
from weilu.lib.ids import new_id
from weilu.orgs import scope
from weilu.orgs.models import Dated, Jurisdiction, NamedRow, Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.records.calendar import BEIJING
from weilu.records.models import Record, place_indexes
from weilu.venues.workflow import WORKFLOW, State


class Zone(NamedRow):
    """A functional zone: what a part of a service centre is for. Eight to begin with; a county edits them."""

    class Meta(NamedRow.Meta):
        constraints = [models.UniqueConstraint(fields=["jurisdiction", "code"], name="zone_once")]


class VenueQuerySet(models.QuerySet):
    """Venues."""

    def visible_to(self, user: User, permission: Permission = Permission.VIEW) -> "VenueQuerySet":
        """Only venues in places where ``user`` holds ``permission``."""
        return self.filter(place__in=Place.objects.filter(places_in_scope(user, permission)))

    def current(self) -> "VenueQuerySet":
        """Only venues that are there today."""
        return self.filter(valid_on(timezone.localdate()))


class Venue(Dated):
    """A room or house for residents: where, what for, and whether it can be booked."""

    class Kind(models.TextChoices):
        SERVICE_CENTRE = "service_centre", _("Service centre")
        MEDIATION_ROOM = "mediation_room", _("Mediation room")
        COUNCIL_HALL = "council_hall", _("Council hall")
        CHARITY_SHOP = "charity_shop", _("Charity shop")
        SCREENING_ROOM = "screening_room", _("Screening room")
        AFTER_SCHOOL = "after_school", _("After-school class")
        ACTIVITY_ROOM = "activity_room", _("Activity room")
        CANTEEN = "canteen", _("Canteen for the elderly")
        OTHER = "other", pgettext_lazy("kind of venue", "Other")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    name = models.CharField(pgettext_lazy("of a place or body", "name"), max_length=80)
    zone = models.ForeignKey(Zone, models.PROTECT, verbose_name=_("functional zone"), related_name="venues")
    place = models.ForeignKey(Place, models.PROTECT, verbose_name=_("place"), related_name="venues")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name=_("run by"), related_name="venues"
    )
    address = models.CharField(_("address"), max_length=120, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    capacity = models.PositiveSmallIntegerField(pgettext_lazy("of a room", "seats"), null=True, blank=True)
    bookable = models.BooleanField(_("can be booked"), default=True)
    # Offices close on public holidays and open on make-up days; a canteen may do neither.
    keeps_holidays = models.BooleanField(_("closed on public holidays, open on make-up days"), default=True)

    FOLLOWS_PLACE = ("place",)  # when the place ends, the venue goes on in what goes on from it
    objects = VenueQuerySet.as_manager()

    class Meta:
        ordering = ["place__path", "zone__position", "name"]
        indexes = [
            models.Index(fields=["place", "kind"], name="venue_of_place"),
            models.Index(fields=["jurisdiction", "kind"], name="venue_kinds"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["place", "name"], condition=Q(valid_to=None), name="venue_once_at_a_place"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="venue_ends_later"
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None) | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="venue_position_on_earth",
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self) -> str:
        """The page for everybody."""
        return reverse("venue", args=[self.pk])


class Weekday(models.IntegerChoices):
    """Days of the week, as :meth:`datetime.date.weekday` counts them."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Seconds(Func):
    """Seconds since midnight of a time column."""

    function = "DATE_PART"
    template = "(%(function)s('epoch', %(expressions)s))::int"
    output_field = models.IntegerField()


class IntegerRange(Func):
    """A range of two integers, the last not included."""

    function = "INT4RANGE"
    output_field = IntegerRangeField()


class OpeningHours(models.Model):
    """From when until when a venue is open on a day of the week; several spans on one day do not overlap."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, db_index=False, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="hours_close_later"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="hours_on_a_day_of_the_week"),
            ExclusionConstraint(
                name="hours_of_a_day_apart",
                expressions=[
                    ("venue", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    (IntegerRange(Seconds("opens"), Seconds("closes")), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class DayException(models.Model):
    """A day on which a venue is closed, or open at other hours than usual."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, db_index=False, related_name="exceptions")
    day = models.DateField(pgettext_lazy("of a calendar", "day"))
    opens = models.TimeField(_("opens"), null=True, blank=True)
    closes = models.TimeField(_("closes"), null=True, blank=True)
    note = models.CharField(_("reason"), max_length=60, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "day"], name="day_exception_once"),
            models.CheckConstraint(
                condition=Q(opens=None, closes=None) | Q(opens__isnull=False, closes__gt=F("opens")),
                name="day_exception_closed_or_has_hours",
            ),
        ]


class BookingQuerySet(models.QuerySet):
    """Bookings."""

    def visible_to(self, user: User) -> "BookingQuerySet":
        """Only bookings in the places whose work ``user`` sees, and their own."""
        return self.filter(scope.in_scope(user, Permission.VIEW) | Q(created_by=user))

    def kept_by(self, user: User) -> "BookingQuerySet":
        """Only bookings in the places whose venues ``user`` keeps."""
        return self.filter(scope.in_scope(user, Permission.KEEP))


class Booking(Record):
    """A venue for a purpose, from a time to a time."""

    venue = models.ForeignKey(Venue, models.PROTECT, related_name="bookings", db_index=False, verbose_name=_("venue"))
    during = DateTimeRangeField(_("time"))
    purpose = models.CharField(_("purpose"), max_length=80)
    people = models.PositiveSmallIntegerField(_("how many people"), null=True, blank=True)
    contact_name = EncryptedField(verbose_name=_("name"))
    contact_phone = EncryptedField(verbose_name=_("telephone"))
    # The same form sent twice is one booking.
    intake_key = models.CharField(max_length=64, editable=False)
    # Of the secret by which a resident follows it and takes it back; empty of those booked by an account.
    secret_hash = models.BinaryField(default=bytes, db_default=b"", editable=False)

    objects = BookingQuerySet.as_manager()
    workflow = WORKFLOW

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "number"], name="booking_number_once"),
            models.UniqueConstraint(fields=["jurisdiction", "intake_key"], name="booking_received_once"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="booking_state_is_known"),
            models.CheckConstraint(
                condition=Q(during__isempty=False, during__lower_inf=False, during__upper_inf=False),
                name="booking_has_its_time",
            ),
            ExclusionConstraint(
                name="booking_no_two_at_once",
                expressions=[("venue", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(state="confirmed"),
            ),
        ]
        indexes = [
            *place_indexes("booking"),
            models.Index(fields=["venue", "state", "-created_at"], name="booking_of_venue"),
            models.Index(fields=["created_by", "-created_at"], name="booking_asked_by", condition=~Q(created_by=None)),
        ]

    @staticmethod
    def may(user: User, permission: Permission, booking: "Booking") -> bool:
        """Who keeps venues there may do all; who asked may take back what is theirs."""
        if permission == Permission.SIGNED_IN:
            return booking.created_by_id == user.pk
        return scope.may(user, permission, booking)

    def get_absolute_url(self) -> str:
        """The page for offices and for who asked."""
        return reverse("booking", args=[self.number])

    @property
    def starts_at(self) -> dt.datetime:
        return self.during.lower.astimezone(BEIJING)

    @property
    def ends_at(self) -> dt.datetime:
        return self.during.upper.astimezone(BEIJING)

    @property
    def masked_name(self) -> str:
        return mask_name(self.contact_name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.contact_phone)
