"""What the resident decides: rating and reopening; and what time decides when they do not."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.matters.models import Matter
from weilu.matters.workflow import DONE
from weilu.orgs.models import User
from weilu.records.models import Event
from weilu.records.moves import THE_RESIDENT, THE_SYSTEM, Incomplete, MoveError, NotPossible, move
from weilu.records.outbox import notify


def _those_who_worked(matter: Matter) -> list[User]:
    settled = Event.objects.filter(record_id=matter.pk, move="settle").select_related("actor").order_by("at").last()
    return [settled.actor] if settled and settled.actor else []


@transaction.atomic
def rate(matter: Matter, *, rating: int, comment: str = "") -> Matter:
    """Keep the resident's rating, 1 to 5.

    Raises:
        Incomplete: the rating is not 1 to 5.
        NotPossible: the time to rate is over, or it was rated before.
    """
    if rating not in range(1, 6):
        raise Incomplete("rating", _("rating"))

    def prepare(locked: Matter) -> list[str]:
        now = timezone.now()
        if locked.rate_until and now > locked.rate_until:
            raise NotPossible(_("The time to rate this matter is over."))
        locked.rated_at = now
        return ["rated_at"]

    columns = {"rating": rating, "rating_comment": comment.strip()}
    done = move(
        matter,
        "rate",
        actor=THE_RESIDENT,
        version=None,
        note=comment,
        set=columns,
        prepare=prepare,
        changes={"rating": rating},
    )
    notify(_those_who_worked(done), done, "rated", done.subject)
    return done


def may_reopen(matter: Matter, now: dt.datetime | None = None) -> bool:
    """Tell, from what is stored, whether the resident may still reopen a matter: once, within the days promised."""
    now = now or timezone.now()
    in_time = matter.reopen_until is not None and now <= matter.reopen_until
    return matter.state in DONE and matter.reopened_at is None and in_time


@transaction.atomic
def reopen(matter: Matter, *, note: str) -> Matter:
    """Reopen a settled matter for the resident, who says what is still wrong; a new clock starts.

    Raises:
        NotPossible: it was reopened before, or the days for it are over.
    """

    def prepare(locked: Matter) -> list[str]:
        now = timezone.now()
        if locked.state in DONE and not may_reopen(locked, now):
            raise NotPossible(
                _("A matter can be reopened once, until %(days)s days after it was settled.")
                % {"days": locked.jurisdiction.reopen_days}
            )
        locked.reopened_at = now
        locked.start_clock(locked.category.days, now)
        for column, value in EMPTY_RESULT.items():
            setattr(locked, column, value)
        return ["reopened_at", *EMPTY_RESULT]

    people = _those_who_worked(matter)
    done = move(matter, "reopen", actor=THE_RESIDENT, version=None, note=note, prepare=prepare, changes={})
    notify(people, done, "reopened", done.subject)
    return done


# What the first settling left; the events keep it.
EMPTY_RESULT = {
    "settled_at": None,
    "settled_late": False,
    "rate_until": None,
    "reopen_until": None,
    "rating": None,
    "rating_comment": "",
    "rated_at": None,
    "published": False,
    "outcome": "",
    "public_outcome": "",
    "handler": None,
    "handler_grid": None,
    "taken_by": None,
}


def lapse_unrated(now: dt.datetime | None = None, progress: Callable[[int], None] | None = None) -> int:
    """Mark matters whose time to rate is over as not rated, never as satisfied; return how many."""
    now = now or timezone.now()
    count = 0
    while True:
        batch = list(Matter.objects.filter(state="settled", rate_until__lt=now).order_by("rate_until")[:500])
        for matter in batch:
            try:
                with transaction.atomic():
                    move(matter, "lapse", actor=THE_SYSTEM, version=matter.version, changes={})
                count += 1
            except MoveError:  # the resident was quicker, or another worker
                continue
        if progress:
            progress(count)
        if len(batch) < 500:
            return count
