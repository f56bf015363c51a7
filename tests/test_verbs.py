"""Every verb of a matter × everybody: works for whom it should, and changes nothing for all others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from tests.routes import (
    CLERKS,
    MEMBERS,
    READ_HANDED,
    READ_ORDER,
    signed_in,
    state_of_all,
    text_of,
)
from tests.things import SUBJECT, Things
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.views import VERBS
from weilu.records.models import Event

WORKERS = CLERKS | {"handler"}


@dataclass
class Deed:
    """A verb: in which state it is tried, with what, and for whom it works."""

    state: str
    who: set[str]
    data: Callable[[Things], dict[str, Any]] = lambda things: {"note": "说明"}


DEEDS = {
    "dispatch": Deed("dispatched", CLERKS, lambda t: {"to": f"organisation:{t.world.department.pk}"}),
    "transfer": Deed("dispatched", CLERKS, lambda t: {"place": t.world.other_village.code, "note": "归你们"}),
    "decline": Deed("raised", CLERKS),
    "merge": Deed("dispatched", CLERKS, lambda t: {"into": t.order.number}),
    "start": Deed("dispatched", WORKERS),
    "take": Deed("ordered", MEMBERS),
    "progress": Deed("dispatched", WORKERS),
    "return": Deed("dispatched", WORKERS),
    "ask": Deed("dispatched", WORKERS),
    "answer": Deed("asked", CLERKS),
    "settle": Deed("dispatched", WORKERS, lambda t: {"outcome": "修好了"}),
}


def in_state(things: Things, state: str) -> Matter:
    if state == "raised":
        return things.world.matter(at=things.world.grid, subject=SUBJECT)
    if state == "ordered":
        return things.order
    if state == "asked":
        return services.ask(things.handed, by=things.world.handler, version=things.handed.version, note="哪一段？")
    return things.handed


READERS = {"raised": READ_HANDED - {"handler"}, "ordered": READ_ORDER}


def test_every_verb_stands_in_the_table_of_this_test():
    assert set(VERBS) == set(DEEDS)


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_a_verb_works_for_whom_it_should_and_for_nobody_else(things, name):
    deed = DEEDS[name]
    matter = in_state(things, deed.state)
    data = {"version": matter.version, **deed.data(things)}
    before = state_of_all()
    for who, user in things.world.users.items():
        save = transaction.savepoint()
        answer = signed_in(user).post(f"/matters/{matter.number}/{name}/", data)
        if who in deed.who:
            assert answer.status_code == 302, who
            assert Matter.objects.get(pk=matter.pk).version == matter.version + 1, who
            assert Event.objects.filter(record_id=matter.pk).order_by("at").last().move in (name, "order")
        else:
            readers = READERS.get(deed.state, READ_HANDED)
            # An order is fetched by its branch: to all others it is not there to be taken.
            # The other matter of a merger may lie outside what they see: then that is said first.
            refused = {403, 409} if name == "merge" else {403}
            assert answer.status_code in (refused if who in readers and name != "take" else {404}), who
            assert state_of_all() == before, who
            if who not in readers:
                assert matter.subject not in text_of(answer)
        transaction.savepoint_rollback(save)


def test_a_verb_that_does_not_exist_changes_nothing(things):
    before = state_of_all()
    answer = signed_in(things.world.clerk).post(f"/matters/{things.handed.number}/lapse/", {"version": 2})
    assert answer.status_code == 302
    for name in ("lapse", "rate", "reopen"):
        signed_in(things.world.clerk).post(f"/matters/{things.handed.number}/{name}/", {"version": 2, "rating": 5})
    assert state_of_all() == before
