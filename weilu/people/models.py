"""Persons, what they belong to, the posts they hold, what they were honoured with."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.lib.crypto import EncryptedField, mask_name, mask_phone
from weilu.lib.ids import new_id
from weilu.orgs.models import Dated, Grant, Jurisdiction, Level, Organisation, Place, User
from weilu.orgs.roles import Permission, Role
from weilu.orgs.scope import NOTHING


class DateRange(Func):
    """The days of a dated row: from the first, up to the last (not included) or without end."""

    function = "DATERANGE"
    output_field = DateRangeField()


DAYS = DateRange("valid_from", "valid_to")
ENDS_LATER = Q(valid_to=None) | Q(valid_to__gt=F("valid_from"))


class PersonQuerySet(models.QuerySet):
    """Persons."""

    def visible_to(self, user: User, permission: Permission = Permission.VIEW_PEOPLE) -> "PersonQuerySet":
        """Only persons who live in a place where ``user`` may see people, or holds another permission."""
        condition = NOTHING
        for grant in user.grants_for(permission):
            if not grant.by_organisation:
                condition = condition | Q(home__path__startswith=grant.place.path)
        return self.filter(condition)

    def current(self) -> "PersonQuerySet":
        """Only persons who were not merged into another record of themselves."""
        return self.filter(merged_into=None)


class Person(models.Model):
    """Somebody the offices know by name. ID and telephone numbers are encrypted and masked."""

    class Sex(models.TextChoices):
        MALE = "male", _("male")
        FEMALE = "female", _("female")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=40, db_collation="C")
    # For finding, filled by :func:`weilu.people.persons.prepare`: the name in pinyin without tones or blanks, its
    # initials, and what else of the name somebody may type that does not stand at its beginning.
    pinyin = models.CharField(max_length=120, blank=True, editable=False, db_collation="C")
    initials = models.CharField(max_length=20, blank=True, editable=False, db_collation="C")
    parts = ArrayField(models.CharField(max_length=120), default=list, db_default=[], blank=True, editable=False)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex, blank=True)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    # GB 11643; rosters often give no more of the birth date than its month.
    birth_day_known = models.BooleanField(default=True)
    id_number = EncryptedField(verbose_name=_("ID number"))
    id_number_hash = models.BinaryField(default=bytes, editable=False)
    # Of the last four digits alone, by which a masked number is found.
    id_tail_hash = models.BinaryField(default=bytes, db_default=b"", editable=False)
    phone = EncryptedField(verbose_name=_("telephone"))
    phone_hash = models.BinaryField(default=bytes, editable=False)
    phone_tail_hash = models.BinaryField(default=bytes, db_default=b"", editable=False)
    ethnicity = models.CharField(_("ethnicity"), max_length=20, blank=True)
    education = models.CharField(_("education"), max_length=30, blank=True)
    home = models.ForeignKey(
        Place, models.PROTECT, related_name="residents", verbose_name=_("home"), db_index=False
    )  # person_home begins with it
    # Where they work: employed members belong to their unit's branch and report to their home estate.
    work = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="employees", verbose_name=_("works at"),
        db_index=False,
    )  # fmt: skip
    joined_party_on = models.DateField(_("joined the Party"), null=True, blank=True)
    user = models.OneToOneField(User, models.PROTECT, null=True, blank=True, related_name="person")
    # Two records of one person: this one was merged into that; undone by clearing it.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", db_index=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    FOLLOWS_PLACE = ("home",)  # when the place ends, people live in what goes on from it
    FOLLOW_TOGETHER = _("%(count)s people who are registered here and in no place below")
    objects = PersonQuerySet.as_manager()
    record_kind = "person"  # as events and messages call it

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["jurisdiction", "phone_hash"], name="person_phone"),
            models.Index(fields=["home", "name"], name="person_home"),
            # Most have neither: an index of all would hold nothing a hundred thousand times.
            models.Index(fields=["work"], name="person_work", condition=~Q(work=None)),
            models.Index(fields=["merged_into"], name="person_merged", condition=~Q(merged_into=None)),
            # In the collation C one index finds by a beginning and gives the order.
            models.Index(fields=["pinyin", "id"], name="person_in_pinyin"),
            models.Index(fields=["initials", "pinyin", "id"], name="person_by_initials"),
            models.Index(fields=["name", "birth_date", "id"], name="person_by_name"),
            GinIndex(fields=["parts"], name="person_parts"),
            models.Index(
                fields=["jurisdiction", "id_tail_hash"], name="person_id_tail", condition=~Q(id_tail_hash=b"")
            ),
            models.Index(
                fields=["jurisdiction", "phone_tail_hash"], name="person_phone_tail", condition=~Q(phone_tail_hash=b"")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "id_number_hash"],
                condition=~Q(id_number_hash=b"") & Q(merged_into=None),
                name="person_id_number_once",
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="person_not_merged_into_itself"),
        ]

    def __str__(self):
        return self.name

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def masked_id_number(self) -> str:
        """``510824********1234``, or nothing."""
        return f"{self.id_number[:6]}********{self.id_number[-4:]}" if len(self.id_number) == 18 else ""

    @property
    def address(self) -> str:
        """The home with the village or community that it lies in: ``金穗社区第一网格``."""
        place, words = self.home, self.home.short_name
        while place.level > Level.VILLAGE and place.parent:
            place = place.parent
            words = f"{place.short_name}{words}"
        return words

    @property
    def number(self) -> str:
        """Persons have no number of their own; messages about them lead to their page by its address."""
        return ""

    def get_absolute_url(self) -> str:
        """The person's page."""
        return reverse("person", args=[self.pk])


