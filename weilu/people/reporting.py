"""Employed members report to the branch of their home estate (在职党员报到); people ask for corrections."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.models import Grant, Level, Organisation, Place, User, grants_on, valid_on
from weilu.orgs.roles import Role
from weilu.orgs.sharding import key_of
from weilu.people.models import Membership, Person
from weilu.people.persons import KIND, PersonProblem, keeps, note
from weilu.records.models import Event
from weilu.records.outbox import notify

Kind = Membership.Kind
CLERKS = (Role.VILLAGE_CLERK, Role.TOWNSHIP_CLERK, Role.COUNTY_CLERK)
ASKED, ANSWERED = "ask_correction", "correct"
LONGEST = 500


# Reporting to the home estate.


def branches_at_home(person: Person) -> QuerySet[Organisation]:
    """Return the branches that stand in the village or community where a person lives; not their own."""
    village = village_of(person.home)
    own = person.memberships.filter(valid_on(timezone.localdate()), kind__in=[Kind.MEMBER, Kind.SECRETARY])
    rows = Organisation.objects.filter(
        valid_on(timezone.localdate()), kind=Organisation.Kind.BRANCH, place__path__startswith=village.path
    )
    return rows.exclude(pk__in=own.values("organisation")).order_by("name")


def village_of(place: Place) -> Place:
    """Return the village or community that a grid or building lies in; a place above is returned as it is."""
    while place.level > Level.VILLAGE and place.parent:
        place = place.parent
    return place


def reported_to(person: Person) -> Membership | None:
    """Return where a person has reported, as of today."""
    rows = person.memberships.filter(valid_on(timezone.localdate()), kind=Kind.REPORTED)
    return rows.select_related("organisation__place").order_by("-valid_from").first()


def reported_away(person: Person) -> Membership | None:
    """Return where a person has reported, if their home lies in another village or community today."""
    row = reported_to(person)
    home = village_of(person.home)
    return row if row and not row.organisation.place.path.startswith(home.path) else None


def may_report(person: Person) -> bool:
    """Tell whether a person is an employed member: of the Party in a branch, at work or in another place."""
    today = timezone.localdate()
    member = person.memberships.filter(valid_on(today), kind__in=[Kind.MEMBER, Kind.SECRETARY])
    employed = (
        person.work_id is not None
        or member.exclude(organisation__place__path__startswith=village_of(person.home).path).exists()
    )
    return employed and member.exists()


def report_home(
    person: Person,
    *,
    branch: Organisation,
    by: User | None,
    on: dt.date | None = None,
    leaving: Membership | None = None,
) -> Membership:
    """Report an employed member to the branch of their home estate: a clerk does, or the member.

    Args:
        leaving: where they have reported until now, as before they moved; it ends today.

    Raises:
        PersonProblem: they are no employed member, reported already, the branch is not of their home, or ``by`` is
            neither a clerk of their home nor they themselves.
    """
    on = on or timezone.localdate()
    try:
        with transaction.atomic():
            held = Person.objects.select_for_update(of=("self",)).select_related("home__parent").get(**key_of(person))
            if by is not None and by.pk != held.user_id and not keeps(by, held.home):
                raise PersonProblem(_("Your account may not do this here."))
            if leaving:
                end_report(leaving, by=by)
            if on > timezone.localdate():
                raise PersonProblem(_("Nobody has reported on a day that is yet to come."), "on")
            if not may_report(held):
                raise PersonProblem(
                    _("Only employed Party members report: enter the branch they belong to and where they work first.")
                )
            if there := reported_to(held):
                raise PersonProblem(
                    _("%(name)s has reported to %(body)s already.") % {"name": held, "body": there.organisation}
                )
            if not branches_at_home(held).filter(pk=branch.pk).exists():
                raise PersonProblem(_("Choose a branch of the place where they live."), "branch")
            if on < branch.valid_from:
                raise PersonProblem(_("The branch began on %(day)s.") % {"day": branch.valid_from}, "on")
            row = Membership.objects.create(person=held, organisation=branch, kind=Kind.REPORTED, valid_from=on)
            note(held, "report_home", by, changes={"organisation": str(branch.pk)})
            return row
    except IntegrityError as error:
        problem = _("On this day they had reported to the branch already; choose a later day.")
        raise PersonProblem(problem, "on") from error


def end_report(row: Membership, *, by: User | None) -> None:
    """End a reported membership today, as when somebody moves away; one of today never was.

    Raises:
        PersonProblem: ``by`` is neither a clerk of their home nor they themselves.
    """
    with transaction.atomic():
        held = Membership.objects.select_for_update(of=("self",)).select_related("person__home").get(**key_of(row))
        person, today = held.person, timezone.localdate()
        if by is not None and by.pk != person.user_id and not keeps(by, person.home):
            raise PersonProblem(_("Your account may not do this here."))
        if held.valid_to:
            raise PersonProblem(_("This has ended already."))
        if held.valid_from >= today:
            held.delete()
        else:
            held.valid_to = today
            held.save(update_fields=["valid_to"])
        note(person, "report_end", by, changes={"organisation": str(held.organisation_id)})


# Corrections that somebody asks for of what is recorded about them.


def clerks_of(place: Place) -> list[User]:
    """Return the clerks of the lowest place, from ``place`` upwards, that has any."""
    rows = grants_on(timezone.localdate()).filter(role__in=CLERKS, place__code__in=place.ancestor_codes)
    grants: list[Grant] = list(rows.filter(user__is_active=True).select_related("user", "place"))
    lowest = max((grant.place.level for grant in grants), default=0)
    return [grant.user for grant in grants if grant.place.level == lowest]


@transaction.atomic
def ask_correction(person: Person, *, text: str, by: User) -> Event:
    """Ask the clerks of one's home place to correct what is recorded.

    Raises:
        PersonProblem: nothing is said, too much, or the record is not that of ``by``.
    """
    said = text.strip()
    if person.user_id != by.pk:
        raise PersonProblem(_("Your account may not do this here."))
    if not said:
        raise PersonProblem(_("Say what is wrong, and how it should read."), "note")
    if len(said) > LONGEST:
        raise PersonProblem(_("At most %(n)s characters.") % {"n": LONGEST}, "note")
    event = note(person, ASKED, by, text=said)
    notify(clerks_of(person.home), person, ASKED, person.masked_name)
    return event


@transaction.atomic
def answer_correction(person: Person, *, asked: str, text: str, by: User) -> Event:
    """Answer one of the corrections asked for: what was corrected, or why not. The person is told.

    Args:
        asked: the key of the event with which it was asked for.

    Raises:
        PersonProblem: it is not open any more, nothing is said, or ``by`` is no clerk of their home.
    """
    said = text.strip()
    held = Person.objects.select_for_update(of=("self",)).select_related("home", "user").get(**key_of(person))
    if not keeps(by, held.home):
        raise PersonProblem(_("Your account may not do this here."))
    if not said or len(said) > LONGEST:
        raise PersonProblem(_("Say what was corrected, or why not; at most %(n)s characters.") % {"n": LONGEST}, "note")
    if asked not in {str(event.pk) for event in open_corrections(held)}:
        raise PersonProblem(_("This request was answered already."))
    event = note(held, ANSWERED, by, text=said, changes={"asked": asked})
    if held.user:
        notify([held.user], held, ANSWERED, held.masked_name)
    return event


def open_corrections(person: Person) -> list[Event]:
    """Return what a person asked to have corrected and nobody has answered, the first request first; of records that
    were merged into this one too.

    An answer names its request; one without a name, of earlier days, closed all that were open.
    """
    rows = history(person, ASKED, ANSWERED).order_by("at", "id")
    waiting: list[Event] = []
    for event in rows:
        answered = event.changes.get("asked")
        if event.move == ASKED:
            waiting.append(event)
        elif answered:
            waiting = [row for row in waiting if str(row.pk) != answered]
        else:
            waiting = []
    return waiting


def history(person: Person, *moves: str) -> QuerySet[Event]:
    """Return what happened to a person's record and those merged into it, newest first."""
    keys = [person.pk, *person.merged.values_list("pk", flat=True)]
    rows = Event.objects.filter(Q(move__in=moves) if moves else Q(), record_id__in=keys, record_kind=KIND)
    return rows.order_by("-at", "-id")
