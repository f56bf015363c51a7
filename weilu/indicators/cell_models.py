"""Cells: figures of each county by month, kept by the worker from what was written; and what it has yet to fold."""

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from weilu.lib.ids import new_id
from weilu.orgs.models import Place

NOBODY = UUID(int=0)


class Cell(models.Model):
    """What one indicator counted in one county and month, whole or in one group of a breakdown.

    A stock keeps what began and what ended in a month: what there is at its end is the sum of all months up to it.
    Different people have a cell each, so that who comes twice counts once.
    """

    pk = models.CompositePrimaryKey("jurisdiction", "code", "by", "key", "month", "who")
    # The county; a city or province for rows of its own. Without a constraint: the records that it counts have theirs,
    # and looking for the county of each of a million cells takes a third of the time to write them.
    jurisdiction = models.ForeignKey(Place, models.PROTECT, db_index=False, db_constraint=False, related_name="+")
    code = models.CharField(max_length=60)
    by = models.CharField(max_length=40, blank=True)
    key = models.TextField(blank=True)
    month = models.DateField()
    who = models.UUIDField(default=NOBODY)
    rows = models.BigIntegerField()
    # Of durations: seconds.
    numerator = models.DecimalField(max_digits=40, decimal_places=6, default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["code", "by", "month"], include=["jurisdiction", "key", "rows", "numerator"], name="cell_figure"
            )
        ]


class Touched(models.Model):
    """A row that was written since the cells were folded, as it was before. Only added, and removed when folded.

    Without a row, everything that ``kind`` counts in the county was written, or everywhere where none is named.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=60)
    # Without a constraint: it is written with every change of a counted row, and gone within a minute.
    jurisdiction = models.ForeignKey(
        Place, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    row = models.UUIDField(null=True)
    before = models.JSONField(null=True)
    # The database's own clock, so that of two writes to a row the first is known.
    at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))

    class Meta:
        indexes = [
            models.Index(fields=["kind", "row", "at"], name="touched_rows"),
            models.Index(fields=["kind", "jurisdiction"], name="touched_whole", condition=Q(row=None)),
        ]


class Folded(models.Model):
    """A definition whose cells are whole: readings above the county may use them."""

    code = models.CharField(primary_key=True, max_length=60)
    version = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, db_default=Now())
