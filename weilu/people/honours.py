"""Honours of people and bodies: entered, withdrawn with a reason, listed."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.bodies import constraint_of
from weilu.orgs.models import Organisation, User
from weilu.orgs.sharding import key_of
from weilu.people.models import Honour, Person
from weilu.people.persons import PersonChanged, PersonProblem, keeps, note
from weilu.records.models import Event

OF_MEMBERS = ("党员", "党务")  # honours that only a member of the Party is given
TWICE = ("honour_once_a_person", "honour_once_a_body")


def award(
    to: Person | Organisation, *, title: str, level: int, body: str, awarded_on: dt.date, by: User | None,
    document: str = "", no_document: str = "",
) -> Honour:  # fmt: skip
    """Enter an honour of a person or a body.

    Args:
        level: of whoever gave it, see :class:`Honour.Level`.
        body: who gave it.
        document: the number of the document that says so.
        no_document: why there is none, of an old honour.

    Raises:
        PersonProblem: something lacks, the day cannot be (see :func:`_check_day`), the same honour of this day is
            entered already, or the holder lies outside the scope of ``by``.
    """
    if not title.strip():
        raise PersonProblem(_("Name the honour."), "title")
    if not body.strip():
        raise PersonProblem(_("Say who gave the honour."), "body")
    if level not in Honour.Level.values:
        raise PersonProblem(_("There is no such level."), "level")
    document, no_document = document.strip(), no_document.strip()
    if not document and len(no_document) < 2:
        raise PersonProblem(_("Give the document number, or tick that there is none and say why."), "document")
    _check_day(to, title, awarded_on)
    person = to if isinstance(to, Person) else None
    organisation = to if isinstance(to, Organisation) else None
    _may(by, person, organisation)
    if person and person.merged_into_id:
        raise PersonProblem(_("This record was merged into another of the same person: choose that one."))
    honour = Honour(
        jurisdiction_id=to.jurisdiction_id, title=title.strip(), level=level, body=body.strip(), created_by=by,
        document=document, no_document="" if document else no_document[:200], awarded_on=awarded_on, person=person,
        organisation=organisation,
    )  # fmt: skip
    try:
        with transaction.atomic():
            honour.save(force_insert=True)
            _note(honour, "award", by)
    except IntegrityError as error:
        if constraint_of(error) not in TWICE:
            raise
        raise PersonProblem(_("This honour of this day is entered already."), "title") from error
    return honour


def _check_day(to: Person | Organisation, title: str, day: dt.date) -> None:
    """Refuse a day that is to come, or on which the holder was not yet: born, in the Party, founded."""
    if day > timezone.localdate():
        raise PersonProblem(_("This day is yet to come."), "awarded_on")
    if isinstance(to, Organisation):
        if day < to.valid_from:
            raise PersonProblem(_("The body began on %(day)s.") % {"day": to.valid_from}, "awarded_on")
        return
    if to.birth_date and day < to.birth_date:
        raise PersonProblem(_("They were born on %(day)s.") % {"day": to.birth_date}, "awarded_on")
    if to.joined_party_on and day < to.joined_party_on and any(word in title for word in OF_MEMBERS):
        raise PersonProblem(_("They joined the Party on %(day)s.") % {"day": to.joined_party_on}, "awarded_on")


def withdraw(honour: Honour, *, reason: str, by: User | None, on: dt.date | None = None) -> Honour:
    """Withdraw an honour; it stays in the list, with the day and the reason.

    Raises:
        PersonChanged: it was withdrawn already.
        PersonProblem: no reason is given, the day lies before the award or is yet to come, or the scope ends before.
    """
    on, why = on or timezone.localdate(), reason.strip()
    with transaction.atomic():
        rows = Honour.objects.select_for_update(of=("self",)).select_related("person__home", "organisation__place")
        held = rows.get(**key_of(honour))
        _may(by, held.person, held.organisation)
        if held.withdrawn_on:
            raise PersonChanged
        if not why:
            raise PersonProblem(_("Say why the honour is withdrawn."), "reason")
        if not held.awarded_on <= on <= timezone.localdate():
            raise PersonProblem(
                _("An honour is withdrawn after it was given, and not on a day that is yet to come."), "on"
            )
        held.withdrawn_on, held.withdrawn_why = on, why[:200]
        held.save(update_fields=["withdrawn_on", "withdrawn_why"])
        _note(held, "withdraw", by, why)
        return held


def _may(by: User | None, person: Person | None, organisation: Organisation | None) -> None:
    place = person.home if person else organisation.place if organisation else None
    if by is not None and (place is None or not keeps(by, place)):
        raise PersonProblem(_("Your account may not do this here."))


def _note(honour: Honour, move: str, by: User | None, text: str = "") -> None:
    Event.objects.create(
        jurisdiction_id=honour.jurisdiction_id, record_kind="honour", record_id=honour.pk, move=move, actor=by,
        actor_name=by.name if by else "", note=text, changes={"title": honour.title}, open_to_resident=False,
    )  # fmt: skip
    if honour.person:
        note(honour.person, f"honour_{move}", by, text=text, changes={"honour": str(honour.pk), "title": honour.title})
