"""The verbs that make, change and close a body. What the database refuses is said in words."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as BadNumber

from weilu.orgs.models import (
    Grant,
    Jurisdiction,
    Level,
    Organisation,
    OrganisationChange,
    Place,
    User,
    lasts_beyond,
    valid_on,
)
from weilu.orgs.succession import places_today

Kind = Organisation.Kind
Change = OrganisationChange.Kind

DEEPEST = 12
COLUMNS = (
    *("kind", "name", "place", "parent", "phone", "speciality", "credit_code", "serves", "aliases", "valid_from"),
)
# What the lower two of the four levels of Party organisations hang on; other kinds hang where a county wants them.
PARENTS: dict[str, tuple[Kind, ...]] = {
    Kind.PARTY_COMMITTEE: (
        *(Kind.PARTY_COMMITTEE, Kind.DEPARTMENT, Kind.OFFICE, Kind.COMMUNITY, Kind.CO_BUILDER, Kind.ENTERPRISE),
    ),
    Kind.BRANCH: (
        *(Kind.PARTY_COMMITTEE, Kind.BRANCH, Kind.DEPARTMENT, Kind.OFFICE, Kind.COMMUNITY, Kind.CO_BUILDER),
        *(Kind.ENTERPRISE, Kind.PROPERTY_FIRM),
    ),
    Kind.PARTY_GROUP: (Kind.BRANCH,),
    Kind.MEMBER_HOUSEHOLD: (Kind.PARTY_GROUP, Kind.BRANCH),
}
# Where the offices stand that are named after a level.
LEVELS: dict[str, tuple[Level, ...]] = {
    Kind.DEPARTMENT: (Level.PROVINCE, Level.CITY, Level.COUNTY),
    Kind.COMMUNITY: (Level.VILLAGE,),
}
EARLIEST = dt.date(1900, 1, 1)
AHEAD = dt.timedelta(days=731)
MESSAGES: dict[str, tuple[str, Promise]] = {
    "organisation_not_older_than_parent": (
        "valid_from",
        _lazy("A body cannot be older than the body above it: look at the days on which they and those below began."),
    ),
    "organisation_not_its_own_parent": ("parent", _lazy("A body cannot stand below itself.")),
    "organisation_ends_later": ("valid_to", _lazy("A body cannot end on or before the day on which it began.")),
    "organisation_credit_code_once": ("credit_code", _lazy("Another body has this unified social credit code.")),
    "organisation_once_at_a_place": ("name", _lazy("A body of this name stands here already.")),
    "organisation_parent_began": (
        "parent",
        _lazy("The body above was changed at this moment. Look again, then repeat."),
    ),
}


class BodyError(ValueError):
    """A body cannot be so.

    Attributes:
        column: the field it lies in; empty where it lies in none.
        message: what is wrong and what to do, in the reader's language.
    """

    def __init__(self, message: str, column: str = ""):
        super().__init__(message)
        self.message, self.column = message, column


def constraint_of(error: IntegrityError) -> str:
    """Return the name of the constraint that refused a row; empty if the database does not say."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", "") or ""


