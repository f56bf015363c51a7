"""Folding what was written into cells, and counting them anew.

Each step is a transaction of its own, in one snapshot of the database: what was written before the snapshot is in the
cells afterwards, and what was written later is still to be folded. Killed in the middle, a step has not happened.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F
from django.db.models.expressions import RawSQL
from django.utils import timezone

from weilu.indicators.cell_models import Cell, Folded, Touched
from weilu.indicators.contributions import CELL, AreaOf, Kind, Sql, by_path, cells, images, in_areas, joined, kinds
from weilu.indicators.passes import in_passes
from weilu.lib.indicators import Indicator
from weilu.orgs.models import Level, Place

BATCH = 20_000
# So many rows are counted in one step when cells are made anew.
STEP = 500_000
# What sorting and grouping of a step may take: at the server's usual value they go to disk and take twice as long.
STEP_MEMORY = "128MB"

Tell = Callable[[int, int], None]


@contextmanager
def _snapshot() -> Iterator[None]:
    """A transaction that sees the database as it is when it begins; inside another, that one's sight."""
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def _held(kind: Kind) -> Iterator[None]:
    """Let one process fold a kind at a time; taken before the snapshot, so that it sees what the one before it did."""
    key = f"weilu.cells.{kind.label}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [key])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [key])


def fold() -> int:
    """Fold what was written since the last time; return how many rows and counties that were.

    Definitions that are new, or whose version was raised, are counted from the records first.
    """
    done = 0
    written = set(Touched.objects.order_by().values_list("kind", flat=True).distinct())
    known = dict(Folded.objects.values_list("code", "version"))
    for kind in kinds():
        new = [each for each in kind.indicators if known.get(each.code) != each.version]
        if new:
            done += recount(kind, new)
        more = kind.label in written
        while more:  # not until nothing is left: while people work there is always another row
            step, more = _step(kind)
            done += step
    Folded.objects.exclude(code__in=[code for kind in kinds() for code in kind.codes]).delete()
    return done


def _step(kind: Kind) -> tuple[int, bool]:
    """Fold one batch; return how many rows or counties that were, and whether as many may be waiting."""
    marks = list(Touched.objects.filter(kind=kind.label, row=None).values_list("pk", "jurisdiction")[:BATCH])
    if not marks:
        rows = _fold_some(kind)
        return rows, rows == BATCH
    counties = {county for _mark, county in marks}
    if None in counties:
        recount(kind)
    else:
        with _held(kind), _snapshot():
            _fold_rows(kind)
            _count(kind.indicators, list(counties))
    Touched.objects.filter(pk__in=[mark for mark, _county in marks]).delete()  # until now, readers asked the records
    return len(counties), True


def _fold_rows(kind: Kind, limit: int | None = None) -> int:
    """Add what rows contribute now and take away what they did before; all that was written to a row goes at once."""
    touched = Touched.objects.filter(kind=kind.label, row__isnull=False).order_by("at")
    keys = list(dict.fromkeys(touched.values_list("row", flat=True)[:limit]))
    if not keys:
        return 0
    which = Sql('"row" = ANY(%s::uuid[])', (keys,))
    parts = []
    for indicator in kind.indicators:
        rows = indicator.rows()
        now = RawSQL("SELECT unnest(%s::uuid[])", (keys,))
        parts.append(cells(indicator, rows.filter(pk__in=now)))
        parts.append(cells(indicator, rows, sign=-1, instead=images(kind, which), table=kind.table))
    _add(joined(parts, " UNION ALL "))
    with connection.cursor() as cursor:
        cursor.execute(
            'DELETE FROM indicators_touched WHERE "kind" = %s AND "row" = ANY(%s::uuid[])', [kind.label, keys]
        )
    return len(keys)


