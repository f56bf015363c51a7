"""Two records of one person become one, and two again when that was a mistake."""

import datetime as dt
from itertools import combinations
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.models import Grant, User
from weilu.orgs.sharding import key_of
from weilu.people.apart import among, others_of
from weilu.people.appointment_rules import lasting
from weilu.people.appointments import give_grant
from weilu.people.models import Appointment, Honour, Membership, Person, PersonMerge, PersonsApart
from weilu.people.persons import PersonChanged, PersonProblem, keeps, note, prepare
from weilu.people.reporting import ANSWERED, ASKED, open_corrections

TABLES: dict[str, type[models.Model]] = {"memberships": Membership, "appointments": Appointment, "honours": Honour}
FILLED = ("sex", "birth_date", "id_number", "phone", "ethnicity", "education", "work", "joined_party_on")


def merge(person: Person, *, into: Person, by: User | None, versions: tuple[int, int] | None = None) -> PersonMerge:
    """Merge ``person`` into ``into``: memberships, posts, honours and the account move.

    What stands in both records becomes one, so that nobody counts twice, a membership with the days of both. What the
    other record lacks is filled from this one. All that moved or became one is kept, for :func:`undo_merge`.

    Args:
        versions: of ``person`` and ``into`` as ``by`` saw them; None only where nobody looked.

    Raises:
        PersonChanged: one of the two was changed or merged in the meantime.
        PersonProblem: the two have different ID numbers, belong to different counties, or lie outside the scope.
    """
    try:
        with transaction.atomic():
            source, target = _locked(person, into)
            if versions is not None and (source.version, target.version) != versions:
                raise PersonChanged
            _check(source, target, by)
            moved: dict[str, Any] = {name: _move(model, source, target) for name, model in TABLES.items()}
            moved["stretched"] = _stretch(source, target)
            moved["doubles"], moved["ended"] = _put_away(source)
            moved |= _move_account(source, target)
            filled = _fill(source, target)
            source.merged_into = target
            _save(source, ["merged_into", "user"])
            _save(target, [*filled, "user", "birth_day_known"])
            moved["grants"] = _grants(target)
            row = PersonMerge.objects.create(
                jurisdiction_id=source.jurisdiction_id, person=source, into=target, moved=moved, filled=filled, by=by
            )
            PersonsApart.objects.filter(Q(one=source, other=target) | Q(one=target, other=source)).delete()
            note(source, "merge", by, changes={"into": str(target.pk)})
            note(target, "merge_in", by, changes={"from": str(source.pk)})
            return row
    except IntegrityError as error:  # somebody entered what clashes between our look and our move
        raise PersonChanged from error


def undo_merge(merged: PersonMerge, *, by: User | None) -> Person:
    """Undo a merge: what moved goes back, what was filled and not changed since is emptied again.

    Returns:
        the record that stands by itself again.

    Raises:
        PersonProblem: it was undone already, or something entered since stands against it.
    """
    try:
        with transaction.atomic():
            source, target = _locked(merged.person, merged.into)
            rows = PersonMerge.objects.select_for_update(of=("self",))
            row = rows.get(**key_of(merged))
            if row.undone_at:
                raise PersonProblem(_("This merge was undone already."))
            later = PersonMerge.objects.filter(into=target, at__gt=row.at, undone_at=None)
            if row.moved.get("stretched") and later.exists():  # the days of one membership may be those of both
                raise PersonProblem(_("Another record was merged into this one later; undo that merge first."))
            _may(source, target, by)
            _end_grants(row.moved.get("grants", []))
            for name, model in TABLES.items():
                model._default_manager.filter(pk__in=row.moved.get(name, []), person=target).update(person=source)
            _bring_back(row.moved)
            if target.user_id and str(target.user_id) == row.moved.get("user"):
                _take_requests_back(source, target, by)
                source.user, target.user = target.user, None
            emptied = _empty(source, target, row.filled)
            source.merged_into = None
            _save(target, [*emptied, "user", "birth_day_known"])
            _save(source, ["merged_into", "user"])
            row.undone_at, row.undone_by = timezone.now(), by
            row.save(update_fields=["undone_at", "undone_by"])
            note(source, "undo_merge", by, changes={"from": str(target.pk)})
            note(target, "undo_merge_in", by, changes={"person": str(source.pk)})
            return source
    except IntegrityError as error:
        raise PersonProblem(
            _("Something entered since the merge stands against undoing it, such as the same ID number elsewhere.")
        ) from error


def _either(person: Person, other: Person) -> Q:
    """The condition that a row is one of the two; their jurisdiction says where the rows lie."""
    condition = Q(pk__in=[person.pk, other.pk])
    return condition & Q(jurisdiction_id__in={person.jurisdiction_id, other.jurisdiction_id})


