"""The verbs that write matters: one door for pages, imports and interfaces; nothing else changes a matter.

Taking in and judging have modules of their own and are named here too.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from weilu.lib.personal import personal_in
from weilu.matters.filing import Contact, file_matter, record_filing, secret_for
from weilu.matters.judging import lapse_unrated, may_reopen, rate, reopen
from weilu.matters.models import Category, Matter, Module
from weilu.matters.queries import may_hand, places_for_transfer, users_of
from weilu.orgs.memory import rows_by_id
from weilu.orgs.models import Organisation, Place, User
from weilu.records.looking import keep_look
from weilu.records.models import Event
from weilu.records.moves import (
    THE_RESIDENT,
    Actor,
    MoveError,
    NotPossible,
    Stale,
    move,
)
from weilu.records.outbox import mail, notify
from weilu.records.secrets import secret_hash

__all__ = [
    "BadTarget",
    "BulkResult",
    "Contact",
    "PersonalInPublic",
    "answer",
    "ask",
    "check_public",
    "decline",
    "dispatch",
    "dispatch_many",
    "file_matter",
    "give_back",
    "lapse_unrated",
    "may_reopen",
    "merge",
    "rate",
    "record_filing",
    "reopen",
    "report_progress",
    "reveal_contact",
    "secret_for",
    "secret_hash",
    "settle",
    "start",
    "take",
    "transfer",
]


class BadTarget(MoveError):
    """The matter cannot go there."""


class PersonalInPublic(MoveError):
    """A text meant for everybody holds something personal."""


def _tell_resident(matter: Matter, what: Promise) -> None:
    """Mail the resident who gave an address, in the language of residents' pages whoever acted."""
    if matter.reporter_email:
        with translation.override(settings.LANGUAGE_CODE):
            words = str(what)
        link = f"{settings.SITE_URL}{reverse('follow')}?number={matter.number}"
        mail(matter, matter.reporter_email, f"{words} {matter.number}", f"{words}\n\n{matter.subject}\n{link}\n")


def _new_category(matter: Matter, category: Category | None, now: dt.datetime) -> list[str]:
    """Set another category; the clock moves by the difference of their days, so that pauses and reopening count on."""
    if category is None or category.pk == matter.category_id:
        return []
    change = (category.days - matter.category.days) * matter.hours.day
    matter.category = category
    if matter.due_at and change >= dt.timedelta():
        matter.due_at = matter.hours.add(matter.due_at, change)
    elif matter.due_at:
        left = matter.hours.between(now, matter.due_at) + change
        matter.due_at = matter.hours.add(now, max(left, dt.timedelta())) if matter.due_at > now else matter.due_at
    return ["category"]


@transaction.atomic
def dispatch(
    matter: Matter,
    *,
    to: Organisation | Place,
    by: User,
    version: int | None,
    category: Category | None = None,
    note: str = "",
) -> Matter:
    """Hand a matter to an office, a department or a committee, or to a grid; to a branch it goes as an order.

    Raises:
        BadTarget: ``to`` is not among those that ``by`` may hand this matter to.
        MoveError: see :func:`weilu.records.moves.move`.
    """
    is_branch = isinstance(to, Organisation) and to.kind in (Organisation.Kind.BRANCH, Organisation.Kind.VOLUNTEERS)

    def prepare(locked: Matter) -> list[str]:
        if not may_hand(by, locked, to):
            raise BadTarget(_("“%(name)s” is not among those you may hand this matter to.") % {"name": to})
        return _new_category(locked, category, timezone.now())

    columns = {"handler": None, "handler_grid": None, "taken_by": None}
    columns["handler_grid" if isinstance(to, Place) else "handler"] = to  # type: ignore[assignment]
    name = "order" if is_branch else "dispatch"
    done = move(
        matter,
        name,
        actor=Actor.account(by),
        version=version,
        note=note,
        set=columns,
        prepare=prepare,
        changes={"to": str(to)},
    )
    notify((user for user in users_of(to) if user != by), done, "ordered" if is_branch else "dispatched", done.subject)
    return done


@dataclass
class BulkResult:
    """What became of each of several matters."""

    done: list[Matter]
    refused: list[tuple[Matter, str]]


