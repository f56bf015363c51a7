"""Places, organisations, accounts and grants."""

import datetime as dt
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from weilu.lib.ids import new_id
from weilu.orgs.roles import ORGANISATION_ROLES, PERMISSIONS, Permission, Role


class Level(models.IntegerChoices):
    """Levels of administrative divisions (GB/T 2260, GB/T 10114), and two below them."""

    PROVINCE = 1, _("Province")
    CITY = 2, _("City")
    COUNTY = 3, _("County")
    TOWNSHIP = 4, _("Township")
    VILLAGE = 5, _("Village or community")
    GRID = 6, _("Grid")
    BUILDING = 7, _("Building")


def valid_on(day: dt.date, prefix: str = "") -> Q:
    """Return the condition that a row with ``valid_from`` and ``valid_to`` holds on ``day``."""
    return Q(**{f"{prefix}valid_from__lte": day}) & lasts_beyond(day, prefix)


def lasts_beyond(day: dt.date, prefix: str = "") -> Q:
    """Return the condition that a row has not ended on ``day``: it holds then or begins later."""
    return Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gt": day})


class Dated(models.Model):
    """A row that holds from a day, until a day (not included) or until further notice."""

    valid_from = models.DateField(_("valid from"), default=dt.date(2000, 1, 1))
    valid_to = models.DateField(_("valid until"), null=True, blank=True)

    class Meta:
        abstract = True


class Network(models.TextChoices):
    """What a grid serves: several networks on one grid (三网融合)."""

    PARTY = "party", _("Party building")
    ORDER = "order", _("Public order")
    CIVILITY = "civility", _("Civility")