class PersonMerge(models.Model):
    """That two records were found to be one person: what moved, so that it can be moved back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="merges")
    into = models.ForeignKey(Person, models.PROTECT, related_name="merges_into")
    # Keys of the rows that moved, by table; and the columns that were empty in the other record and were filled.
    moved = models.JSONField(default=dict)
    filled = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(undone_at=None), name="merge_once_at_a_time"),
            models.CheckConstraint(condition=~Q(person=F("into")), name="merge_of_two"),
        ]


class MembershipQuerySet(models.QuerySet):
    """Memberships."""

    def bulk_create(self, objs, *args, **kwargs):
        """Create many, each with the jurisdiction of its person."""
        rows = list(objs)
        for row in rows:
            row.jurisdiction_id = row.person.jurisdiction_id
        return super().bulk_create(rows, *args, **kwargs)


class PersonsApart(models.Model):
    """That two records which look alike are two people: they are not proposed for merging again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    # The one with the smaller key, so that a pair has one row.
    one = models.ForeignKey(Person, models.PROTECT, db_index=False, related_name="+")
    other = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="persons_apart_once"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="persons_apart_in_order"),
        ]


class Membership(Dated):
    """A person in an organisation, as what, from when, until when."""

    class Kind(models.TextChoices):
        SECRETARY = "secretary", _("Secretary")
        MEMBER = "member", _("Party member")
        # An employed member who reported to the branch of their home estate (在职党员报到).
        REPORTED = "reported", _("Reported member")
        PART_TIME = "part_time", _("Part-time committee member")
        STAFF = "staff", _("Staff")
        COMMUNITY_WORKER = "community_worker", _("Community worker")
        VOLUNTEER = "volunteer", _("Volunteer")
        GRID_WORKER = "grid_worker", _("Grid worker")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The person's, filled when a row is saved.
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="memberships", db_index=False
    )  # membership_of_organisation begins with it
    kind = models.CharField(_("as"), max_length=20, choices=Kind)
    # The grid of a grid worker, the building of a building group's member.
    place = models.ForeignKey(Place, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("place"))
    note = models.CharField(_("note"), max_length=120, blank=True)
    # A telephone for everybody, on the notice of a building, grid or village; never filled from the person's own.
    public_phone = models.CharField(_("public telephone"), max_length=30, blank=True, db_default="")

    FOLLOWS_PLACE = ("place",)  # whose grid is renamed, merged or moved works in what goes on from it
    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "id"]
        indexes = [models.Index(fields=["organisation", "kind"], name="membership_of_organisation")]
        constraints = [
            ExclusionConstraint(
                name="membership_once_at_a_time",
                expressions=[
                    ("person", RangeOperators.EQUAL),
                    ("organisation", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    (DAYS, RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=ENDS_LATER, name="membership_ends_later"),
        ]

    def __str__(self):
        return f"{self.person} · {self.get_kind_display()}"

    def save(self, *args, **kwargs):
        """Save, a new row with the jurisdiction of its person."""
        if self._state.adding:
            self.jurisdiction_id = self.person.jurisdiction_id
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """The person's page."""
        return reverse("person", args=[self.person_id])


class Post(Dated):
    """A post of an organisation: its title, its place in the order, how many hold it at once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="posts")
    title = models.CharField(_("title"), max_length=60)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    strength = models.PositiveSmallIntegerField(_("strength"), default=1)
    leads = models.BooleanField(_("leads the body"), default=False)
    # Whoever holds the post has this role at the body's place, as long as they hold it.
    role = models.CharField(_("role of its holder"), max_length=20, choices=Role, blank=True)
    # The telephone of the post for everybody, on notices.
    public_phone = models.CharField(_("public telephone"), max_length=30, blank=True, db_default="")

    class Meta:
        ordering = ["position", "title"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "title"], condition=Q(valid_to=None), name="post_once_in_a_body"
            ),
            models.CheckConstraint(condition=Q(strength__gte=1), name="post_has_strength"),
            models.CheckConstraint(condition=ENDS_LATER, name="post_ends_later"),
        ]

    def __str__(self):
        return self.title


class Appointment(Dated):
    """A person in a post, for a time. A seat has one holder at a time; the database refuses a second."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    post = models.ForeignKey(Post, models.PROTECT, related_name="appointments")
    person = models.ForeignKey(Person, models.PROTECT, related_name="appointments")
    # 1 up to the post's strength.
    seat = models.PositiveSmallIntegerField(default=1)
    document = models.CharField(_("document number"), max_length=60, blank=True)
    rank = models.CharField(_("rank"), max_length=40, blank=True)
    # The grant that came with the post, ended with the appointment.
    grant = models.OneToOneField(Grant, models.PROTECT, null=True, blank=True, related_name="appointment")

    class Meta:
        ordering = ["post__position", "seat", "valid_from"]
        indexes = [models.Index(fields=["person", "valid_to"], name="appointment_of_person")]
        constraints = [
            ExclusionConstraint(
                name="appointment_one_holder_of_a_seat",
                expressions=[
                    ("post", RangeOperators.EQUAL),
                    ("seat", RangeOperators.EQUAL),
                    (DAYS, RangeOperators.OVERLAPS),
                ],
            ),
            ExclusionConstraint(
                name="appointment_once_for_a_person",
                expressions=[
                    ("post", RangeOperators.EQUAL),
                    ("person", RangeOperators.EQUAL),
                    (DAYS, RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(seat__gte=1), name="appointment_has_a_seat"),
            models.CheckConstraint(condition=ENDS_LATER, name="appointment_ends_later"),
        ]

    def get_absolute_url(self) -> str:
        """The page of the body, where its posts and their holders stand."""
        return reverse("organisation", args=[self.post.organisation_id])


class HonourQuerySet(models.QuerySet):
    """Honours."""

    def visible_to(self, user: User, permission: Permission = Permission.VIEW_PEOPLE) -> "HonourQuerySet":
        """Only honours of persons who live, and of bodies that stand, where ``user`` may see people."""
        condition = NOTHING
        for grant in user.grants_for(permission):
            path = grant.place.path
            condition = condition | Q(person__home__path__startswith=path)
            condition = condition | Q(organisation__place__path__startswith=path)
        return self.filter(condition)

    def standing(self) -> "HonourQuerySet":
        """Only honours that were not withdrawn."""
        return self.filter(withdrawn_on=None)


class Honour(models.Model):
    """An honour of a person or a body: what, of which level, given by whom, by which document."""

    class Level(models.IntegerChoices):
        NATIONAL = 1, _("National")
        PROVINCE = 2, _("Provincial")
        CITY = 3, _("Of the city")
        COUNTY = 4, _("Of the county")
        TOWNSHIP = 5, _("Of the township")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    title = models.CharField(_("honour"), max_length=80)
    level = models.SmallIntegerField(_("level"), choices=Level)
    body = models.CharField(_("given by"), max_length=80)
    document = models.CharField(_("document number"), max_length=60, blank=True)
    # Why an honour, of earlier times above all, has no document number.
    no_document = models.CharField(_("why it has no document number"), max_length=200, blank=True, db_default="")
    awarded_on = models.DateField(_("given on"))
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="honours")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="honours")
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)
    withdrawn_why = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")

    objects = HonourQuerySet.as_manager()

    class Meta:
        ordering = ["-awarded_on", "level", "title"]
        indexes = [models.Index(fields=["jurisdiction", "-awarded_on"], name="honour_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, organisation=None) | Q(person=None, organisation__isnull=False),
                name="honour_of_a_person_or_a_body",
            ),
            models.UniqueConstraint(
                fields=["title", "awarded_on", "person"], condition=Q(person__isnull=False), name="honour_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["title", "awarded_on", "organisation"],
                condition=Q(organisation__isnull=False),
                name="honour_once_a_body",
            ),
            models.CheckConstraint(condition=~Q(document="", no_document=""), name="honour_has_a_document_or_says_why"),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None, withdrawn_why="") | Q(withdrawn_on__gte=F("awarded_on")),
                name="honour_withdrawn_later",
            ),
        ]

    def get_absolute_url(self) -> str:
        """The page of whoever has it."""
        if self.person_id:
            return reverse("person", args=[self.person_id])
        return reverse("organisation", args=[self.organisation_id])