@contextmanager
def in_words(known: Mapping[str, tuple[str, Promise]], problem: Callable[[str, str], Exception]) -> Iterator[None]:
    """Do all or nothing, and say in words what a constraint refused; what has none of ours is raised as it is.

    Args:
        known: of each constraint, the field it lies in and what to say.
        problem: makes what is raised, of a message and a field.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        said = known.get(constraint_of(error))
        if said is None:
            raise
        raise problem(str(said[1]), said[0]) from error


def _in_words() -> AbstractContextManager[None]:
    return in_words(MESSAGES, BodyError)


def make_body(
    *, place: Place, kind: str, name: str, by: User | None, since: dt.date, document: str = "", **given: Any
) -> Organisation:
    """Make a body that stands at ``place`` from ``since``.

    Args:
        by: who enters it; None for an import or the demo.
        given: further columns of :class:`Organisation`, such as ``parent``, ``speciality`` or ``credit_code``.

    Raises:
        BodyError: the name is taken at this place, the body above is younger, of another county or of a kind that
            carries no such body, or the credit code (GB 32100) is wrong or taken.
    """
    jurisdiction = Jurisdiction.of(place)
    if jurisdiction is None:
        raise BodyError(_("%(place)s lies in no county that is open.") % {"place": place}, "place")
    body = Organisation(
        jurisdiction=jurisdiction, place=place, kind=kind, name=name.strip(), valid_from=since, **given
    )  # fmt: skip
    with _in_words():
        _hang(body)
        _check(body)
        body.save(force_insert=True)
        _note(body, Change.BEGIN, since, by, document, {"name": ["", body.name]})
    return body


def change_body(body: Organisation, *, by: User | None, on: dt.date, document: str = "", **given: Any) -> Organisation:
    """Rename a body, put it below another, or correct what is known of it; what it was is kept.

    A name that it had is kept among its aliases, so that rosters which still use it are understood.

    Args:
        on: the day from which this holds.
        given: columns and their new values; those that do not differ are left alone.

    Raises:
        BodyError: as for :func:`make_body`; or ``on`` lies before the body began.
    """
    with _in_words():
        held = Organisation.objects.select_for_update().get(pk=body.pk)
        was = {name: getattr(held, name) for name in given if name in COLUMNS}
        given = {name: value for name, value in given.items() if name in COLUMNS and value != was[name]}
        if not given:
            return held
        if on < given.get("valid_from", held.valid_from):
            raise BodyError(_("The body began on %(day)s, after this day.") % {"day": held.valid_from}, "on")
        if on > max(timezone.localdate(), held.valid_from):
            raise BodyError(_("The day lies ahead. Enter the change on that day, not before."), "on")
        for name, value in given.items():
            setattr(held, name, value)
        if "name" in given:
            held.name = held.name.strip()
            held.aliases = [*held.aliases, was["name"]] if was["name"] not in held.aliases else held.aliases
        if "parent" in given:
            _hang(held)
        _check(held)
        held.save(update_fields=[*given, *({"aliases"} if "name" in given else ())])
        columns = {name: [_word(was[name]), _word(getattr(held, name))] for name in given}
        kind = Change.RENAME if "name" in given else Change.MOVE if "parent" in given else Change.CHANGE
        _note(held, kind, on, by, document, columns)
    return held


def work_in_hand(body: Organisation) -> int:
    """Return how many records that are not settled are in the hands of a body."""
    relations: Any = [each for each in Organisation._meta.get_fields(include_hidden=True) if each.auto_created]
    held = {each.related_model for each in relations if each.field.name == "handler"}
    return sum(
        model._default_manager.filter(handler=body).open().count() for model in held if hasattr(model, "workflow")
    )


def close_body(
    body: Organisation, *, by: User | None, on: dt.date, document: str = "", ended: dict[str, Any] | None = None
) -> Organisation:
    """Close a body on a day; roles that accounts hold in it end with it.

    Its posts and members are of the app of people: :func:`weilu.people.closing.close_with_people` ends them too.

    Args:
        ended: what else ends with it, kept so that the closing can be taken back.

    Raises:
        BodyError: it is closed already, bodies below it go on, work is in its hands, or ``on`` is not after the day on
            which it began.
    """
    with _in_words():
        held = Organisation.objects.select_for_update().get(pk=body.pk)
        if held.valid_to:
            raise BodyError(_("The body was closed on %(day)s already.") % {"day": held.valid_to})
        going_on = held.children.filter(lasts_beyond(on))
        if names := list(going_on.values_list("name", flat=True)[:4]):
            raise BodyError(
                _("Bodies below it go on: %(names)s. Close them first, or put them below another.")
                % {"names": "、".join(names[:3]) + ("…" if len(names) > 3 else "")}
            )
        if count := work_in_hand(held):
            raise BodyError(
                _("%(count)s matters that are not settled are in its hands. Transfer or settle them first.")
                % {"count": count}
            )
        held.valid_to = on
        held.save(update_fields=["valid_to"])
        Grant.objects.filter(valid_on(on), organisation=held).update(valid_to=Greatest(on, F("valid_from")))
        Grant.objects.filter(organisation=held, valid_from__gt=on).update(valid_to=F("valid_from"))
        _note(held, Change.CLOSE, on, by, document, {}, ended)
    return held


def closing_of(body: Organisation) -> OrganisationChange | None:
    """Return the closing of a body that can be taken back: it was entered today, or its day lies ahead."""
    change = body.changes.filter(kind__in=[Change.CLOSE, Change.REOPEN]).order_by("-created_at", "-id").first()
    if body.valid_to is None or change is None or change.kind != Change.CLOSE or change.day != body.valid_to:
        return None
    today = timezone.localdate()
    return change if timezone.localdate(change.created_at) == today or change.day > today else None


def reopen_body(body: Organisation, *, by: User | None) -> OrganisationChange:
    """Take back the closing of a body; return what was noted of the closing.

    Raises:
        BodyError: it was closed on another day, or the body above has been closed since.
    """
    with _in_words():
        held = Organisation.objects.select_for_update().get(pk=body.pk)
        change = closing_of(held)
        if change is None:
            raise BodyError(_("Only a closing that was entered today can be taken back. Enter the body anew."))
        held.valid_to = None
        after = places_today(held.place)
        if len(after) != 1:
            words = _("%(place)s was split since. Enter the body anew where it stands now.")
            raise BodyError(words % {"place": held.place})
        [held.place] = after
        _hang(held)
        held.save(update_fields=["valid_to", "place"])
        _note(held, Change.REOPEN, timezone.localdate(), by, "", {})
        return change


def _hang(body: Organisation) -> None:
    """Check what ``body`` is put below, under lock: its first day is copied into the row."""
    if body.parent_id is None:
        return
    parent = Organisation.objects.select_for_update().filter(pk=body.parent_id).first()
    if parent is None or parent.jurisdiction_id != body.jurisdiction_id:
        raise BodyError(_("The body above must belong to the same county."), "parent")
    body.parent = parent
    if parent.valid_to:
        raise BodyError(_("%(name)s was closed on %(day)s.") % {"name": parent, "day": parent.valid_to}, "parent")
    if body.valid_from < parent.valid_from:
        raise BodyError(
            _("%(name)s began on %(day)s; a body below it cannot be older.")
            % {"name": parent, "day": parent.valid_from},
            "valid_from",
        )
    allowed = PARENTS.get(body.kind)
    if allowed and parent.kind not in allowed:
        raise BodyError(
            _("A body of the kind “%(kind)s” cannot stand below one of the kind “%(above)s”.")
            % {"kind": body.get_kind_display(), "above": parent.get_kind_display()},
            "parent",
        )
    _refuse_circle(body, parent)


def _refuse_circle(body: Organisation, parent: Organisation) -> None:
    above: Organisation | None = parent
    for _step in range(DEEPEST):
        if above is None:
            return
        if above.pk == body.pk:
            raise BodyError(_("%(name)s stands below this body: that would be a circle.") % {"name": parent}, "parent")
        above = above.parent
    raise BodyError(_("Bodies stand at most %(count)s deep.") % {"count": DEEPEST}, "parent")


def _check(body: Organisation) -> None:
    if not body.name:
        raise BodyError(_("The body needs a name."), "name")
    if body.kind not in Kind.values:
        raise BodyError(_("There is no such kind of body."), "kind")
    if (levels := LEVELS.get(body.kind)) and body.place.level not in levels:
        raise BodyError(
            _("A body of the kind “%(kind)s” does not stand at %(place)s.")
            % {"kind": body.get_kind_display(), "place": body.place},
            "kind",
        )
    if not EARLIEST <= body.valid_from <= timezone.localdate() + AHEAD:
        raise BodyError(_("Bodies began after 1900, and at most two years from now."), "valid_from")
    if body.credit_code:
        try:
            body.credit_code = uscc.validate(body.credit_code)
        except BadNumber as error:
            raise BodyError(
                _("%(code)s is no unified social credit code (GB 32100): 18 signs, the last of which checks the rest.")
                % {"code": body.credit_code},
                "credit_code",
            ) from error


def _word(value: Any) -> str:
    return "、".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _note(
    body: Organisation, kind: Change, day: dt.date, by: User | None, document: str, columns: dict[str, Any],
    ended: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    OrganisationChange.objects.create(
        jurisdiction_id=body.jurisdiction_id, organisation=body, kind=kind, day=day, created_by=by,
        document=document.strip(), columns=columns, ended=ended or {},
    )  # fmt: skip
