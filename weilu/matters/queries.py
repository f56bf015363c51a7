"""The questions asked of matters."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Model, Q, QuerySet
from django.utils import timezone
from psycopg.sql import Literal

from weilu.lib.copying import copy_lines
from weilu.lib.search import query_words, to_query, to_vector
from weilu.matters.models import Category, Matter, MatterQuerySet, Module
from weilu.matters.workflow import DONE, OPEN, State
from weilu.orgs.attribution import counted_at, counting, naming
from weilu.orgs.memory import rows_by_id
from weilu.orgs.models import Grant, Jurisdiction, Level, Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission, Role
from weilu.orgs.scope import COLUMNS, NOTHING
from weilu.orgs.succession import places_today

PAGE = 20
COUNT_LIMIT = 1_000
NUMBER = re.compile(r"^(?:([A-Za-z]{1,7}\d?)-|([A-Za-z]{1,7}))?(?:(\d{4})-)?(\d{1,7})$", re.ASCII)


def add_words(matter: Matter, words: list[str]) -> None:
    """Write the words that a matter is found by."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO matters_mattertext (matter_id, jurisdiction_id, words) VALUES (%s, %s, %s::tsvector)",
            [matter.pk, matter.jurisdiction_id, to_vector(words)],
        )


def copy_words(rows: Iterable[tuple[Matter, list[str]]]) -> None:
    """Write the words of many matters."""
    lines = ([matter.pk, matter.jurisdiction_id, to_vector(words)] for matter, words in rows)
    copy_lines("matters_mattertext", ["matter_id", "jurisdiction_id", "words"], lines)


def matching(rows: MatterQuerySet, text: str) -> MatterQuerySet:
    """Narrow ``rows`` to those whose number is ``text`` or that hold all of its words.

    Chinese words are cut as in the index; traditional and simplified characters find each other.
    """
    text = text.strip()
    if not text:
        return rows
    if found := NUMBER.match(text):
        dashed, bare, year, serial = found.groups()
        prefix = dashed or bare
        if prefix and year:
            return rows.filter(number=f"{prefix.upper()}-{year}-{int(serial):06d}")
        if len(serial) <= 6:
            years = [int(year)] if year else range(timezone.localdate().year, timezone.localdate().year - 10, -1)
            prefixes = [prefix.upper()] if prefix else Jurisdiction.objects.values_list("prefix", flat=True)
            wanted = [f"{head}-{each}-{int(serial):06d}" for each in years for head in prefixes[:50]]
            return rows.filter(number__in=wanted)
    words = query_words(text)
    if not words:
        return rows.none()
    # A literal, not a parameter: how rare the words are decides the plan, so it must not be made without them.
    literal = Literal(to_query(words)).as_string()
    where = ["matters_mattertext.matter_id = matters_matter.id", f"matters_mattertext.words @@ {literal}::tsquery"]
    if settings.SHARDED:
        where.append("matters_mattertext.jurisdiction_id = matters_matter.jurisdiction_id")
    return rows.extra(  # type: ignore[return-value]  # noqa: S610 (quoted, and words hold no other signs)
        tables=["matters_mattertext"], where=where
    )


NAMES: dict[str, type[Model]] = {
    "category": Category,
    "module": Module,
    "township": Place,
    "village": Place,
    "handler": Organisation,
    "handler_grid": Place,
    "taken_by": User,
}


def rows_of(rows: Iterable[Matter]) -> list[Matter]:
    """Return the rows of a list with the names they show: one query for each table of names, however many rows.

    Joining seven small tables to twenty rows costs the planner ten times what it costs to run.
    """
    found = list(rows)
    wanted: dict[type[Model], set[UUID]] = {}
    for column, model in NAMES.items():
        ids = (getattr(row, f"{column}_id") for row in found)
        wanted.setdefault(model, set()).update(pk for pk in ids if pk)
    names: dict[UUID, Model] = {}
    for model, keys in wanted.items():
        names |= rows_by_id(model, keys)
    for row in found:
        for column in NAMES:
            setattr(row, column, names.get(getattr(row, f"{column}_id")))
    return found


@dataclass(frozen=True)
class Page:
    """Rows of a list and where the next ones begin."""

    rows: list[Matter]
    next: str


def _read_cursor(text: str) -> tuple[dt.datetime, UUID]:
    moment, _sep, pk = text.partition("~")
    at = dt.datetime.fromisoformat(moment)
    if at.tzinfo is None or not 1990 <= at.year <= 9000:
        raise ValueError("not a time of ours")
    return at.astimezone(dt.UTC), UUID(pk)