class RosterImport(models.Model):
    """A roster that was sent in: read, previewed, then applied whole or not at all by the worker."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits to be read")
        READ = "read", _("read; look at the preview")
        REFUSED = "refused", _("has rows to correct")
        APPLYING = "applying", _("is being entered")
        DONE = "done", _("entered")
        FAILED = "failed", _("could not be entered")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    kind = models.CharField(_("kind of roster"), max_length=20)
    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("roster of"))
    name = models.CharField(_("file"), max_length=120)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    # Column of the roster -> column of ours, as the reader confirmed it.
    mapping = models.JSONField(default=dict)
    create_organisations = models.BooleanField(default=False)
    # Of a full roster: who is missing from it leaves.
    end_missing = models.BooleanField(default=False)
    sheet = models.CharField(_("sheet"), max_length=80, blank=True)
    # How often the worker began to read or enter it: a file that fells the worker is not tried for ever.
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # Counts, the first errors, the first differences: what the preview shows.
    report = models.JSONField(default=dict)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["place", "-created_at"], name="roster_import_newest")]


class RosterFile(models.Model):
    """The file of a roster under way, encrypted; removed when the roster is entered or given up."""

    roster = models.OneToOneField(RosterImport, models.CASCADE, primary_key=True, related_name="file")
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    content = models.BinaryField()


class ColumnMapping(models.Model):
    """How the columns of a kind of roster were mapped the last time, for each set of headings."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    kind = models.CharField(max_length=20)
    # A hash of the headings, in their order.
    headings = models.CharField(max_length=64)
    mapping = models.JSONField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "kind", "headings"], name="column_mapping_once"),
        ]
