"""Two clerks at the same moment: one gets the room, the other is told."""

import threading

from django.db import connection

from tests.venues.conftest import make_hall, make_wish
from weilu.records.models import Event
from weilu.venues import services
from weilu.venues.models import Booking


def together(*deeds):
    """Run deeds in threads of their own, from one signal; return what each gave or raised."""
    start, found = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(number, deed):
        start.wait(10)
        try:
            found[number] = deed()
        except Exception as error:
            found[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def one_and_told(found):
    won = [row for row in found if isinstance(row, Booking)]
    told = [row for row in found if isinstance(row, services.Taken)]
    assert len(won) == 1, found
    assert len(told) == len(found) - 1, found


def test_of_two_who_book_at_once_one_wins_and_the_other_is_told(real_world):
    hall = make_hall(real_world)
    clerks = [real_world.clerk, real_world.village_clerk, real_world.county_clerk]
    wishes = [make_wish(9 + number, 12, key=str(number)) for number in range(3)]
    deeds = zip(clerks, wishes, strict=True)
    found = together(*(lambda by=by, wish=wish: services.book(hall, wish, by=by) for by, wish in deeds))
    one_and_told(found)
    assert Booking.objects.count() == 1
    assert Event.objects.filter(record_kind="booking").count() == 1  # who was told left nothing behind


def test_of_two_requests_confirmed_at_once_one_is_confirmed(real_world):
    hall = make_hall(real_world)
    first, second = (services.ask_for(hall, make_wish(key=key), by=None) for key in ("one", "two"))
    found = together(
        lambda: services.confirm(first, by=real_world.clerk, version=1),
        lambda: services.confirm(second, by=real_world.village_clerk, version=1),
    )
    one_and_told(found)
    assert sorted(Booking.objects.values_list("state", flat=True)) == ["confirmed", "wanted"]


def test_the_same_form_sent_twice_at_once_is_one_booking(real_world):
    hall = make_hall(real_world)
    found = together(*[lambda: services.book(hall, make_wish(), by=real_world.clerk)] * 2)
    assert Booking.objects.count() == 1
    assert any(isinstance(row, Booking) for row in found)
