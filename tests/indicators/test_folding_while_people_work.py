"""Cells are folded while people write: nothing is lost, nothing counts twice, whatever dies in the middle."""

import random
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from weilu.indicators.catalogue import catalogue
from weilu.indicators.cells import read_cells
from weilu.indicators.contributions import kinds
from weilu.indicators.folding import fold, recount
from weilu.indicators.live import read_live
from weilu.indicators.models import Cell, Touched
from weilu.lib.period import Period
from weilu.matters.models import Matter
from weilu.matters.workflow import State
from weilu.orgs.memory import forget
from weilu.orgs.models import Place

YEAR = Period.of(str(timezone.localdate().year))
CODES = ["matters.raised", "matters.settled", "matters.unsettled", "matters.in_time", "orders.members"]


def both(world, code):
    forget()
    city = Place.objects.get(pk=world.county.parent_id)
    indicator = catalogue()[code]
    return read_cells(indicator, city, YEAR, "county"), read_live(indicator, city, YEAR, "county")


def assert_agree(world):
    for code in CODES:
        cells, records = both(world, code)
        assert cells.as_dict() == records.as_dict(), code


def write(world, seed, problems):
    """Settle, open and change matters at random, each in a transaction of its own."""
    chance = random.Random(seed)
    try:
        keys = list(Matter.objects.values_list("pk", flat=True))
        for _each in range(40):
            key = chance.choice(keys)
            if chance.random() < 0.5:
                Matter.objects.filter(pk=key).update(
                    state=State.SETTLED, settled_at=timezone.now(), due_at=None, settled_late=chance.random() < 0.5,
                    taken_by=chance.choice([None, world.member, world.second_member]),
                )  # fmt: skip
            elif chance.random() < 0.8:
                Matter.objects.filter(pk=key).update(state=State.DISPATCHED, settled_at=None)
            else:
                world.matter(at=chance.choice([world.village, world.far_village]))
    except Exception as error:
        problems.append(error)
    finally:
        connection.close()


def repeat(work, over, problems):
    try:
        while not over.is_set():
            work()
    except Exception as error:
        problems.append(error)
    finally:
        connection.close()


def test_writers_and_two_workers_at_once_end_in_the_same_figures(real_world):
    for place in (real_world.village, real_world.other_village, real_world.far_village):
        for _each in range(4):
            real_world.matter(at=place)
    fold()
    problems, over = [], threading.Event()
    matters = next(kind for kind in kinds() if kind.label == "matters.matter")
    workers = [
        threading.Thread(target=repeat, args=(fold, over, problems)),
        threading.Thread(target=repeat, args=(lambda: recount(matters), over, problems)),
    ]
    writers = [threading.Thread(target=write, args=(real_world, seed, problems)) for seed in range(3)]
    for thread in workers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in workers:
        thread.join()
    assert problems == []
    assert_agree(real_world)
    fold()
    assert not Touched.objects.filter(kind="matters.matter").exists()
    assert_agree(real_world)


@pytest.mark.parametrize("statement", ["INSERT INTO indicators_cell", "DELETE FROM indicators_touched"])
def test_a_fold_that_dies_has_not_happened(real_world, statement):
    real_world.matter()
    fold()
    matter = real_world.matter()
    before = sorted(Cell.objects.values_list("code", "by", "key", "month", "rows"))

    def dies(execute, sql, params, many, context):
        if sql.startswith(statement):
            raise DatabaseError("the server went away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(dies), pytest.raises(DatabaseError):
        fold()
    assert sorted(Cell.objects.values_list("code", "by", "key", "month", "rows")) == before
    assert Touched.objects.filter(row=matter.pk).exists()
    assert_agree(real_world)
    fold()
    assert_agree(real_world)


def test_what_is_written_and_rolled_back_is_not_counted(real_world):
    fold()
    with transaction.atomic():
        real_world.matter()
        transaction.set_rollback(True)
    assert not Touched.objects.exists()
    assert_agree(real_world)
