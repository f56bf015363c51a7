"""The verbs that write matters. Pages, imports, commands and interfaces call these, and nothing else changes a matter."""

import datetime as dt
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from weilu.lib.crypto import keyed_hash
from weilu.lib.search import words_of
from weilu.matters.models import Category, Channel, Matter, Module
from weilu.matters.queries import add_words, may_hand, places_for_transfer, users_of
from weilu.matters.workflow import DONE
from weilu.orgs.models import Level, Organisation, Place, User
from weilu.records.models import SECRET_ALPHABET, SECRET_LENGTH, Attachment, Event, next_numbers
from weilu.records.moves import (
    THE_RESIDENT,
    THE_SYSTEM,
    Actor,
    Incomplete,
    MoveError,
    NotPossible,
    Stale,
    move,
)
from weilu.records.outbox import mail, notify

PERSONAL = re.compile(r"(?<!\d)(1[3-9]\d{9}|\d{17}[\dXx]|\d{15})(?!\d)")


class BadTarget(MoveError):
    """The matter cannot go there."""


class PersonalInPublic(MoveError):
    """A text meant for everybody holds something personal."""


@dataclass(frozen=True)
class Contact:
    """How to reach the resident; all of it optional."""

    name: str = ""
    phone: str = ""
    email: str = ""


def secret_for(intake_key: str) -> str:
    """Return the secret of the matter filed under ``intake_key``: sending a form twice gives the same one."""
    digest = hmac.new(settings.DATA_KEY.encode(), f"matter:{intake_key}".encode(), sha256).digest()
    number = int.from_bytes(digest[:16])
    letters = []
    for _unused in range(SECRET_LENGTH):
        number, index = divmod(number, len(SECRET_ALPHABET))
        letters.append(SECRET_ALPHABET[index])
    return "".join(letters)


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return keyed_hash("secret:" + secret.strip().upper())


def file_matter(
    *,
    place: Place,
    module: Module,
    category: Category,
    subject: str,
    detail: str = "",
    address: str = "",
    position: tuple[float, float] | None = None,
    channel: str = Channel.WEB,
    contact: Contact | None = None,
    intake_key: str,
    by: User | None = None,
    attachments_of: UUID | None = None,
) -> tuple[Matter, str]:
    """Take in a matter and start its clock.

    Args:
        place: the lowest place known, county to grid, in the jurisdiction of ``module``.
        position: latitude and longitude (WGS 84), if the resident gave them.
        intake_key: names this filing; the same key again returns the matter that is there.
        attachments_of: id under which photos were kept while the form was filled in.

    Returns:
        the matter and the secret to follow it by.
    """
    contact = contact or Contact()
    secret = secret_for(intake_key)
    jurisdiction = module.jurisdiction
    now = timezone.now()
    matter = Matter(
        jurisdiction=jurisdiction,
        module=module,
        category=category,
        channel=channel,
        subject=subject,
        detail=detail,
        address=address,
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        reporter_name=contact.name,
        reporter_phone=contact.phone,
        reporter_phone_hash=keyed_hash(contact.phone),
        reporter_email=contact.email,
        secret_hash=secret_hash(secret),
        intake_key=intake_key,
        state="raised",
        created_at=now,
        created_by=by,
    )
    matter.set_place(place)
    matter.start_clock(category.days, now)
    words = words_of(f"{subject} {detail} {address} {matter.place}")
    try:
        with transaction.atomic():
            [matter.number] = next_numbers(jurisdiction, "matter", now)
            matter.save(force_insert=True)
            add_words([(matter, words)])
            matter.event = record_filing(matter, by)  # type: ignore[attr-defined]
            if attachments_of:
                Attachment.objects.filter(record_kind="draft", record_id=attachments_of).update(
                    record_kind="matter", record_id=matter.pk, event_id=matter.event.pk  # type: ignore[attr-defined]
                )
    except IntegrityError:
        there = Matter.objects.filter(jurisdiction=jurisdiction, intake_key=intake_key).first()
        if there is None:
            raise
        return there, secret
    return matter, secret


def record_filing(matter: Matter, by: User | None) -> Event:
    """Write the first event of a matter."""
    return Event.objects.create(
        jurisdiction_id=matter.jurisdiction_id,
        record_kind="matter",
        record_id=matter.pk,
        at=matter.created_at,
        move="file",
        to_state=matter.state,
        actor=by,
        actor_name=by.name if by else "",
        changes={"channel": str(matter.channel)},
    )