class PlaceChange(models.Model):
    """What changed the map on a day: a renaming, a move to another parent, a merger, a split."""

    class Kind(models.TextChoices):
        RENAME = "rename", _("Renamed")
        MOVE = "move", _("Put below another place")
        MERGE = "merge", pgettext_lazy("of places", "Merged")
        SPLIT = "split", _("Split")
        IMPORT = "import", _("Renamed by an import")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey("Jurisdiction", models.PROTECT, db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    day = models.DateField(_("from"))
    document = models.CharField(_("document number"), max_length=60, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey("User", models.PROTECT, null=True, db_index=False, related_name="+")
    # Codes and names of the places before and after, as they were; and what went on elsewhere, to take it back by.
    before = models.JSONField(default=list, editable=False)
    after = models.JSONField(default=list, editable=False)
    moved = models.JSONField(default=dict, editable=False)
    undone_at = models.DateTimeField(null=True, editable=False)
    undone_by = models.ForeignKey("User", models.PROTECT, null=True, db_index=False, related_name="+", editable=False)

    class Meta:
        ordering = ["-day", "-created_at"]


class Place(Dated):
    """A division, grid or building. Places have history: they end, and name their successors."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(_("code"), max_length=24)
    name = models.CharField(_("full name"), max_length=80)
    short_name = models.CharField(pgettext_lazy("of a place or body", "name"), max_length=80)
    level = models.SmallIntegerField(_("level"), choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    # Codes from the province down to this place, each followed by a slash: a prefix names a subtree.
    path = models.CharField(max_length=120)
    successors = models.ManyToManyField("self", symmetrical=False, related_name="predecessors", blank=True)
    # Kept by weilu.orgs.changes, so that scope asks no further table. Keys of all places that this one goes on from;
    # and of places that lie below it now, with what they were before, while their earlier records name another above.
    formerly = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True, editable=False)
    taken_over = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True, editable=False)
    # Of a split, see weilu.orgs.attribution: which places' records come here by what lies below, by what of it; and of
    # the place that was split, what its parts have of it. Empty where nothing was split.
    split_from = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True, editable=False)
    split_children = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    split_away = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    # Of grids: the networks that it carries. Of buildings and grids: how many households live there.
    networks = ArrayField(models.CharField(max_length=10, choices=Network), default=list, db_default=[], blank=True)
    households = models.PositiveIntegerField(_("households"), null=True, blank=True)
    begun_by = models.ForeignKey(
        PlaceChange, models.PROTECT, null=True, blank=True, related_name="begun", db_index=False, editable=False
    )
    ended_by = models.ForeignKey(
        PlaceChange, models.PROTECT, null=True, blank=True, related_name="ended", db_index=False, editable=False
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=Q(valid_to=None), name="place_code_once_at_a_time"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="place_ends_later"
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None) | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="place_position_on_earth",
            ),
        ]
        indexes = [
            models.Index(fields=["path", "level"], name="place_path", opclasses=["text_pattern_ops", "int2_ops"]),
            models.Index(fields=["parent", "code"], name="place_children"),
            models.Index(fields=["level"], name="place_part_of_split", condition=Q(split_children__isnull=False)),
            # The three thousand places from which figures above the county are put together.
            models.Index(
                fields=["path"], name="place_county_path", opclasses=["text_pattern_ops"], condition=Q(level__lte=3)
            ),
        ]

    def __str__(self):
        return self.short_name

    def get_absolute_url(self) -> str:
        """The page of the place that has the code today; of one that has ended, its own."""
        return reverse("place_then", args=[self.pk]) if self.valid_to else reverse("place", args=[self.code])

    @property
    def ancestor_codes(self) -> list[str]:
        """Codes from the province down to this place."""
        return self.path.rstrip("/").split("/")


class PlaceOutline(models.Model):
    """The outline of a place on the map: a GeoJSON Polygon or MultiPolygon, WGS 84."""

    place = models.OneToOneField(Place, models.CASCADE, primary_key=True, related_name="outline")
    geometry = models.JSONField(_("outline"))
    # Its bounding box, so that neighbours are found without opening every outline.
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["west", "east", "south", "north"], name="outline_box")]
        constraints = [
            models.CheckConstraint(condition=Q(west__lte=F("east"), south__lte=F("north")), name="outline_has_a_box"),
        ]


class Jurisdiction(models.Model):
    """A county (or a city or province for its own work) that uses the platform: unit of work, numbers and rules."""

    place = models.OneToOneField(Place, models.PROTECT, primary_key=True, related_name="jurisdiction")
    prefix = models.CharField(_("prefix of numbers"), max_length=8, unique=True)
    title = models.CharField(_("title of the site"), max_length=60)
    hotline = models.CharField(_("telephone for residents"), max_length=30, blank=True)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    rate_days = models.PositiveSmallIntegerField(_("days to rate in"), default=7)
    reopen_days = models.PositiveSmallIntegerField(_("days to reopen in"), default=15)
    work_starts = models.TimeField(_("working day starts"), default=dt.time(9))
    work_ends = models.TimeField(_("working day ends"), default=dt.time(17))
    # Whoever holds one of these roles here works with a second factor only.
    second_factor_roles = ArrayField(
        models.CharField(max_length=20, choices=Role), default=list, db_default=[], blank=True, editable=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(work_ends__gt=F("work_starts")), name="working_day_has_hours"),
        ]

    def __str__(self):
        return self.title

    @classmethod
    def of(cls, place: Place) -> "Jurisdiction | None":
        """Return the lowest jurisdiction that ``place`` lies in, if the platform is open there."""
        rows = cls.objects.select_related("place").filter(place__code__in=place.ancestor_codes)
        return rows.order_by("-place__level").first()


def signs_of_name() -> Func:
    """The signs of a body's name, each by itself: an index of them finds bodies by any part of their name."""
    signs = ArrayField(models.TextField())
    return Func("name", template="string_to_array(%(expressions)s, NULL)", output_field=signs)


class Organisation(Dated):
    """A body that stands at a place: an office, a department, a Party branch, a community, a volunteer team."""

    class Kind(models.TextChoices):
        DEPARTMENT = "department", _("County department")
        OFFICE = "office", _("Township office")
        COMMUNITY = "community", _("Village or community committee")
        # Party organisations in four levels.
        PARTY_COMMITTEE = "party_committee", _("Party committee of a community or above")
        BRANCH = "branch", _("Party branch")
        PARTY_GROUP = "party_group", _("Party group of a building")
        MEMBER_HOUSEHOLD = "member_household", _("Party member household")
        # Bodies beside them.
        OWNERS_COMMITTEE = "owners_committee", _("Owners' committee")
        PROPERTY_FIRM = "property_firm", _("Property firm")
        VOLUNTEERS = "volunteers", _("Volunteer team")
        CO_BUILDER = "co_builder", _("Co-building unit")
        ENTERPRISE = "enterprise", _("Enterprise")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    name = models.CharField(pgettext_lazy("of a place or body", "name"), max_length=80)
    # Other names that rosters use for it, as they are written there.
    aliases = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    place = models.ForeignKey(Place, models.PROTECT, related_name="organisations")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    # The day its parent began, kept by a foreign key over both: a child cannot be older than its parent.
    parent_from = models.DateField(null=True, editable=False)
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)
    speciality = models.CharField(_("speciality"), max_length=30, blank=True)
    credit_code = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    # The estate, building or address that a body below the village serves.
    serves = models.CharField(_("estate or address"), max_length=80, blank=True)

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["parent", "kind"], name="organisation_children"),
            models.Index(fields=["jurisdiction", "kind"], name="organisation_kinds"),
            models.Index(fields=["name"], name="organisation_by_name", opclasses=["text_pattern_ops"]),
            GinIndex(fields=["aliases"], name="organisation_by_alias"),
            GinIndex(signs_of_name(), name="organisation_by_signs"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(parent=None, parent_from=None)
                | Q(parent__isnull=False, parent_from__isnull=False, valid_from__gte=F("parent_from")),
                name="organisation_not_older_than_parent",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="organisation_not_its_own_parent"),
            models.UniqueConstraint(fields=["id", "valid_from"], name="organisation_and_its_first_day"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="organisation_ends_later"
            ),
            models.UniqueConstraint(
                fields=["jurisdiction", "credit_code"],
                condition=~Q(credit_code="") & Q(valid_to=None),
                name="organisation_credit_code_once",
            ),
            models.UniqueConstraint(
                fields=["place", "name"], condition=Q(valid_to=None), name="organisation_once_at_a_place"
            ),
        ]

    @property
    def begins_later(self) -> dt.date | None:
        """The day on which it will be founded; None if it is there already."""
        return self.valid_from if self.valid_from > timezone.localdate() else None

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        """Save, with the day on which the parent began."""
        self.parent_from = self.parent.valid_from if self.parent else None
        if (fields := kwargs.get("update_fields")) is not None and "parent" in fields:
            kwargs["update_fields"] = [*fields, "parent_from"]
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """The body's page."""
        return reverse("organisation", args=[self.pk])


