"""Residents' matters: from raising to rating."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weilu.lib.crypto import EncryptedField, mask_email, mask_name, mask_phone
from weilu.matters.workflow import CLOSED, DONE, OPEN, WORKFLOW, State
from weilu.orgs.models import Level, NamedRow, Organisation, Place, User
from weilu.orgs.roles import Permission, Role
from weilu.orgs.scope import NOTHING, column_is, covers, ids_of, in_reach
from weilu.records.models import Record, place_indexes


class Module(NamedRow):
    """What a resident comes for: ask, suggest, complain, report, order a service …"""

    hint = models.CharField(_("hint"), max_length=80, blank=True)
    hint_en = models.CharField(_("hint in English"), max_length=120, blank=True)
    icon = models.CharField(_("icon"), max_length=30, default="message-plus")

    class Meta(NamedRow.Meta):
        constraints = [models.UniqueConstraint(fields=["jurisdiction", "code"], name="module_once")]


class Category(NamedRow):
    """What a matter is about, and within how many working days it is answered."""

    days = models.PositiveSmallIntegerField(_("working days to answer"), default=5, validators=[MinValueValidator(1)])

    class Meta(NamedRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="category_once"),
            models.CheckConstraint(condition=Q(days__gte=1), name="category_answers_in_days"),
        ]


class Channel(models.TextChoices):
    """How a matter came in."""

    WEB = "web", _("Web page")
    QR = "qr", _("QR code of a notice")
    HOTLINE = "hotline", _("Hotline or counter")
    VISIT = "visit", _("Visit")
    IMPORT = "import", _("Import")


# What a row of a list shows. Long texts and encrypted contacts stay where they are.
ROW_COLUMNS = [
    *("jurisdiction_id", "number", "version", "state", "subject", "address", "created_at", "due_at", "clock_left"),
    *("settled_at", "rating", "module_id", "category_id", "township_id", "village_id"),
    *("handler_id", "handler_grid_id", "taken_by_id"),
]


# What figures of a county group matters by.
COUNTED = ["state", "category", "module", "channel", "township", "village", "grid"]


class MatterQuerySet(models.QuerySet):
    """Matters."""

    def visible_to(self, user: User) -> "MatterQuerySet":
        """Only matters in the scope of ``user``: of their places, or handed to their organisation, grid or self."""
        condition = NOTHING
        for grant in user.grants_for(Permission.VIEW):
            condition = condition | _sees(user, grant)
        return self.filter(condition)

    def handled_by(self, user: User) -> "MatterQuerySet":
        """Only matters that ``user`` has in hand, alone or with their organisation or grid."""
        condition = Q(taken_by=user)
        for grant in user.grants_for(Permission.HANDLE):
            if grant.role == Role.GRID_WORKER and grant.place.level == Level.GRID:
                condition |= column_is("handler_grid", ids_of(grant.place))
            elif grant.organisation_id and grant.role != Role.MEMBER:
                condition |= Q(handler=grant.organisation_id)
        return self.visible_to(user).filter(condition)

    def orders_for(self, user: User) -> "MatterQuerySet":
        """Only orders that are open to the branches of ``user``."""
        branches = [grant.organisation_id for grant in user.grants_for(Permission.TAKE_ORDERS)]
        return self.filter(state=State.ORDERED, handler__in=branches)

    def open(self) -> "MatterQuerySet":
        """Only matters that somebody still owes an answer to."""
        return self.filter(state__in=sorted(OPEN))

    def for_lists(self) -> "MatterQuerySet":
        """With what a row of a list shows and nothing more; :func:`weilu.matters.queries.rows_of` adds the names."""
        return self.only(*ROW_COLUMNS)

    def public(self) -> "MatterQuerySet":
        """Only settled matters that may be shown to everybody."""
        return self.filter(published=True, state__in=sorted(DONE))


def _sees(user: User, grant) -> Q:
    if grant.role == Role.MEMBER:
        return Q(state=State.ORDERED, handler=grant.organisation_id) | Q(taken_by=user)
    if grant.by_organisation:
        return Q(handler=grant.organisation_id)
    if grant.role == Role.GRID_WORKER:
        return in_reach(grant) | column_is("handler_grid", ids_of(grant.place))
    return in_reach(grant)


class Matter(Record):
    """What a resident raised. What they wrote and who they are is for offices; what was settled is for all."""

    module = models.ForeignKey(Module, models.PROTECT, db_index=False, verbose_name=_("kind of matter"))
    category = models.ForeignKey(Category, models.PROTECT, db_index=False, verbose_name=_("category"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.WEB)
    subject = models.CharField(_("in one line"), max_length=120)
    detail = models.TextField(_("what happened"), blank=True)
    address = models.CharField(_("where exactly"), max_length=120, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)

    reporter_name = EncryptedField(verbose_name=_("name"))
    reporter_phone = EncryptedField(verbose_name=_("telephone"))
    reporter_phone_hash = models.BinaryField(default=bytes, editable=False)
    reporter_email = EncryptedField(verbose_name=_("e-mail"))
    secret_hash = models.BinaryField(default=bytes, editable=False)
    # The same form sent twice, or the same row imported twice, is one matter.
    intake_key = models.CharField(max_length=64, editable=False)

    handler = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("handled by"),
    )
    handler_grid = models.ForeignKey(
        Place, models.PROTECT, null=True, blank=True, db_index=False, related_name="+", verbose_name=_("grid in charge")
    )
    taken_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+", verbose_name=_("taken by")
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, db_index=False, related_name="merged"
    )

    outcome = models.TextField(_("what was done"), blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, editable=False)
    settled_late = models.BooleanField(default=False, editable=False)
    # Judged by what was promised that day: frozen when it was settled.
    rate_until = models.DateTimeField(null=True, editable=False)
    reopen_until = models.DateTimeField(null=True, editable=False)
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    rating_comment = models.TextField(_("comment"), blank=True)
    rated_at = models.DateTimeField(null=True, editable=False)
    reopened_at = models.DateTimeField(null=True, editable=False)
    published = models.BooleanField(_("public"), default=False)
    public_title = models.CharField(_("public title"), max_length=80, blank=True)
    public_outcome = models.TextField(_("public result"), blank=True)

    objects = MatterQuerySet.as_manager()
    workflow = WORKFLOW

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "number"], name="matter_number_once"),
            models.UniqueConstraint(fields=["jurisdiction", "intake_key"], name="matter_received_once"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="matter_state_is_known"),
            models.CheckConstraint(condition=Q(rating=None) | Q(rating__range=(1, 5)), name="matter_rating_1_to_5"),
            models.CheckConstraint(
                condition=~Q(state=State.RATED) | Q(rating__isnull=False), name="matter_rated_has_rating"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=sorted(DONE)) | Q(settled_at__isnull=False), name="matter_settled_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.MERGED) | Q(merged_into__isnull=False), name="matter_merged_names_other"
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="matter_not_merged_into_itself"),
            models.CheckConstraint(
                condition=~Q(state__in=sorted(CLOSED)) | Q(due_at=None), name="matter_closed_clock_stands"
            ),
        ]
        indexes = [
            *place_indexes("matter", counted=[*COUNTED, "settled_at"]),
            models.Index(
                fields=["county", "settled_at"],
                include=[*COUNTED, "settled_late", "rating", "taken_by", "handler", "created_at"],
                name="matter_settled",
                condition=Q(settled_at__isnull=False),
            ),
            models.Index(
                fields=["county", "created_at"],
                include=[*COUNTED],
                name="matter_unsettled",
                condition=Q(settled_at__isnull=True),
            ),
            # Open matters are few beside the settled ones: their queues stay small whatever the base holds.
            *(
                models.Index(
                    fields=[level, "state", "-created_at", "-id"],
                    name=f"matter_open_{level}",
                    condition=Q(state__in=sorted(OPEN)),
                    include=["due_at", "category"],  # the queue's counts read the index alone
                )
                for level in ("county", "township", "village")
            ),
            models.Index(fields=["handler", "state", "-created_at"], name="matter_handler", condition=~Q(handler=None)),
            models.Index(
                fields=["handler_grid", "state", "-created_at"],
                name="matter_handler_grid",
                condition=~Q(handler_grid=None),
            ),
            models.Index(fields=["taken_by", "-created_at"], name="matter_taken_by", condition=~Q(taken_by=None)),
            models.Index(fields=["merged_into"], name="matter_merged_into", condition=~Q(merged_into=None)),
            models.Index(fields=["rate_until"], name="matter_to_lapse", condition=Q(state=State.SETTLED)),
            *(
                models.Index(
                    fields=[level, "-settled_at", "-id"],
                    name=f"matter_public_{level}",
                    condition=Q(published=True),
                )
                for level in ("county", "township", "village")
            ),
        ]

    def get_absolute_url(self) -> str:
        """The page for offices."""
        return reverse("matter", args=[self.number])

    @staticmethod
    def may(user: User, permission: Permission, matter: "Matter") -> bool:
        """The workflow's rule of place: clerks act in their place, handlers on what they have in hand."""
        for grant in user.grants_for(permission):
            if covers(grant, matter) and (grant.role != Role.GRID_WORKER or permission != Permission.HANDLE):
                return True
            if permission == Permission.TAKE_ORDERS:
                if matter.state == State.ORDERED and grant.organisation_id == matter.handler_id:
                    return True
            elif permission in (Permission.HANDLE, Permission.UNMASK) and _has_in_hand(user, grant, matter):
                return True
        return False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_done(self) -> bool:
        return self.state in DONE

    @property
    def masked_name(self) -> str:
        return mask_name(self.reporter_name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.reporter_phone)

    @property
    def masked_email(self) -> str:
        return mask_email(self.reporter_email)

    @property
    def has_contact(self) -> bool:
        return bool(self.reporter_name or self.reporter_phone or self.reporter_email)

    @property
    def holder(self) -> str:
        """Who has it in hand, in words: the person and their organisation, the grid, or nobody yet."""
        parts = [self.handler or self.handler_grid, self.taken_by]
        return " · ".join(str(part) for part in parts if part)


def _has_in_hand(user: User, grant, matter: Matter) -> bool:
    if grant.role == Role.MEMBER:
        return matter.taken_by_id == user.pk
    if grant.role == Role.GRID_WORKER:
        return matter.taken_by_id == user.pk or matter.handler_grid_id in ids_of(grant.place)
    return grant.organisation_id is not None and grant.organisation_id == matter.handler_id


class MatterText(models.Model):
    """The words of a matter, for search. Apart from the matter, because these never change while it moves."""

    matter = models.OneToOneField(Matter, models.CASCADE, primary_key=True, related_name="text")
    jurisdiction = models.ForeignKey("orgs.Jurisdiction", models.PROTECT, db_index=False)
    words = SearchVectorField()

    class Meta:
        # A search reads the list of pending words from end to end: it stays short.
        indexes = [GinIndex(fields=["words"], name="matter_words", gin_pending_list_limit=128)]