def dispatch_many(
    matters: Iterable[tuple[Matter, int]],
    *,
    to: Organisation | Place,
    by: User,
    category: Category | None = None,
    note: str = "",
) -> BulkResult:
    """Hand over several matters, each in a transaction of its own; one that cannot go does not hold up the others.

    Args:
        matters: pairs of a matter and the version that the clerk saw.
    """
    result = BulkResult([], [])
    for matter, version in matters:
        try:
            result.done.append(dispatch(matter, to=to, by=by, version=version, category=category, note=note))
        except MoveError as error:
            result.refused.append((matter, str(error.message)))
    return result


@transaction.atomic
def transfer(matter: Matter, *, place: Place, by: User, version: int | None, note: str) -> Matter:
    """Send a matter to the clerks of another place in the same jurisdiction, with the reason.

    Raises:
        BadTarget: the place lies elsewhere, or the matter lies there already.
    """

    def prepare(locked: Matter) -> list[str]:
        if not places_for_transfer(locked).filter(pk=place.pk).exists():
            raise BadTarget(_("“%(name)s” is not a place in this county.") % {"name": place})
        if locked.place.pk == place.pk:
            raise BadTarget(_("The matter is already at “%(name)s”.") % {"name": place})
        if locked.place.path.startswith(place.path):
            return []  # passed up: where it happened stays known, and its village still sees it
        return locked.set_place(place)

    columns = {"handler": None, "handler_grid": None, "taken_by": None}
    done = move(
        matter,
        "transfer",
        actor=Actor.account(by),
        version=version,
        note=note,
        set=columns,
        prepare=prepare,
        changes={"to": str(place), "from": matter.place.path},
    )
    notify((user for user in users_of(place) if user != by), done, "transferred", done.subject)
    return done


@transaction.atomic
def decline(matter: Matter, *, by: User, version: int | None, note: str) -> Matter:
    """Do not take a matter on; the resident reads the reason."""
    done = move(matter, "decline", actor=Actor.account(by), version=version, note=note)
    _tell_resident(done, _("Your matter was not taken on"))
    return done


@transaction.atomic
def merge(matter: Matter, *, into: Matter, by: User, version: int | None) -> Matter:
    """Merge a duplicate into the matter that is worked on; its resident then follows that one.

    Raises:
        BadTarget: ``into`` is itself merged, not taken on, or the same matter.
    """

    def prepare(locked: Matter) -> list[str]:
        # Lock the other as well, in the order of their keys, so that two clerks cannot merge each into the other.
        other = Matter.objects.select_for_update(of=("self",)).get(pk=into.pk, jurisdiction_id=locked.jurisdiction_id)
        if other.pk == locked.pk:
            raise BadTarget(_("A matter cannot be merged into itself."))
        if other.state in ("merged", "declined"):
            raise BadTarget(
                _("%(number)s is itself merged or not taken on; choose another.") % {"number": other.number}
            )
        if Matter.objects.filter(merged_into=locked.pk).exists():
            raise BadTarget(_("Other matters were merged into this one; merge the other way round."))
        return []

    # Both rows in one order, whichever way round two clerks merge: no deadlock.
    both = Matter.objects.filter(pk__in=[matter.pk, into.pk], jurisdiction_id=matter.jurisdiction_id)
    list(both.select_for_update(of=("self",)).order_by("pk"))
    return move(
        matter,
        "merge",
        actor=Actor.account(by),
        version=version,
        set={"merged_into": into},
        prepare=prepare,
        changes={"into": into.number},
    )


@transaction.atomic
def start(matter: Matter, *, by: User, version: int | None) -> Matter:
    """Sign for a matter that was handed over: from now on it is under way."""
    return move(matter, "start", actor=Actor.account(by), version=version, changes={})


def take(matter: Matter, *, by: User, version: int | None = None) -> Matter:
    """Take an open order. The first has it; whoever comes second is told who was first."""
    try:
        with transaction.atomic():
            return move(matter, "take", actor=Actor.account(by), version=version, set={"taken_by": by}, changes={})
    except (NotPossible, Stale, MoveError) as error:
        now = Matter.objects.select_related("taken_by").get(pk=matter.pk)
        if now.taken_by_id and now.taken_by_id != by.pk:
            raise NotPossible(
                _("Another member was first to take this order. Thank you for stepping forward.")
            ) from error
        raise