def page_of(rows: QuerySet[Matter], after: str = "", size: int = PAGE) -> Page:
    """Return one page, newest first, without counting what lies before it: the hundredth costs what the first does.

    Args:
        after: cursor that the page before gave: time and id of its last row.

    Raises:
        ValueError: ``after`` is not a cursor of ours.
    """
    rows = rows.order_by("-created_at", "-id")
    if after:
        at, pk = _read_cursor(after)
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=pk)).filter(created_at__lte=at)
    found = rows_of(rows[: size + 1])
    cursor = f"{found[size - 1].created_at.isoformat()}~{found[size - 1].pk}" if len(found) > size else ""
    return Page(found[:size], cursor)


def count_up_to(rows: QuerySet, limit: int = COUNT_LIMIT) -> int:
    """Count rows, but no further than ``limit`` + 1: who reads “1,000+” knows enough."""
    return rows.order_by().values("pk")[: limit + 1].count()


def counts_by_state(rows: QuerySet[Matter]) -> dict[str, int]:
    """Count open matters by state, and the late ones, in one query; the queue's head."""
    late = Count("pk", filter=Q(due_at__lt=timezone.now()))
    found = rows.open().order_by().values("state").annotate(count=Count("pk"), late=late)  # type: ignore[attr-defined]
    counts = dict.fromkeys(sorted(OPEN), 0) | {"late": 0}
    for row in found:
        counts[row["state"]] = row["count"]
        counts["late"] += row["late"]
    return counts


BRANCHES = (Organisation.Kind.BRANCH, Organisation.Kind.VOLUNTEERS)


def _bases(matter: Matter) -> list[Place]:
    """The places whose neighbourhood handles a matter: its village, township or county, or what became of it."""
    pk = matter.village_id or matter.township_id or matter.county_id
    return places_today(rows_by_id(Place, [pk])[pk])


def _around(bases: list[Place], prefix: str = "") -> tuple[Q, Q]:
    """Return the conditions that a place lies in or above ``bases``, and that it lies in them."""
    above, inside = NOTHING, NOTHING
    for base in bases:
        above |= Q(**{f"{prefix}code__in": base.ancestor_codes})
        inside |= Q(**{f"{prefix}path__startswith": base.path})
    return above | inside, inside


def organisations_for(user: User, matter: Matter) -> QuerySet[Organisation]:
    """Return the organisations to which ``user`` may hand ``matter``.

    These are the offices above and at the matter's place, up to the county's departments, and the bodies below it,
    as far as they stand in or above a place that the user triages for.
    """
    near, _inside = _around(_bases(matter), "place__")
    mine = Q(pk__in=[])
    for grant in user.grants_for(Permission.TRIAGE):
        mine |= Q(place__path__startswith=grant.place.path) | Q(place__code__in=grant.place.ancestor_codes)
    found = Organisation.objects.filter(
        valid_on(timezone.localdate()), near, mine, jurisdiction_id=matter.jurisdiction_id
    )
    if not matter.township_id:  # nothing is known of where: departments and township offices, not each village
        found = found.filter(place__level__lte=Level.TOWNSHIP)
    return found.select_related("place").order_by("place__level", "place__code", "kind", "name")


def grids_for(user: User, matter: Matter) -> QuerySet[Place]:
    """Return the grids to which ``user`` may hand ``matter``: those of its village or township."""
    if not matter.township_id:
        return Place.objects.none()
    inside = Q(pk__in=[])
    for grant in user.grants_for(Permission.TRIAGE):
        inside |= Q(path__startswith=grant.place.path)
    below = Place.objects.filter(valid_on(timezone.localdate()), inside, level=Level.GRID)
    return below.filter(_around(_bases(matter))[1]).select_related("parent").order_by("code")


def may_hand(user: User, matter: Matter, to: Organisation | Place) -> bool:
    """Tell whether ``user`` may hand ``matter`` to ``to``."""
    rows = grids_for(user, matter) if isinstance(to, Place) else organisations_for(user, matter)
    return rows.filter(pk=to.pk).exists()


def places_for_transfer(matter: Matter) -> QuerySet[Place]:
    """Return the places of the matter's jurisdiction to which it can be sent: townships and villages."""
    return Place.objects.filter(
        valid_on(timezone.localdate()),
        path__startswith=matter.jurisdiction.place.path,
        level__in=[Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE],
    )


