"""Two records that look like one person are found to be two people: kept, and not proposed again."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from weilu.orgs.models import User
from weilu.orgs.sharding import key_of
from weilu.people.models import Person, PersonsApart
from weilu.people.persons import PersonProblem, keeps, note


def in_order(one: Person, other: Person) -> tuple[Person, Person]:
    """Return two persons in the order of their keys: a pair has one row, whichever was named first."""
    return (one, other) if one.pk < other.pk else (other, one)


def _may(one: Person, other: Person, by: User | None) -> None:
    if by is not None and not (keeps(by, one.home) and keeps(by, other.home)):
        raise PersonProblem(_("One of the two lives outside your scope; a clerk of the place above can decide it."))


def tell_apart(person: Person, other: Person, *, by: User | None) -> PersonsApart:
    """Keep that two records are two people; the pair is not proposed any more. Saying so twice keeps the first.

    Raises:
        PersonProblem: they are one record, of different counties, merged already, or outside the scope of ``by``.
    """
    one, two = in_order(person, other)
    if one.pk == two.pk:
        raise PersonProblem(_("These are one record, not two."))
    if one.jurisdiction_id != two.jurisdiction_id:
        raise PersonProblem(_("The two belong to different counties."))
    _may(one, two, by)
    if one.merged_into_id or two.merged_into_id:
        raise PersonProblem(_("One of the two records was merged already. Undo the merge first."))
    try:
        with transaction.atomic():
            row = PersonsApart.objects.create(jurisdiction_id=one.jurisdiction_id, one=one, other=two, by=by)
            note(one, "apart", by, changes={"person": str(two.pk)})
            note(two, "apart", by, changes={"person": str(one.pk)})
            return row
    except IntegrityError:  # somebody said so before, or in this very moment
        return PersonsApart.objects.get(one=one, other=two)


@transaction.atomic
def take_back(row: PersonsApart, *, by: User | None) -> None:
    """Take back that two records are two people: they are proposed again. The history keeps both.

    Raises:
        PersonProblem: it was taken back already, or one of them lives outside the scope of ``by``.
    """
    held = PersonsApart.objects.select_for_update(of=("self",)).select_related("one__home", "other__home")
    found = held.filter(**key_of(row)).first()
    if found is None:
        raise PersonProblem(_("This was taken back already."))
    _may(found.one, found.other, by)
    found.delete()
    note(found.one, "apart_undo", by, changes={"person": str(found.other_id)})
    note(found.other, "apart_undo", by, changes={"person": str(found.one_id)})


# Questions.


def others_of(person: Person) -> set[Any]:
    """Return the keys of the records that were found to be other people than ``person``."""
    rows = PersonsApart.objects.filter(Q(one=person) | Q(other=person)).values_list("one", "other")
    return {key for pair in rows for key in pair} - {person.pk}


def between(one: Person, other: Person) -> PersonsApart | None:
    """Return that two records are two people, if somebody said so."""
    first, second = in_order(one, other)
    return PersonsApart.objects.filter(one=first, other=second).select_related("by").first()


def among(rows: QuerySet[Person]) -> QuerySet[PersonsApart]:
    """Return the pairs that were told apart among persons, the latest first."""
    found = PersonsApart.objects.filter(one__in=rows, other__in=rows)
    return found.select_related("one__home__parent__parent", "other__home__parent__parent", "by").order_by("-at", "-id")