def _locked(person: Person, other: Person) -> tuple[Person, Person]:
    """Lock both in the order of their keys, so that two clerks cannot merge each into the other."""
    rows = Person.objects.select_for_update(of=("self",)).select_related("home", "user", "work")
    found = {row.pk: row for row in rows.filter(_either(person, other)).order_by("pk")}
    return found[person.pk], found[other.pk]


def _may(source: Person, target: Person, by: User | None) -> None:
    if by is not None and not (keeps(by, source.home) and keeps(by, target.home)):
        raise PersonProblem(_("One of the two lives outside your scope; a clerk of the place above can merge them."))


def _check(source: Person, target: Person, by: User | None) -> None:
    _may(source, target, by)
    if source.pk == target.pk:
        raise PersonProblem(_("These are one record, not two."))
    if source.jurisdiction_id != target.jurisdiction_id:
        raise PersonProblem(_("The two belong to different counties."))
    if source.merged_into_id or target.merged_into_id:
        raise PersonChanged
    if source.id_number and target.id_number and source.id_number != target.id_number:
        raise PersonProblem(
            _("Two different ID numbers are two people. If one of the numbers is wrong, correct it first.")
        )
    if PersonMerge.objects.filter(into=source, undone_at=None).exists():
        raise PersonProblem(_("Other records were merged into this one; merge the other way round."))


def _move(model: type[models.Model], source: Person, target: Person) -> list[str]:
    """Move the rows of ``source`` that do not clash with one of ``target``; return their keys."""
    rows = model._default_manager.filter(person=source, jurisdiction_id=source.jurisdiction_id).select_for_update()
    there = model._default_manager.filter(_clash(model), person=target)
    keys = list(rows.exclude(Exists(there)).values_list("pk", flat=True))
    model._default_manager.filter(pk__in=keys).update(person=target)
    return [str(key) for key in keys]


def _stretch(source: Person, target: Person) -> list[dict[str, Any]]:
    """Give memberships of ``target`` the days that ``source`` was in the same body as the same before or after; return
    the days that they had and those that they got."""
    found: list[dict[str, Any]] = []
    for row in source.memberships.order_by("valid_from"):
        same = target.memberships.filter(organisation=row.organisation_id, kind=row.kind)
        ends = Q(valid_to=None) | Q(valid_to__gt=row.valid_from)
        there = [each for each in same.filter(ends) if row.valid_to is None or each.valid_from < row.valid_to]
        if len(there) != 1:  # several, with what lies between them: their days stay
            continue
        [kept] = there
        was = kept.valid_from, kept.valid_to
        since, until = min(kept.valid_from, row.valid_from), _later(kept.valid_to, row.valid_to)
        if (since, until) != was:
            kept.valid_from, kept.valid_to = since, until
            kept.save(update_fields=["valid_from", "valid_to"])
            found.append({"pk": str(kept.pk), "was": [_text(day) for day in was], "now": [_text(since), _text(until)]})
    return found


def _later(one: dt.date | None, other: dt.date | None) -> dt.date | None:
    return max(one, other) if one and other else None


