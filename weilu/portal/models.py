"""Forms under way, and the notices that hang at doors: their texts, and the files they are printed from."""

from pathlib import Path

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.lib.crypto import EncryptedField
from weilu.lib.ids import new_id
from weilu.orgs.models import Jurisdiction, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope


class Draft(models.Model):
    """The answers of one form under way, encrypted; forgotten a day after the last one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT)
    answers = EncryptedField()
    # Set when it was sent; the page after it can then be shown again.
    matter_number = models.CharField(max_length=24, blank=True)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)


class NoticeText(models.Model):
    """What those on a kind of notice do for residents, in the words of the county."""

    class Kind(models.TextChoices):
        COUNTY = "county", _("County")
        TOWNSHIP = "township", _("Township")
        VILLAGE = "village", _("Village or community")
        GRID = "grid", _("Grid")
        BUILDING = "building", _("Building")
        BRANCH = "branch", _("Party organisation")
        BODY = "body", _("Other body")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    kind = models.CharField(_("kind of notice"), max_length=10, choices=Kind)
    duties = models.CharField(_("what they do"), max_length=200)

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "kind"], name="notice_text_once"),
        ]


class NoticePrintQuerySet(models.QuerySet):
    """Prints of notices."""

    def visible_to(self, user: User) -> "NoticePrintQuerySet":
        """Only prints for places whose bodies ``user`` keeps."""
        return self.filter(place__in=Place.objects.filter(places_in_scope(user, Permission.KEEP)))


class NoticePrint(models.Model):
    """Notices of a place and all in it, as one file to print; made by the worker, kept some days."""

    class Phase(models.TextChoices):
        WAITING = "waiting", _("waits for the worker")
        COLLECTING = "collecting", _("is being put together")
        SETTING = "setting", _("pages are being set")
        DONE = "done", _("ready")
        FAILED = "failed", _("could not be made")

    UNDER_WAY = (Phase.WAITING, Phase.COLLECTING, Phase.SETTING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("place"))
    kinds = ArrayField(models.CharField(max_length=10, choices=NoticeText.Kind), verbose_name=_("kinds of notice"))
    # The address that the QR codes carry, as it was when the print was ordered.
    address = models.CharField(max_length=200)
    phase = models.CharField(_("state"), max_length=10, choices=Phase, default=Phase.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=200, blank=True)
    size = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    # The last sign of life of the worker that makes it; without one for a while, another begins anew.
    beat_at = models.DateTimeField(default=timezone.now)

    objects = NoticePrintQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["place", "-created_at"], name="notice_print_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="notice_print_done_within_total"),
            # Whoever presses twice gets the print that is under way.
            models.UniqueConstraint(
                fields=["place", "kinds", "address"],
                condition=Q(phase__in=["waiting", "collecting", "setting"]),
                name="notice_print_once_at_a_time",
            ),
        ]

    @property
    def path(self) -> Path:
        """Where the file lies; made from records, so that backups leave it out."""
        return settings.DATA / "prints" / f"{self.pk}.pdf"

    @property
    def under_way(self) -> bool:
        return self.phase in self.UNDER_WAY
