"""Two at the same moment, each with a connection of its own: one wins, the other is told, nothing is done twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from weilu.matters import services
from weilu.matters.models import Category, Matter, Module
from weilu.records.models import Counter, Event
from weilu.records.moves import MoveError, NotPossible, Stale


def together(*deeds) -> list:
    """Do all ``deeds`` at the same moment; return what each gave, or the error it raised."""
    gate = threading.Barrier(len(deeds), timeout=30)

    def run(deed):
        try:
            connection.ensure_connection()
            gate.wait()
            return deed()
        except (MoveError, psycopg.Error) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def errors(results: list) -> list:
    return [result for result in results if isinstance(result, Exception)]


def test_numbers_have_no_gaps_and_are_given_once(real_world):
    module = Module.objects.select_related("jurisdiction__place").get(jurisdiction=real_world.jurisdiction, code="ask")
    category = Category.objects.get(jurisdiction=real_world.jurisdiction, code="other")

    def file():
        for n in range(4):
            services.file_matter(
                place=real_world.village, module=module, category=category, subject=f"事{n}", intake_key=str(uuid4())
            )

    assert errors(together(*[file] * 6)) == []
    numbers = sorted(Matter.objects.values_list("number", flat=True))
    year = numbers[0].split("-")[1]
    assert numbers == [f"CX-{year}-{n:06d}" for n in range(1, 25)]
    assert Counter.objects.get().last == 24


def test_one_form_sent_twice_at_once_is_one_matter(real_world):
    module = Module.objects.select_related("jurisdiction__place").get(jurisdiction=real_world.jurisdiction, code="ask")
    category = Category.objects.get(jurisdiction=real_world.jurisdiction, code="other")

    def file():
        return services.file_matter(
            place=real_world.village, module=module, category=category, subject="同一件", intake_key="same"
        )

    found = together(*[file] * 4)
    assert errors(found) == []
    assert len({matter.number for matter, _secret in found}) == 1
    assert len({secret for _matter, secret in found}) == 1
    assert Matter.objects.count() == 1
    assert Event.objects.count() == 1
    assert Counter.objects.get().last == 1


def test_a_filing_that_fails_gives_its_number_back(real_world):
    class Failure(Exception):
        pass

    with pytest.raises(Failure), transaction.atomic():  # noqa: PT012  the error must come inside
        real_world.matter()
        raise Failure
    assert real_world.matter().number.endswith("-000001")


def test_two_clerks_dispatch_one_matter_and_one_of_them_is_told(real_world):
    matter = real_world.matter()

    def by(clerk, to):
        return lambda: services.dispatch(Matter.objects.get(pk=matter.pk), to=to, by=clerk, version=1)

    found = together(by(real_world.clerk, real_world.office), by(real_world.county_clerk, real_world.department))
    lost = errors(found)
    assert [type(error) for error in lost] == [Stale]
    won = next(result for result in found if isinstance(result, Matter))
    now = Matter.objects.get(pk=matter.pk)
    assert (now.handler_id, now.version) == (won.handler_id, 2)
    assert lost[0].record.handler_id == won.handler_id
    assert Event.objects.filter(record_id=matter.pk, move="dispatch").count() == 1


def test_two_members_take_one_order_and_the_second_is_told_in_words(real_world):
    matter = real_world.matter()
    matter = services.dispatch(matter, to=real_world.branch, by=real_world.clerk, version=1)

    def by(member):
        return lambda: services.take(Matter.objects.get(pk=matter.pk), by=member)

    found = together(by(real_world.member), by(real_world.second_member))
    lost = errors(found)
    assert [type(error) for error in lost] == [NotPossible]
    assert str(lost[0].message)
    assert Event.objects.filter(record_id=matter.pk, move="take").count() == 1
    assert Matter.objects.get(pk=matter.pk).taken_by_id in (real_world.member.pk, real_world.second_member.pk)


def test_each_merged_into_the_other_at_once_leaves_one_of_them_open(real_world):
    for _round in range(4):
        first, second = real_world.matter(), real_world.matter()

        def merge(one, other, clerk):
            return lambda: services.merge(
                Matter.objects.get(pk=one.pk), into=Matter.objects.get(pk=other.pk), by=clerk, version=1
            )

        found = together(merge(first, second, real_world.clerk), merge(second, first, real_world.village_clerk))
        assert len(errors(found)) == 1, found
        assert isinstance(errors(found)[0], MoveError), found
        states = Matter.objects.filter(pk__in=[first.pk, second.pk]).values_list("state", flat=True)
        assert sorted(states) == ["merged", "raised"]


def test_settled_and_given_back_at_once_is_one_of_the_two(real_world):
    matter = services.dispatch(real_world.matter(), to=real_world.department, by=real_world.county_clerk, version=1)

    def settle():
        return services.settle(Matter.objects.get(pk=matter.pk), by=real_world.handler, version=2, outcome="修好了")

    def give_back():
        return services.give_back(Matter.objects.get(pk=matter.pk), by=real_world.clerk, version=2, note="不归我们")

    found = together(settle, give_back)
    assert [type(error) for error in errors(found)] == [Stale]
    now = Matter.objects.get(pk=matter.pk)
    assert now.state in ("settled", "raised")
    assert Event.objects.filter(record_id=matter.pk).count() == 3


def test_rated_and_lapsed_at_once_is_never_both(real_world, monkeypatch):
    import datetime as dt

    from django.utils import timezone

    for _round in range(3):
        matter = services.settle(real_world.matter(), by=real_world.clerk, version=1, outcome="修好了")

        def rate(matter=matter):
            return services.rate(Matter.objects.get(pk=matter.pk), rating=5)

        def lapse():
            return services.lapse_unrated(timezone.now() + dt.timedelta(days=30))

        together(rate, lapse)
        now = Matter.objects.get(pk=matter.pk)
        assert (now.state, now.rating) in (("rated", 5), ("unrated", None))
        moves = set(Event.objects.filter(record_id=matter.pk).values_list("move", flat=True))
        assert len(moves & {"rate", "lapse"}) == 1


def test_a_resident_who_reopens_twice_at_once_reopens_once(real_world):
    matter = services.settle(real_world.matter(), by=real_world.clerk, version=1, outcome="修好了")

    def reopen():
        return services.reopen(Matter.objects.get(pk=matter.pk), note="还是不亮")

    assert len(errors(together(reopen, reopen))) == 1
    assert Event.objects.filter(record_id=matter.pk, move="reopen").count() == 1


def test_events_can_be_added_but_neither_changed_nor_deleted_nor_emptied(real_world):
    matter = real_world.matter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == "weilu_app"
    for statement in (
        "UPDATE records_event SET note = 'x'",
        "DELETE FROM records_event",
        "TRUNCATE records_event",
        "ALTER TABLE records_event DISABLE TRIGGER ALL",
        "DROP TABLE records_event",
    ):
        with connection.cursor() as cursor, pytest.raises(Exception) as caught:
            cursor.execute(statement)
        assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege), statement
    Event.objects.create(
        jurisdiction_id=matter.jurisdiction_id,
        record_kind="matter",
        record_id=matter.pk,
        move="progress",
        to_state="raised",
        actor_name="",
    )
    assert Event.objects.filter(record_id=matter.pk).count() == 2