def _tell_resident(matter: Matter, what: str | Promise) -> None:
    if matter.reporter_email:
        mail(
            matter,
            matter.reporter_email,
            f"{what} {matter.number}",
            f"{what}\n\n{matter.subject}\n{settings.SITE_URL}/follow/?number={matter.number}\n",
        )


def _new_category(matter: Matter, category: Category | None, now: dt.datetime) -> list[str]:
    """Set another category; the clock then runs by its days, counted from the receipt."""
    if category is None or category.pk == matter.category_id:
        return []
    matter.category = category
    if matter.due_at:
        matter.due_at = matter.hours.add(matter.created_at, category.days * matter.hours.day)
        matter.due_at = max(matter.due_at, now)
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
        matter, name, actor=Actor.account(by), version=version, note=note, set=columns, prepare=prepare,
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
    matters: Iterable[tuple[Matter, int]], *, to: Organisation | Place, by: User, category: Category | None = None,
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
        return locked.set_place(place)

    columns = {"handler": None, "handler_grid": None, "taken_by": None}
    done = move(
        matter, "transfer", actor=Actor.account(by), version=version, note=note, set=columns, prepare=prepare,
        changes={"to": str(place)},
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
            raise BadTarget(_("%(number)s is itself merged or not taken on; choose another.") % {"number": other.number})
        if Matter.objects.filter(merged_into=locked.pk).exists():
            raise BadTarget(_("Other matters were merged into this one; merge the other way round."))
        return []

    # Both rows in one order, whichever way round two clerks merge: no deadlock.
    list(Matter.objects.select_for_update(of=("self",)).filter(pk__in=[matter.pk, into.pk]).order_by("pk"))
    return move(
        matter, "merge", actor=Actor.account(by), version=version, set={"merged_into": into}, prepare=prepare,
        changes={"into": into.number},
    )


def start(matter: Matter, *, by: User, version: int | None) -> Matter:
    """Sign for a matter that was handed over: from now on it is under way."""
    return move(matter, "start", actor=Actor.account(by), version=version, changes={})


def take(matter: Matter, *, by: User, version: int | None = None) -> Matter:
    """Take an open order. The first has it; whoever comes second is told who was first."""
    try:
        return move(matter, "take", actor=Actor.account(by), version=version, set={"taken_by": by}, changes={})
    except (NotPossible, Stale, MoveError) as error:
        now = Matter.objects.select_related("taken_by").get(pk=matter.pk)
        if now.taken_by_id and now.taken_by_id != by.pk:
            raise NotPossible(_("Another member was first to take this order. Thank you for stepping forward.")) from error
        raise


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
    if found := PERSONAL.search(text):
        raise PersonalInPublic(
            _("The public text holds “%(found)s…”, which looks like a telephone or ID number. Take it out.")
            % {"found": found.group()[:4]}
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
        names = Matter.objects.filter(pk=locked.pk).values_list("module__name", "category__name")
        locked.public_title = " · ".join(names[0])
        return ["settled_at", "settled_late", "rate_until", "reopen_until", "public_title"]

    columns = {"outcome": outcome.strip(), "public_outcome": public_outcome.strip(), "published": publish}
    done = move(
        matter, "settle", actor=Actor.account(by), version=version, note=outcome, set=columns, prepare=prepare,
        changes={"published": publish},
    )
    _tell_resident(done, _("Your matter was settled; please rate it"))
    return done


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
        matter, "rate", actor=THE_RESIDENT, version=None, note=comment, set=columns, prepare=prepare,
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
            raise NotPossible(_("A matter can be reopened once, until %(days)s days after it was settled.") % {
                "days": locked.jurisdiction.reopen_days
            })
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
                move(matter, "lapse", actor=THE_SYSTEM, version=matter.version, changes={})
                count += 1
            except MoveError:  # the resident was quicker, or another worker
                continue
        if progress:
            progress(count)
        if len(batch) < 500:
            return count


@transaction.atomic
def reveal_contact(matter: Matter, *, by: User) -> Contact:
    """Return the resident's contact in full, and keep who looked at it."""
    Event.objects.create(
        jurisdiction_id=matter.jurisdiction_id,
        record_kind="matter",
        record_id=matter.pk,
        move="unmask",
        from_state=matter.state,
        to_state=matter.state,
        actor=by,
        actor_name=by.name,
        open_to_resident=False,
    )
    return Contact(matter.reporter_name, matter.reporter_phone, matter.reporter_email)


def level_word(place: Place) -> str:
    """Return the level of a place in words."""
    return str(Level(place.level).label)