class OrganisationChange(models.Model):
    """What became of a body on a day: begun, renamed, put below another, moved, corrected, closed. Only added."""

    class Kind(models.TextChoices):
        BEGIN = "begin", _("Begun")
        RENAME = "rename", _("Renamed")
        MOVE = "move", _("Put below another body")
        CHANGE = "change", _("Corrected")
        CLOSE = "close", _("Closed")
        REOPEN = "reopen", _("Closing taken back")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="changes")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    day = models.DateField(_("from"))
    # Names of columns, each with what stood there and what stands there now, in words.
    columns = models.JSONField(default=dict)
    # Of a closing: what ended with it, by table, each with the day on which it would have ended otherwise.
    ended = models.JSONField(default=dict, editable=False)
    document = models.CharField(_("document number"), max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey("User", models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        ordering = ["-day", "-created_at"]


class UserManager(BaseUserManager):
    """Accounts, found by their name without regard to case."""

    def get_by_natural_key(self, username):
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """An account: a person's, never an office's."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(_("account"), max_length=40)
    name = models.CharField(_("name"), max_length=40)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    # An administrator typed it: the owner sets another before anything else.
    password_to_change = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        ordering = ["username"]
        constraints = [models.UniqueConstraint(Lower("username"), name="username_once")]

    def __str__(self):
        return self.name

    @cached_property
    def grants_now(self) -> list["Grant"]:
        """The grants that hold today, with their places and organisations; one query for a request."""
        return list(grants_on(timezone.localdate()).filter(user=self))

    @cached_property
    def permissions(self) -> set[Permission]:
        """All that the account may do somewhere; where, each query decides."""
        return {permission for grant in self.grants_now for permission in PERMISSIONS[grant.role]}

    @property
    def roles(self) -> set[str]:
        return {grant.role for grant in self.grants_now}

    @property
    def needs_second_factor(self) -> bool:
        """Whether a county requires a second factor of one of the account's roles there."""
        return any(grant.role in grant.jurisdiction.second_factor_roles for grant in self.grants_now)

    def grants_for(self, permission: Permission) -> list["Grant"]:
        """Return the grants that carry ``permission`` today."""
        return [grant for grant in self.grants_now if permission in PERMISSIONS[grant.role]]


class Grant(Dated):
    """A role at a place or in an organisation, for a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="grants")
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    place = models.ForeignKey(Place, models.PROTECT, verbose_name=_("place"))
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name=_("organisation"), related_name="grants"
    )

    class Meta:
        ordering = ["role", "valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="grant_role_is_known"),
            models.CheckConstraint(
                condition=~Q(role__in=[str(role) for role in sorted(ORGANISATION_ROLES)])
                | Q(organisation__isnull=False),
                name="grant_of_organisation_role_names_it",
            ),
            # A grant that ends on the day it began never held; it stays in the history.
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="grant_ends_later"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "role"], name="grant_organisation"),
            models.Index(fields=["place", "role"], name="grant_place"),
        ]

    def __str__(self):
        return f"{self.get_role_display()} · {self.organisation or self.place}"

    @property
    def by_organisation(self) -> bool:
        """Whether the scope is what the organisation has been handed, not a place."""
        return self.role in ORGANISATION_ROLES


def grants_on(day: dt.date) -> models.QuerySet[Grant]:
    """Return the grants that hold on ``day``, with what scope asks of them."""
    rows = Grant.objects.filter(valid_on(day))
    return rows.select_related("place", "organisation", "jurisdiction__place")


class RateCount(models.Model):
    """How often one address did one thing in one window of time; see :mod:`weilu.orgs.rate_limit`."""

    key = models.CharField(max_length=80, primary_key=True)
    count = models.PositiveIntegerField()
    window = models.DateTimeField(db_index=True)


class NamedRow(Dated):
    """A row of a dictionary that a county edits: a name in Chinese, one in English, an order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT)
    code = models.SlugField(_("code"), max_length=30)
    name = models.CharField(pgettext_lazy("of a place or body", "name"), max_length=40)
    name_en = models.CharField(_("name in English"), max_length=60, blank=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        abstract = True
        ordering = ["position", "code"]

    def __str__(self):
        return (self.name_en if get_language() == "en" else "") or self.name


class ImportJob(models.Model):
    """Files that are brought in as one job: kept until it has ended, and worked on by one at a time, once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for the worker")
        RUNNING = "running", _("under way")
        DONE = "done", _("done")
        FAILED = "failed", _("cannot be read")
        CANCELLED = "cancelled", _("given up")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=20)
    place = models.ForeignKey(Place, models.SET_NULL, null=True, related_name="+", verbose_name=_("place"))
    name = models.CharField(_("file"), max_length=120)
    # Of kind, options, names and contents: the same again while it is under way is the same job.
    sha256 = models.CharField(max_length=64)
    options = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    # How often somebody began it: a file that fells the worker is not tried for ever.
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["sha256"], name="import_under_way", condition=Q(state__in=["waiting", "running"])
            ),
        ]  # fmt: skip


class ImportPart(models.Model):
    """A part of a file of an import, encrypted; removed when the import has ended, but for what was refused."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="parts")
    name = models.CharField(max_length=255)
    number = models.PositiveIntegerField(default=0)
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "name", "number"], name="import_part_once")]