def _add(found: Sql, *, fresh: bool = False) -> None:
    """Add to the cells what rows contribute.

    Args:
        fresh: there are none of these yet. Without looking for each whether it is there, and in the order of their key,
            cells are written in two thirds of the time.
    """
    columns = [name.strip() for name in CELL.split(",")]
    keys = ", ".join(columns[:6])
    there = (
        f" ORDER BY {keys}"
        if fresh
        else f' ON CONFLICT ({keys}) DO UPDATE SET "rows" = indicators_cell."rows" + EXCLUDED."rows",'
        ' "numerator" = indicators_cell."numerator" + EXCLUDED."numerator"'
    )
    text = (
        f"INSERT INTO indicators_cell ({CELL}) SELECT {keys}, sum({columns[6]}), sum({columns[7]})"  # noqa: S608
        f" FROM ({found.text}) found GROUP BY {keys}"
        f" HAVING sum({columns[6]}) <> 0 OR sum({columns[7]}) <> 0{there}"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, list(found.params))


def _count(indicators: Iterable[Indicator], counties: list[UUID]) -> None:
    """Count the cells of some counties from the records."""
    old = Cell.objects.filter(code__in=[each.code for each in indicators], jurisdiction__in=counties)
    old._raw_delete(old.db)
    areas = list(Place.objects.filter(pk__in=counties))
    found = in_passes(indicators, lambda indicator: in_areas(indicator, areas))
    _add(joined(found, " UNION ALL "), fresh=True)


def areas_of(kind: Kind) -> dict[UUID, int]:
    """Return the counties that have rows of a kind, with about how many, the largest first."""
    model, indicator = kind.model, kind.indicators[0]
    rows = model._base_manager.order_by()
    if not by_path(indicator):
        found = rows.values_list(f"{indicator.place}county_id").annotate(n=Count("*"))
        return dict(sorted(found, key=lambda pair: -pair[1]))
    paths = dict(rows.annotate(area=AreaOf(F(indicator.place))).values_list("area").annotate(n=Count("*")))
    there = Place.objects.filter(valid_to=None, level__lte=Level.COUNTY, path__in=list(paths))
    return dict(sorted(((pk, paths[path]) for pk, path in there.values_list("pk", "path")), key=lambda pair: -pair[1]))


def _steps(found: dict[UUID, int]) -> Iterator[list[UUID]]:
    """Yield counties to be counted together: one large one, or many small ones."""
    few: list[UUID] = []
    rows = 0
    for county, count in found.items():
        if few and rows + count > STEP:
            yield few
            few, rows = [], 0
        few.append(county)
        rows += count
    if few:
        yield few


def recount(kind: Kind, indicators: list[Indicator] | None = None, tell: Tell | None = None) -> int:
    """Count the cells of a kind from the records, county by county, while people work; return how many counties.

    Args:
        indicators: only these of the kind.
        tell: told how many rows of how many are counted.
    """
    indicators = indicators or list(kind.indicators)
    _clear_backlog(kind, indicators)
    found = areas_of(kind)
    total, done = sum(found.values()), 0
    with _held(kind), _snapshot():  # what has no rows any more has no cells
        gone = Cell.objects.filter(code__in=[each.code for each in indicators]).exclude(jurisdiction__in=list(found))
        gone._raw_delete(gone.db)
    for counties in _steps(found):
        with _held(kind), _snapshot(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('work_mem', %s, true)", [STEP_MEMORY])
            _fold_rows(kind)
            _count(indicators, counties)
        done += sum(found[county] for county in counties)
        if tell:
            tell(done, total)
    for indicator in indicators:
        Folded.objects.update_or_create(
            code=indicator.code, defaults={"version": indicator.version, "at": timezone.now()}
        )
    return len(found)


def _clear_backlog(kind: Kind, indicators: list[Indicator]) -> None:
    """Fold what was written before; where nothing of a kind was ever counted, what is counted now holds it already."""
    begun = Folded.objects.filter(code__in=kind.codes).exists()
    if begun or len(indicators) < len(kind.indicators):
        while _fold_some(kind):
            pass
        return
    with _held(kind), _snapshot():
        Cell.objects.filter(code__in=kind.codes)._raw_delete("default")
        Touched.objects.filter(kind=kind.label).delete()


def _fold_some(kind: Kind) -> int:
    with _held(kind), _snapshot():
        return _fold_rows(kind, BATCH)


def rebuild(codes: list[str] | None = None) -> Iterator[tuple[Kind, list[Indicator]]]:
    """Yield the kinds to be counted anew, with their indicators; by default all."""
    for kind in kinds():
        wanted = [each for each in kind.indicators if codes is None or each.code in codes]
        if wanted:
            yield kind, wanted