def _text(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _put_away(source: Person) -> tuple[list[dict[str, Any]], dict[str, str | None]]:
    """Remove what ``source`` still has: the other record says it too. Return it, and the grants that ended with it."""
    rows = [(name, row) for name, model in TABLES.items() for row in model._default_manager.filter(person=source)]
    kept, today = [{"table": name, **_columns(row)} for name, row in rows], timezone.localdate()
    grants = [row.grant for _name, row in rows if isinstance(row, Appointment) and row.grant]
    ended = {str(each.pk): _text(each.valid_to) for each in grants if each.valid_to is None or each.valid_to > today}
    for _name, row in rows:
        row.delete()
    for grant in grants:
        if str(grant.pk) in ended:
            grant.valid_to = max(today, grant.valid_from)
            grant.save(update_fields=["valid_to"])
    return kept, ended


def _columns(row: models.Model) -> dict[str, str | None]:
    """Return the columns of a row as JSON keeps them, to the microsecond."""
    fields = row._meta.concrete_fields
    return {each.attname: None if getattr(row, each.attname) is None else each.value_to_string(row) for each in fields}


def _bring_back(moved: dict[str, Any]) -> None:
    """Make two again of what had become one; days that somebody changed since stay."""
    for each in reversed(moved.get("stretched", [])):
        (was_from, was_to), (now_from, now_to) = each["was"], each["now"]
        rows = Membership.objects.filter(pk=each["pk"], valid_from=now_from, valid_to=now_to)
        rows.update(valid_from=was_from, valid_to=was_to)
    for each in moved.get("doubles", []):
        model = TABLES[each["table"]]
        columns = {field.attname: field.to_python(each[field.attname]) for field in model._meta.concrete_fields}
        model(**columns).save(force_insert=True)
    for key, until in moved.get("ended", {}).items():
        Grant.objects.filter(pk=key).update(valid_to=until)


def _clash(model: type[models.Model]) -> Q:
    """The condition that a row of the other record stands against the row that would move."""
    if model is Honour:
        return Q(title=OuterRef("title"), awarded_on=OuterRef("awarded_on"))
    last = Coalesce(OuterRef("valid_to"), Value(dt.date.max))
    overlaps = (Q(valid_to=None) | Q(valid_to__gt=OuterRef("valid_from"))) & Q(valid_from__lt=last)
    columns = ("post",) if model is Appointment else ("organisation", "kind")
    return Q(**{column: OuterRef(column) for column in columns}) & overlaps


def _move_account(source: Person, target: Person) -> dict[str, Any]:
    if source.user is None or target.user is not None:
        return {}
    target.user, source.user = source.user, None
    return {"user": str(target.user_id)}


def _take_requests_back(source: Person, target: Person, by: User | None) -> None:
    """Let what the account asked to have corrected go back with it: the person reads it, and its answer, there."""
    for event in open_corrections(target):
        if event.record_id == target.pk and event.actor_id == target.user_id:
            note(source, ASKED, target.user, text=event.note)
            note(target, ANSWERED, by, text=_("Goes on with the other record."), changes={"asked": str(event.pk)})


def _grants(target: Person) -> list[str]:
    """Give the account that came along the roles of posts that wait for one; return their keys."""
    today = timezone.localdate()
    rows = lasting(target, today).filter(grant=None).exclude(post__role="")
    waiting = rows.select_related("post__organisation__place", "person__user")
    return [str(grant.pk) for row in waiting if (grant := give_grant(row))]


def _end_grants(keys: list[str]) -> None:
    for grant in Grant.objects.filter(pk__in=keys):
        Appointment.objects.filter(grant=grant).update(grant=None)
        grant.valid_to = grant.valid_from  # it stays, as one that never held
        grant.save(update_fields=["valid_to"])


def _fill(source: Person, target: Person) -> list[str]:
    filled = [name for name in FILLED if getattr(source, name) and not getattr(target, name)]
    for name in filled:
        setattr(target, name, getattr(source, name))
    if "birth_date" in filled:
        target.birth_day_known = source.birth_day_known
    return filled


def _empty(source: Person, target: Person, filled: list[str]) -> list[str]:
    """Empty what was filled from ``source``, unless somebody has changed it since."""
    emptied = [name for name in filled if getattr(target, name) == getattr(source, name)]
    for name in emptied:
        field = Person._meta.get_field(name)
        setattr(target, name, None if field.null else "")  # type: ignore[union-attr]
    if "birth_date" in emptied:
        target.birth_day_known = True
    return emptied


def _save(person: Person, columns: list[str]) -> None:
    person.version += 1
    person.save(update_fields=[*columns, *prepare(person), "version"])


# Questions.


def duplicates_of(person: Person, rows: QuerySet[Person]) -> list[Person]:
    """Return those of ``rows`` who may be the same person: same name and birth date, or same telephone.

    Two different ID numbers are two people, and so are those whom somebody told apart.
    """
    same = Q(pk__in=[])
    if person.birth_date:
        same |= Q(name=person.name, birth_date=person.birth_date)
    if person.phone:
        same |= Q(phone_hash=person.phone_hash)
    found = rows.filter(same, jurisdiction_id=person.jurisdiction_id, merged_into=None)
    found = found.exclude(pk__in=[person.pk, *others_of(person)])
    if person.id_number:
        found = found.filter(Q(id_number_hash=b"") | Q(id_number_hash=person.id_number_hash))
    return list(found.select_related("home__parent__parent")[:20])


def pairs(rows: QuerySet[Person], limit: int = 50) -> list[tuple[Person, Person]]:
    """Return pairs among ``rows`` who may be one person, the younger record first; not those who were told apart."""
    apart = {frozenset(pair) for pair in among(rows).values_list("one", "other")}
    groups: list[dict[str, Any]] = []
    by_name = rows.filter(birth_date__isnull=False).order_by().values("name", "birth_date")
    by_phone = rows.exclude(phone_hash=b"").order_by().values("phone_hash")
    for query in (by_name, by_phone):
        groups += [
            dict(row) for row in query.annotate(many=models.Count("pk")).filter(many__gt=1)[: limit + len(apart)]
        ]
    found: dict[frozenset[Any], tuple[Person, Person]] = {}
    for group in groups:
        del group["many"]
        same = list(
            rows.filter(**group).select_related("home__parent__parent", "work").order_by("created_at", "pk")[:6]
        )
        for older, younger in combinations(same, 2):
            if frozenset((older.pk, younger.pk)) not in apart and not (
                older.id_number and younger.id_number and older.id_number != younger.id_number
            ):
                found[frozenset((older.pk, younger.pk))] = (younger, older)
    return list(found.values())[:limit]
