"""Persons and what they belong to."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weilu.lib.crypto import EncryptedField, mask_name, mask_phone
from weilu.lib.ids import new_id
from weilu.orgs.models import Dated, Jurisdiction, Organisation, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import NOTHING


class PersonQuerySet(models.QuerySet):
    """Persons."""

    def visible_to(self, user: User) -> "PersonQuerySet":
        """Only persons who live in a place where ``user`` may see people."""
        condition = NOTHING
        for grant in user.grants_for(Permission.VIEW_PEOPLE):
            condition = condition | Q(home__path__startswith=grant.place.path)
        return self.filter(condition)


class Person(models.Model):
    """Somebody the offices know by name. Telephone numbers are encrypted and masked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, db_index=False)
    name = models.CharField(_("name"), max_length=40)
    phone = EncryptedField(verbose_name=_("telephone"))
    phone_hash = models.BinaryField(default=bytes, editable=False)
    home = models.ForeignKey(Place, models.PROTECT, related_name="residents", verbose_name=_("home"))
    user = models.OneToOneField(User, models.PROTECT, null=True, blank=True, related_name="person")

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["jurisdiction", "phone_hash"], name="person_phone")]

    def __str__(self):
        return self.name

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)


class Membership(Dated):
    """A person in an organisation, as what, from when, until when."""

    class Kind(models.TextChoices):
        SECRETARY = "secretary", _("Secretary")
        MEMBER = "member", _("Party member")
        STAFF = "staff", _("Staff")
        VOLUNTEER = "volunteer", _("Volunteer")
        GRID_WORKER = "grid_worker", _("Grid worker")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships")
    kind = models.CharField(_("as"), max_length=16, choices=Kind)

    class Meta:
        ordering = ["kind", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation", "kind"], condition=Q(valid_to=None), name="membership_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="membership_ends_later"
            ),
        ]
