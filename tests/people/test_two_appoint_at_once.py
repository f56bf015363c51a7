"""Two clerks appoint to one seat at the same moment: one of them is told, and the seat has one holder."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import IntegrityError, OperationalError, connection

from weilu.orgs.bodies import BodyError, change_body, constraint_of, make_body
from weilu.orgs.models import Organisation
from weilu.people.appointments import AppointmentError, appoint, hand_over, make_post
from weilu.people.models import Appointment, Person, Post

SINCE = dt.date(2024, 1, 1)


def together(*deeds) -> list:
    """Do all ``deeds`` at the same moment; return what each gave, or the error it raised."""
    gate = threading.Barrier(len(deeds), timeout=30)

    def run(deed):
        try:
            connection.ensure_connection()
            gate.wait()
            return deed()
        except (AppointmentError, BodyError, IntegrityError, OperationalError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def errors(results: list) -> list:
    return [result for result in results if isinstance(result, Exception)]


def cast(world) -> tuple[Post, list[Person]]:
    people = [
        Person.objects.create(jurisdiction=world.jurisdiction, name=name, home=world.village)
        for name in ("李明", "王芳")
    ]
    return make_post(world.branch, title="书记", by=None), people


def test_two_clerks_fill_one_seat_and_the_second_is_told_who_has_it(real_world):
    post, people = cast(real_world)
    clerks = (real_world.clerk, real_world.village_clerk)

    def by(clerk, person):
        return lambda: appoint(Post.objects.get(pk=post.pk), person=person, by=clerk, since=SINCE)

    found = together(*[by(clerk, person) for clerk, person in zip(clerks, people, strict=True)])
    [lost] = errors(found)
    assert isinstance(lost, AppointmentError)
    holder = Appointment.objects.select_related("person").get(post=post)
    assert holder.person.name in lost.message


def test_without_our_lock_the_database_still_lets_one_of_them_in(real_world):
    post, people = cast(real_world)

    def write(person):
        return lambda: Appointment.objects.create(
            jurisdiction=real_world.jurisdiction, post=post, person=person, valid_from=SINCE
        )

    [lost] = errors(together(*[write(person) for person in people]))
    # Two rows checked against each other may also end as a deadlock, of which one is given up: that is why we lock.
    assert isinstance(lost, OperationalError) or constraint_of(lost) == "appointment_one_holder_of_a_seat"
    assert Appointment.objects.count() == 1


def test_one_seat_handed_over_to_two_at_once_goes_to_one(real_world):
    post, people = cast(real_world)
    first = Person.objects.create(jurisdiction=real_world.jurisdiction, name="张老", home=real_world.village)
    held = appoint(post, person=first, by=None, since=SINCE)

    def to(person):
        return lambda: hand_over(Appointment.objects.get(pk=held.pk), to=person, by=None, on=dt.date(2025, 1, 1))

    [lost] = errors(together(*[to(person) for person in people]))
    assert isinstance(lost, AppointmentError)
    assert Appointment.objects.filter(post=post, valid_to=None).count() == 1


def test_a_parent_made_younger_while_it_gets_a_child_leaves_no_child_older_than_it(real_world):
    kinds, old, new = Organisation.Kind, dt.date(2010, 1, 1), dt.date(2020, 1, 1)
    for number in range(3):
        parent = make_body(
            place=real_world.village, kind=kinds.PARTY_COMMITTEE, name=f"党委{number}", by=None, since=old
        )

        def younger(parent=parent):
            return change_body(parent, by=None, on=new, valid_from=new)

        def child(parent=parent, number=number):
            return make_body(
                place=real_world.village, kind=kinds.BRANCH, name=f"支部{number}", by=None, since=old, parent=parent
            )

        lost = errors(together(younger, child))
        assert [type(error) for error in lost] == [BodyError]
        parent.refresh_from_db()
        assert all(found.valid_from >= parent.valid_from for found in parent.children.all())
