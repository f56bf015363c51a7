"""What every work record has: a number, places, a state with a version, a clock, events, attachments, messages."""

import datetime as dt
import secrets
import string
from collections.abc import Iterable

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.lib.ids import new_id
from weilu.orgs.models import Jurisdiction, Level, Place, User
from weilu.records.calendar import BEIJING, WorkingHours

SECRET_ALPHABET = "".join(sorted(set(string.digits + string.ascii_uppercase) - set("01OIL")))
SECRET_LENGTH = 8


class Counter(models.Model):
    """The last number given, for each jurisdiction, kind of record and year."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT)
    kind = models.CharField(max_length=20)
    year = models.SmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["jurisdiction", "kind", "year"], name="counter_once")]


def next_numbers(jurisdiction: Jurisdiction, kind: str, moment: dt.datetime, count: int = 1) -> list[str]:
    """Reserve ``count`` numbers without gaps, such as ``CX-2026-000123``, in the year of ``moment`` (Beijing time).

    The counter's row stays locked until the transaction ends: call it last. A rollback gives the numbers back.
    """
    year = moment.astimezone(BEIJING).year
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO records_counter (id, jurisdiction_id, kind, year, last) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (jurisdiction_id, kind, year) DO UPDATE SET last = records_counter.last + EXCLUDED.last "
            "RETURNING last",
            [new_id(), jurisdiction.pk, kind, year, count],
        )
        last = cursor.fetchone()[0]
    return [f"{jurisdiction.prefix}-{year}-{number:06d}" for number in range(last - count + 1, last + 1)]


def new_secret() -> str:
    """Return a secret to follow a record by: 8 of 31 letters and digits that are not mistaken for each other."""
    return "".join(secrets.choice(SECRET_ALPHABET) for _ in range(SECRET_LENGTH))


class Record(models.Model):
    """Base of every work record.

    The place columns are set as the places were that day and serve scope and lists at each level; ``place`` is the
    lowest of them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False, related_name="+")
    number = models.CharField(_("number"), max_length=24, editable=False)
    county = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    township = models.ForeignKey(
        Place, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("township")
    )
    village = models.ForeignKey(
        Place, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("village or community")
    )
    grid = models.ForeignKey(Place, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("grid"))
    state = models.CharField(_("state"), max_length=16, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", editable=False)
    # The clock: `due_at` while it runs; while somebody else must answer, what was left of the working time.
    promised_at = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(_("due"), null=True, editable=False)
    clock_left = models.DurationField(null=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self):
        return self.number

    def _do_update(self, base_qs, using, pk_val, values, update_fields, forced_update):
        # On a sharded database the jurisdiction names the shard: every save filters by it.
        base_qs = base_qs.filter(jurisdiction_id=self.jurisdiction_id)
        return super()._do_update(base_qs, using, pk_val, values, update_fields, forced_update)

    @property
    def record_kind(self) -> str:
        """What events and messages call this kind of record."""
        return type(self).workflow.kind  # type: ignore[attr-defined]

    @property
    def place(self) -> Place:
        """The lowest place known."""
        return self.grid or self.village or self.township or self.county

    @property
    def hours(self) -> WorkingHours:
        """The working hours that this record's clock runs by."""
        return WorkingHours(self.jurisdiction.work_starts, self.jurisdiction.work_ends)

    @property
    def is_late(self) -> bool:
        """Whether the clock runs and its time is over."""
        return self.due_at is not None and self.due_at < timezone.now()

    def set_place(self, place: Place) -> list[str]:
        """Fill the place columns from ``place`` and its ancestors; return the columns' names.

        Raises:
            ValueError: ``place`` lies outside the record's jurisdiction.
        """
        if not place.path.startswith(self.jurisdiction.place.path):
            raise ValueError("a record stays in its jurisdiction")
        columns = {Level.COUNTY: "county", Level.TOWNSHIP: "township", Level.VILLAGE: "village", Level.GRID: "grid"}
        found = {Level(place.level): place}
        while place.parent_id and place.level > Level.COUNTY:
            place = place.parent  # type: ignore[assignment]
            found[Level(place.level)] = place
        for level, column in columns.items():
            setattr(self, column, found.get(level))
        return list(columns.values())

    def start_clock(self, working_days: int, now: dt.datetime) -> None:
        """Promise an answer within ``working_days``; the first promise is kept for good."""
        self.due_at = self.hours.add(now, working_days * self.hours.day)
        self.promised_at = self.promised_at or self.due_at
        self.clock_left = None

    def pause_clock(self, now: dt.datetime) -> None:
        """Stop the clock while somebody else must answer."""
        if self.due_at:
            self.clock_left = self.hours.between(now, self.due_at)
            self.due_at = None

    def resume_clock(self, now: dt.datetime) -> None:
        """Go on with the working time that was left."""
        if self.clock_left is not None:
            self.due_at = self.hours.add(now, self.clock_left)
            self.clock_left = None

    def stop_clock(self) -> None:
        """End the clock for good: nothing is owed any more."""
        self.due_at = self.clock_left = None


CLOCK_COLUMNS = ["due_at", "promised_at", "clock_left"]


class EventQuerySet(models.QuerySet):
    """Events of records."""

    def of(self, *records: Record) -> "EventQuerySet":
        """Return the events of ``records``, oldest first."""
        return self.filter(record_id__in=[record.pk for record in records]).order_by("at", "id")


class Event(models.Model):
    """What happened to a record. Only added: the role the app connects with may not change or delete a row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False, db_constraint=False)
    record_kind = models.CharField(max_length=20)
    record_id = models.UUIDField()
    at = models.DateTimeField(default=timezone.now)
    move = models.CharField(max_length=20)
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16)
    actor = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, db_constraint=False)
    # As it was that day: an account may change its name or its post later.
    actor_name = models.CharField(max_length=80)
    note = models.TextField(blank=True)
    # What changed, for offices: names of columns and their new values, never personal data.
    changes = models.JSONField(default=dict)
    # Whether the resident who raised the record may read it.
    open_to_resident = models.BooleanField(default=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["record_id", "at"], name="event_of_record"),
            models.Index(fields=["actor", "-at"], name="event_of_actor"),
        ]


class Attachment(models.Model):
    """A photo or document of a record. The file lies in the data folder under its hash."""

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        DOCUMENT = "document", _("Document")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    record_kind = models.CharField(max_length=20)
    record_id = models.UUIDField()
    event_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["record_id"], name="attachment_of_record")]


class Notification(models.Model):
    """A message in the app, written in the transaction that caused it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    user = models.ForeignKey(User, models.PROTECT, db_index=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=20)
    record_kind = models.CharField(max_length=20)
    record_id = models.UUIDField()
    record_number = models.CharField(max_length=24)
    subject = models.CharField(max_length=120)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["user", "-at"], name="notification_of_user"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notification_unread"),
            models.Index(fields=["record_id"], condition=Q(kind="late"), name="notification_late"),
        ]


class OutgoingMail(models.Model):
    """An e-mail to be sent once its transaction is through; the worker sends it and notes that it did."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]


def place_indexes(kind: str, extra: Iterable[models.Index] = (), counted: Iterable[str] = ()) -> list[models.Index]:
    """Return the indexes that a record's lists need: by each level of place, newest first.

    Args:
        counted: columns that figures of a county read beside the time: its index holds them, so that a year is
            counted without opening the rows.
    """
    levels = {"county": counted, "township": (), "village": (), "grid": ()}
    return [
        models.Index(fields=[level, "-created_at", "-id"], include=[*more] or None, name=f"{kind}_{level}")
        for level, more in levels.items()
    ] + [*extra]