def users_of(target: Organisation | Place) -> QuerySet[User]:
    """Return the active accounts that work for an organisation or grid, or triage for a place."""
    grants = Grant.objects.filter(valid_on(timezone.localdate()))
    if isinstance(target, Organisation):
        grants = grants.filter(organisation=target)
    elif target.level == Level.GRID:
        grants = grants.filter(place__in=places_today(target), role=Role.GRID_WORKER)
    else:
        clerks = [Role.VILLAGE_CLERK, Role.TOWNSHIP_CLERK, Role.COUNTY_CLERK]
        grants = grants.filter(place__in=places_today(target), role__in=clerks)
    return User.objects.filter(pk__in=grants.values("user"), is_active=True)[:300]


def similar_to(matter: Matter, user: User, limit: int = 5) -> list[Matter]:
    """Return open matters near this one with most of the same words in their title: perhaps the same thing."""
    words = [word for word in query_words(matter.subject) if len(word) > 1][:12]
    if not words:
        return []
    near = Matter.objects.visible_to(user).filter(state__in=sorted(OPEN)).exclude(pk=matter.pk)  # type: ignore[attr-defined]
    if matter.village_id:
        near = near.filter(village_id=matter.village_id)
    elif matter.township_id:
        near = near.filter(township_id=matter.township_id)
    candidates = list(near.for_lists().order_by("-created_at")[:200])
    scored = [(len(set(words) & set(query_words(other.subject))), other) for other in candidates]
    wanted = max(1, (len(words) + 1) // 2)
    best = [other for score, other in sorted(scored, key=lambda pair: -pair[0]) if score >= wanted]
    return rows_of(best[:limit])


@dataclass(frozen=True)
class PublicFigure:
    """One row of the public board."""

    key: str
    name: str
    settled: int
    satisfied: int
    rated: int
    hours: float

    @property
    def satisfaction(self) -> float | None:
        """Share of ratings of 4 and 5 among those that were given, in per cent; None without any."""
        return 100 * self.satisfied / self.rated if self.rated else None

    @property
    def days(self) -> float:
        """Average time from raising to settling, in days."""
        return self.hours / 24


def public_board(rows: QuerySet[Matter], by: str, name: str) -> list[PublicFigure]:
    """Sum settled, public matters over a column, most settled first; one query.

    Args:
        by: column to group by, such as ``township__code``.
        name: column that names the group.
    """
    time = ExpressionWrapper(F("settled_at") - F("created_at"), output_field=DurationField())
    found = (
        rows.order_by()
        .values(by, name)
        .annotate(
            settled=Count("pk"),
            rated=Count("pk", filter=Q(state=State.RATED)),
            satisfied=Count("pk", filter=Q(state=State.RATED, rating__gte=4)),
            time=Avg(time),
        )
        .order_by("-settled", by)
    )
    return [
        PublicFigure(
            str(row[by] or ""),
            row[name] or "",
            row["settled"],
            row["satisfied"],
            row["rated"],
            row["time"].total_seconds() / 3600,
        )
        for row in found
    ]


def public_places(rows: QuerySet[Matter], column: str) -> list[PublicFigure]:
    """Sum settled, public matters by place, most settled first; what has ended counts where it goes on.

    A place that was split stays a row of its own, for what names nothing below it.

    Args:
        column: ``township`` or ``village``.
    """
    found: dict[Place, list[PublicFigure]] = {}
    level = next(level for level, name in COLUMNS.items() if name == column)
    told = rows.annotate(counted=counted_at(level))
    figures = {row.key: row for row in public_board(told, "counted", f"{column}__level") if row.key}
    for key, place in counting([UUID(key) for key in figures]).items():
        found.setdefault(place, []).append(figures[str(key)])
    summed = [_sum(place, parts) for place, parts in found.items()]
    return sorted(summed, key=lambda row: (-row.settled, row.key))


def _sum(place: Place, parts: list[PublicFigure]) -> PublicFigure:
    settled = sum(part.settled for part in parts)
    hours = sum(part.hours * part.settled for part in parts) / settled
    rated, satisfied = sum(part.rated for part in parts), sum(part.satisfied for part in parts)
    return PublicFigure(place.code, naming(place)[1], settled, satisfied, rated, hours)


def settled_since(rows: MatterQuerySet, days: int) -> MatterQuerySet:
    """Narrow to matters settled in the last ``days`` days."""
    return rows.filter(settled_at__gte=timezone.now() - dt.timedelta(days=days), state__in=sorted(DONE))
