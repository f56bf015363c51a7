"""Boards: places below one place ranked by indicators over a period, checked, objected to, published and sealed."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.indicators.cell_models import Cell, Folded, Touched
from weilu.lib.ids import new_id
from weilu.orgs.models import Jurisdiction, Level, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import NOTHING

__all__ = ["Board", "Cell", "Correction", "Edition", "EditionRow", "Folded", "Objection", "Touched"]


class BoardQuerySet(models.QuerySet):
    """Boards."""

    def visible_to(self, user: User) -> "BoardQuerySet":
        """Only boards of a place where ``user`` sees the work, or of one above it: who is ranked may read the board."""
        condition = NOTHING
        for grant in user.grants_for(Permission.VIEW):
            condition |= Q(place__path__startswith=grant.place.path) | Q(place__code__in=grant.place.ancestor_codes)
        return self.filter(condition)


class Board(models.Model):
    """What is ranked, by which indicators, with which weight."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    place = models.ForeignKey(Place, models.PROTECT, related_name="boards", verbose_name=_("place"))
    title = models.CharField(_("title"), max_length=60)
    level = models.SmallIntegerField(_("what is ranked"), choices=Level)
    # [{"code": "matters.in_time", "weight": 2, "more": true}, …]: more is better, or less is.
    measures = models.JSONField(default=list)
    # Shares and averages of fewer records judge nothing: a place that has fewer is shown, not ranked.
    least = models.PositiveSmallIntegerField(_("fewest records"), default=0, db_default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")

    objects = BoardQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["jurisdiction", "title"], name="board_title_once")]

    def __str__(self):
        return self.title

    @property
    def was_shown(self) -> bool:
        """Whether an edition of it was seen by others than those who keep it."""
        return self.editions.exclude(state=Edition.State.DRAFT).exists()


class Edition(models.Model):
    """A board for one period. What was published stays as it was; later corrections stand beside it."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Being checked")
        SHOWN = "shown", _("Open to objections")
        PUBLISHED = "published", _("Published")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    board = models.ForeignKey(Board, models.PROTECT, related_name="editions")
    period = models.CharField(_("period"), max_length=12)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    computed_at = models.DateTimeField(null=True)
    object_until = models.DateField(_("objections until"), null=True)
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    # SHA-256 over the rows as they were published.
    seal = models.CharField(max_length=64, blank=True)
    # Title and rule by which it was computed: the board may change for later editions.
    title = models.CharField(max_length=60, blank=True, db_default="")
    measures = models.JSONField(default=list)
    least = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["-period"]
        constraints = [
            models.UniqueConstraint(fields=["board", "period"], name="edition_once_a_period"),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published_at__isnull=False) & ~Q(seal=""),
                name="edition_published_is_sealed",
            ),
        ]

    def __str__(self):
        return f"{self.name} {self.period}"

    @property
    def name(self) -> str:
        """The title under which it was computed; of those computed before titles were kept, the board's."""
        return self.title or self.board.title

    def get_absolute_url(self) -> str:
        """The page for offices."""
        return reverse("edition", args=[self.pk])


class EditionRow(models.Model):
    """A place on a board: its rank, and the values that gave it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="rows")
    place = models.ForeignKey(Place, models.PROTECT, related_name="+")
    rank = models.PositiveSmallIntegerField(_("rank"), null=True)  # none: too few records
    score = models.FloatField(_("points"))
    # [{"code", "version", "value", "numerator", "denominator", "rows", "rank", "points"}, …]
    values = models.JSONField()

    class Meta:
        ordering = ["rank", "place__code"]
        constraints = [models.UniqueConstraint(fields=["edition", "place"], name="edition_row_once_a_place")]


class Objection(models.Model):
    """What a place objects to, and the answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    edition = models.ForeignKey(Edition, models.PROTECT, related_name="objections")
    place = models.ForeignKey(Place, models.PROTECT, related_name="+")
    text = models.CharField(_("objection"), max_length=500)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["edition", "at"], name="objection_of_edition")]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="") | Q(answered_at__isnull=False) & ~Q(answer=""),
                name="objection_answered_in_words",
            ),
        ]


class Correction(models.Model):
    """A later value of a published edition, beside the one that was published."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    edition = models.ForeignKey(Edition, models.PROTECT, related_name="corrections")
    place = models.ForeignKey(Place, models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    was = models.FloatField(null=True)
    now = models.FloatField(null=True)
    reason = models.CharField(_("reason"), max_length=200)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["edition", "at"], name="correction_of_edition")]