@transaction.atomic
def report_progress(matter: Matter, *, by: User, version: int | None, note: str) -> Matter:
    """Report how far the work is; the resident reads it."""
    return move(matter, "progress", actor=Actor.account(by), version=version, note=note)


@transaction.atomic
def give_back(matter: Matter, *, by: User, version: int | None, note: str) -> Matter:
    """Give a matter back to the clerks who handed it over, with the reason."""
    columns = {"handler": None, "handler_grid": None, "taken_by": None}
    done = move(matter, "return", actor=Actor.account(by), version=version, note=note, set=columns, changes={})
    sender = Event.objects.filter(record_id=matter.pk, move__in=["dispatch", "order"]).order_by("at").last()
    if sender and sender.actor and sender.actor != by:
        notify([sender.actor], done, "returned", done.subject)
    return done


@transaction.atomic
def ask(matter: Matter, *, by: User, version: int | None, note: str) -> Matter:
    """Ask the resident; the clock stands until they answer."""
    done = move(matter, "ask", actor=Actor.account(by), version=version, note=note)
    _tell_resident(done, _("We have a question about your matter"))
    return done


def _asked(matter: Matter) -> Event | None:
    return Event.objects.filter(record_id=matter.pk, move="ask").order_by("at").last()


@transaction.atomic
def answer(matter: Matter, *, note: str, by: User | None = None) -> Matter:
    """Keep the resident's answer, given by themselves or told to a clerk; the matter goes on where it was."""
    asked = _asked(matter)
    actor = Actor.account(by) if by else THE_RESIDENT
    done = move(matter, "answer", actor=actor, version=None, note=note, target=asked.from_state if asked else "raised")
    if asked and asked.actor and asked.actor != by:
        notify([asked.actor], done, "answered", done.subject)
    return done


def check_public(text: str, matter: Matter) -> None:
    """Refuse a text for everybody that holds what looks personal.

    Raises:
        PersonalInPublic: it holds a telephone or ID number, or the resident's name.
    """
    if found := personal_in(text):
        raise PersonalInPublic(
            _("The public text holds “%(found)s…”, which looks personal. Take it out.") % {"found": found[:4]}
        )
    if len(matter.reporter_name) > 1 and matter.reporter_name in text:
        raise PersonalInPublic(_("The public text names the resident. Take the name out."))


@transaction.atomic
def settle(
    matter: Matter,
    *,
    by: User,
    version: int | None,
    outcome: str,
    public_outcome: str = "",
    publish: bool = True,
) -> Matter:
    """Settle a matter: what was done, for the resident; and, for all, what may be told of it.

    Args:
        outcome: for the resident.
        public_outcome: for everybody, without anything personal; empty shows kind, place, time and rating only.
        publish: whether it is shown to everybody at all.

    Raises:
        PersonalInPublic: the public text holds something personal.
    """

    def prepare(locked: Matter) -> list[str]:
        now = timezone.now()
        check_public(public_outcome, locked)
        locked.settled_at = now
        locked.settled_late = bool(locked.due_at and locked.due_at < now)
        locked.rate_until = now + dt.timedelta(days=locked.jurisdiction.rate_days)
        locked.reopen_until = now + dt.timedelta(days=locked.jurisdiction.reopen_days)
        module = rows_by_id(Module, [locked.module_id])[locked.module_id]
        category = rows_by_id(Category, [locked.category_id])[locked.category_id]
        locked.public_title = f"{module.name} · {category.name}"
        return ["settled_at", "settled_late", "rate_until", "reopen_until", "public_title"]

    columns = {"outcome": outcome.strip(), "public_outcome": public_outcome.strip(), "published": publish}
    done = move(
        matter,
        "settle",
        actor=Actor.account(by),
        version=version,
        note=outcome,
        set=columns,
        prepare=prepare,
        changes={"published": publish},
    )
    _tell_resident(done, _("Your matter was settled; please rate it"))
    return done


@transaction.atomic
@transaction.atomic
def reveal_contact(matter: Matter, *, by: User, reason: str) -> Contact:
    """Return the resident's contact in full, and keep who looked at it and why; the resident reads the reason.

    Raises:
        NoReason: none is given, see :func:`weilu.records.looking.reason_in`.
    """
    keep_look(matter, reason=reason, by=by)
    return Contact(matter.reporter_name, matter.reporter_phone, matter.reporter_email)
