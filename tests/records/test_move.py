"""The one way to change a record: what stands against a move, and what is written with it."""

import pytest
from django.db import transaction

from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.workflow import WORKFLOW, State
from weilu.records.models import Event
from weilu.records.moves import (
    RESIDENT,
    SYSTEM,
    THE_RESIDENT,
    THE_SYSTEM,
    Actor,
    Incomplete,
    NotAllowed,
    NotPossible,
    Stale,
    move,
)


def unchanged(matter: Matter) -> bool:
    now = Matter.objects.get(pk=matter.pk)
    return (now.state, now.version) == (matter.state, matter.version) and Event.objects.filter(
        record_id=matter.pk
    ).count() == 1


def test_another_version_than_the_one_seen_is_stale_and_carries_the_new_state(world):
    matter = world.matter()
    with pytest.raises(Stale) as caught:
        services.decline(matter, by=world.clerk, version=2, note="不归我们")
    assert caught.value.record.state == "raised"
    assert unchanged(matter)


def test_who_may_not_is_refused(world):
    matter = world.matter()
    for user in (world.observer, world.member, world.handler, world.administrator, world.stranger, world.far_clerk):
        with pytest.raises(NotAllowed):
            services.decline(matter, by=user, version=1, note="不归我们")
    assert unchanged(matter)


def test_a_state_that_does_not_lead_there_is_refused(world):
    matter = world.matter()
    for name in ("start", "progress"):
        with pytest.raises(NotPossible):
            move(matter, name, actor=Actor.account(world.clerk), version=1, note="好")
    with pytest.raises(NotPossible):
        services.rate(matter, rating=5)
    assert unchanged(matter)


def test_a_field_that_is_needed_is_named(world):
    matter = world.matter()
    with pytest.raises(Incomplete) as caught:
        services.decline(matter, by=world.clerk, version=1, note=" \n")
    assert caught.value.field == "note"
    with pytest.raises(Incomplete) as caught:
        services.settle(matter, by=world.clerk, version=1, outcome="   ")
    assert caught.value.field == "outcome"
    for rating in (0, 6, -1):
        with pytest.raises(Incomplete):
            services.rate(matter, rating=rating)
    assert unchanged(matter)


def test_an_account_cannot_act_as_the_resident_or_the_clock(world):
    matter = services.settle(world.matter(), by=world.clerk, version=1, outcome="修好了")
    for name in ("rate", "reopen", "lapse"):
        with pytest.raises(NotAllowed):
            move(matter, name, actor=Actor.account(world.county_clerk), version=2, note="好", set={"rating": 5})


def test_the_resident_and_the_clock_make_no_moves_of_offices(world):
    matter = world.matter()
    for actor in (THE_RESIDENT, THE_SYSTEM):
        for name, step in WORKFLOW.moves.items():
            if actor.kind not in step.by:
                with pytest.raises(NotAllowed):
                    move(matter, name, actor=actor, version=None, note="好")
    assert unchanged(matter)


def test_the_event_is_written_with_the_move_and_goes_with_it(world):
    matter = world.matter()

    class Failure(Exception):
        pass

    with pytest.raises(Failure), transaction.atomic():  # noqa: PT012  the error must come inside
        services.decline(matter, by=world.clerk, version=1, note="不归我们")
        assert Event.objects.filter(record_id=matter.pk).count() == 2
        raise Failure
    assert unchanged(matter)


def test_the_event_tells_who_did_what_from_where_to_where(world):
    matter = world.matter()
    done = services.dispatch(matter, to=world.department, by=world.county_clerk, version=1, note="请尽快")
    event = Event.objects.get(pk=done.event.pk)
    assert (event.move, event.from_state, event.to_state) == ("dispatch", "raised", "dispatched")
    assert (event.actor, event.actor_name, event.note) == (world.county_clerk, world.county_clerk.name, "请尽快")
    assert event.changes == {"to": world.department.name}


def test_every_state_can_be_entered_and_every_open_state_left():
    targets = {step.target for step in WORKFLOW.moves.values() if step.target}
    assert targets == set(State.values)
    sources = {state for step in WORKFLOW.moves.values() for state in step.sources}
    assert sources >= {"raised", "dispatched", "ordered", "under_way", "asked", "settled"}
    kinds = {kind for step in WORKFLOW.moves.values() for kind in step.by if isinstance(kind, str)}
    assert {RESIDENT, SYSTEM} <= kinds


def test_a_record_keeps_to_its_jurisdiction(world):
    matter = world.matter()
    with pytest.raises(ValueError, match="jurisdiction"):
        matter.set_place(world.far_village)
    with pytest.raises(services.BadTarget):
        services.transfer(matter, place=world.far_village, by=world.clerk, version=1, note="归你们")
    assert unchanged(matter)
