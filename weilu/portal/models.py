"""What a resident has filled in so far: kept when they go back, lose the line or close the page."""

from django.db import models
from django.utils import timezone

from weilu.lib.crypto import EncryptedField
from weilu.lib.ids import new_id
from weilu.orgs.models import Jurisdiction


class Draft(models.Model):
    """The answers of one form under way, encrypted; forgotten a day after the last one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT)
    answers = EncryptedField()
    # Set when it was sent; the page after it can then be shown again.
    matter_number = models.CharField(max_length=24, blank=True)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)
