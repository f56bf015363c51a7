"""What the clock does to matters."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from weilu.matters.models import Matter
from weilu.matters.queries import users_of
from weilu.matters.services import lapse_unrated
from weilu.matters.workflow import OPEN
from weilu.records.models import Notification
from weilu.records.outbox import notify


@app.periodic(cron="*/5 * * * *")
@app.task(name="matters.lapse", queueing_lock="matters.lapse")
def lapse(timestamp: int) -> None:
    """Mark what was not rated in time."""
    lapse_unrated()


@app.periodic(cron="*/15 * * * *")
@app.task(name="matters.remind_late", queueing_lock="matters.remind_late")
def remind_late(timestamp: int) -> None:
    """Tell those who have it in hand, once, that a matter is past its limit."""
    tell_of_late()


def tell_of_late(now: dt.datetime | None = None) -> int:
    """Write one message for each matter that became late in the last day and has somebody in charge."""
    now = now or timezone.now()
    late = Matter.objects.filter(
        state__in=sorted(OPEN), due_at__lt=now, due_at__gte=now - dt.timedelta(days=1)
    ).select_related("handler", "handler_grid", "taken_by")
    told = set(
        Notification.objects.filter(kind="late", at__gte=now - dt.timedelta(days=2)).values_list("record_id", flat=True)
    )
    count = 0
    for matter in late.order_by("due_at")[:1000]:
        if matter.pk in told:
            continue
        if matter.taken_by:
            users = [matter.taken_by]
        elif target := matter.handler or matter.handler_grid:
            users = list(users_of(target))
        else:
            users = list(users_of(matter.village or matter.township or matter.county))
        with transaction.atomic():
            notify(users, matter, "late", matter.subject)
        count += 1
    return count
