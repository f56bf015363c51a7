"""The main road, from raising to rating, through the services."""

import pytest

from weilu.matters import services
from weilu.records.moves import NotAllowed, Stale


def test_a_matter_goes_from_raising_to_rating(world):
    matter = world.matter()
    assert matter.number.startswith("CX-")
    matter = services.dispatch(matter, to=world.office, by=world.clerk, version=matter.version)
    assert matter.state == "dispatched"
    matter = services.settle(matter, by=world.clerk, version=matter.version, outcome="换了灯泡。")
    matter = services.rate(matter, rating=5, comment="快")
    assert matter.state == "rated"
    assert matter.rating == 5


def test_a_second_clerk_gets_the_new_state_and_overwrites_nothing(world):
    matter = world.matter()
    services.dispatch(matter, to=world.office, by=world.clerk, version=1)
    with pytest.raises(Stale) as caught:
        services.dispatch(matter, to=world.department, by=world.county_clerk, version=1)
    assert caught.value.record.handler == world.office


def test_it_does_not_dispatch_outside_the_clerks_place(world):
    matter = world.matter()
    with pytest.raises(services.BadTarget):
        services.dispatch(matter, to=world.other_office, by=world.clerk, version=1)
    with pytest.raises(NotAllowed):
        services.dispatch(matter, to=world.other_office, by=world.stranger, version=1)
