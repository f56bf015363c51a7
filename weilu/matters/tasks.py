"""What the clock does to matters."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from weilu.matters.models import Matter
from weilu.matters.queries import users_of
from weilu.matters.services import lapse_unrated
from weilu.matters.workflow import OPEN
from weilu.orgs.models import User
from weilu.records.models import Notification
from weilu.records.outbox import notify

# Late matters that the worker missed, because it stood, are still told of for this long.
LOOK_BACK = dt.timedelta(days=30)


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


def _in_charge(matter: Matter) -> list[User]:
    """Return who is to know: whoever has it, else the clerks of its place, the lowest that has any."""
    if matter.taken_by:
        return [matter.taken_by]
    for target in (matter.handler, matter.handler_grid, matter.village, matter.township, matter.county):
        if target and (users := list(users_of(target))):
            return users
    return []


def tell_of_late(now: dt.datetime | None = None) -> int:
    """Write one message for each matter that became late in the last month and was not told of yet; return how many."""
    now = now or timezone.now()
    late = Matter.objects.filter(state__in=sorted(OPEN), due_at__lt=now, due_at__gte=now - LOOK_BACK)
    late = late.exclude(pk__in=Notification.objects.filter(kind="late").values("record_id"))
    names = ["handler", "handler_grid", "village", "township", "county", "taken_by"]
    count = 0
    for matter in late.select_related(*names).order_by("due_at")[:1000]:
        with transaction.atomic():
            notify(_in_charge(matter), matter, "late", matter.subject)
        count += 1
    return count
