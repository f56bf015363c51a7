"""The verbs that make people belong to bodies, and end that; what the database refuses is said in words."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.bodies import constraint_of
from weilu.orgs.models import Level, Organisation, Place, User
from weilu.orgs.sharding import key_of
from weilu.people.models import Membership, Person
from weilu.people.persons import PersonProblem, add_years, keeps, note
from weilu.records.models import Event

Kind, Body = Membership.Kind, Organisation.Kind
PARTY = frozenset({Body.PARTY_COMMITTEE, Body.BRANCH, Body.PARTY_GROUP})
OF_THE_PARTY = frozenset({Kind.SECRETARY, Kind.MEMBER, Kind.PART_TIME})
# Reporting to the home estate has rules of its own, see :mod:`weilu.people.reporting`.
ENTERED = [kind for kind in Kind if kind != Kind.REPORTED]


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint_of(error) != "membership_once_at_a_time":
            raise
        raise PersonProblem(
            _("They belong to this body as this on some of these days already. End that first."), "since"
        ) from error


def kinds_for(body: Organisation) -> list[Membership.Kind]:
    """Return as what people can belong to a body: Party members to bodies of the Party alone."""
    party = body.kind in PARTY
    return [kind for kind in ENTERED if (kind in OF_THE_PARTY) == party or (party and kind == Kind.VOLUNTEER)]


def join(
    person: Person, body: Organisation, *, kind: str, by: User | None, since: dt.date, until: dt.date | None = None,
    place: Place | None = None, note: str = "",
) -> Membership:  # fmt: skip
    """Make a person belong to a body.

    Args:
        kind: as what, see :func:`kinds_for`.
        by: who enters it: a clerk of the body's place; None for an import or the demo.
        until: the first day on which they no longer belong to it.
        place: the grid of a grid worker; None where they walk all grids of the village.

    Raises:
        PersonProblem: the days cannot be or overlap, the kind does not fit the body, or ``by`` keeps no bodies there.
    """
    with _in_words():
        held = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
        _may(body, by)
        if held.merged_into_id:
            raise PersonProblem(_("This record was merged into another of the same person: choose that one."), "person")
        if held.jurisdiction_id != body.jurisdiction_id:
            raise PersonProblem(_("This person is known in another county only."), "person")
        if kind not in kinds_for(body):
            raise PersonProblem(_("Nobody belongs to a body of this kind as that."), "kind")
        _check_days(held, body, kind, since, until)
        _check_place(body, kind, place)
        row = Membership.objects.create(
            person=held, organisation=body, kind=kind, place=place, note=note.strip(), valid_from=since, valid_to=until
        )
        _keep("join", row, by)
    return row


def end(row: Membership, *, by: User | None, on: dt.date) -> Membership:
    """End a membership; ``on`` is the first day on which the person no longer belongs to the body.

    Raises:
        PersonProblem: it ended before, ``on`` is not after its first day, or ``by`` keeps no bodies there.
    """
    with transaction.atomic():
        held = _locked(row)
        _may(held.organisation, by)
        if held.valid_to and held.valid_to <= on:
            raise PersonProblem(_("This ended on %(day)s already.") % {"day": held.valid_to}, "on")
        if on <= held.valid_from:
            raise PersonProblem(
                _("It began on %(day)s and ends the day after at the earliest. If it never was, take it back.")
                % {"day": held.valid_from},
                "on",
            )
        held.valid_to = on
        held.save(update_fields=["valid_to"])
        _keep("leave", held, by)
    return held


@transaction.atomic
def take_back(row: Membership, *, by: User | None) -> None:
    """Take back a membership that was entered by mistake: it never was. The histories keep that it was entered.

    Raises:
        PersonProblem: ``by`` keeps no bodies there.
    """
    held = _locked(row)
    _may(held.organisation, by)
    _keep("join_undo", held, by)
    held.delete()


def _locked(row: Membership) -> Membership:
    rows = Membership.objects.select_for_update(of=("self",)).select_related("person", "organisation__place")
    found = rows.filter(**key_of(row)).first()
    if found is None:
        raise PersonProblem(_("This was taken back already."))
    return found


def _may(body: Organisation, by: User | None) -> None:
    if by is not None and not keeps(by, body.place):
        raise PersonProblem(_("Your account may not do this here."))


def _check_days(person: Person, body: Organisation, kind: str, since: dt.date, until: dt.date | None) -> None:
    if until and until <= since:
        raise PersonProblem(_("It ends on or before the day on which it begins."), "until")
    if since < body.valid_from:
        raise PersonProblem(
            _("“%(name)s” began on %(day)s, after this day.") % {"name": body, "day": body.valid_from}, "since"
        )
    if body.valid_to and (until is None or until > body.valid_to):
        raise PersonProblem(
            _("“%(name)s” ends on %(day)s, before these days are over.") % {"name": body, "day": body.valid_to}, "until"
        )
    born = person.birth_date
    if born and since < born:
        raise PersonProblem(_("They were born on %(day)s.") % {"day": born}, "since")
    if born and kind == Kind.MEMBER and since < add_years(born, 18):
        raise PersonProblem(_("Nobody joins the Party before the age of 18 (Party constitution, article 1)."), "since")


def _check_place(body: Organisation, kind: str, place: Place | None) -> None:
    if place is None:
        return
    if kind != Kind.GRID_WORKER or place.level < Level.GRID:
        raise PersonProblem(_("Only a grid worker has a grid."), "place")
    if not place.path.startswith(body.place.path):
        raise PersonProblem(_("This grid lies outside the body's place."), "place")


def _keep(move: str, row: Membership, by: User | None) -> None:
    """Write into the histories of the person and the body; who it is, the rows say."""
    days = {"since": row.valid_from.isoformat(), "until": row.valid_to.isoformat() if row.valid_to else ""}
    what = {"membership": str(row.pk), "kind": row.kind, **days}
    note(row.person, move, by, changes={"organisation": str(row.organisation_id), **what})
    Event.objects.create(
        jurisdiction_id=row.organisation.jurisdiction_id, record_kind="organisation", record_id=row.organisation_id,
        at=timezone.now(), move=f"member_{move}", actor=by, actor_name=by.name if by else "", changes=what,
        open_to_resident=False,
    )  # fmt: skip
