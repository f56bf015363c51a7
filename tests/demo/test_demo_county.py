"""The demo county: loaded once, whole and true to the workflow."""

import datetime as dt
import io
from collections import Counter, defaultdict

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from rich.console import Console
from stdnum.cn import ric

from weilu.demo import DemoError, load
from weilu.demo.accounts import PASSWORD, ROLES
from weilu.demo.filing import COUNT
from weilu.demo.plot import Plot
from weilu.demo.topics import topics
from weilu.lib.personal import personal_in
from weilu.matters.models import Category, Matter, MatterText, Module
from weilu.matters.queries import matching
from weilu.matters.services import secret_for, secret_hash
from weilu.matters.setup import open_jurisdiction
from weilu.matters.workflow import CLOSED, DONE, OPEN, WORKFLOW, State
from weilu.orgs.models import Grant, Jurisdiction, Level, Organisation, Place, User
from weilu.orgs.roles import Role
from weilu.people.coverage import QUESTIONS
from weilu.people.merging import pairs
from weilu.people.models import Appointment, Honour, Membership, Person
from weilu.people.persons import tidy_id_number
from weilu.records.attachments import path_of
from weilu.records.models import Attachment, Event, Notification
from weilu.records.models import Counter as NumberCounter

MODELS = [Place, Organisation, User, Grant, Person, Membership, Matter, MatterText, Event, Notification, Attachment]


def quiet() -> Console:
    return Console(file=io.StringIO())


@pytest.fixture(scope="module")
def county(django_db_setup, django_db_blocker):
    """The demo county, loaded once for this file and rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        load(quiet())
        yield Jurisdiction.objects.get()
        transaction.set_rollback(True)


@pytest.fixture
def loaded(county, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield county
        transaction.set_rollback(True)


def test_places_people_and_matters_are_about_as_many_as_promised(loaded):
    # Villages that were merged stay in the history; those that came of it are not of the files.
    levels = dict(Place.objects.filter(begun_by=None).order_by().values_list("level").annotate(Count("pk")))
    assert {level: levels[level] for level in range(1, 6)} == {1: 1, 2: 1, 3: 1, 4: 34, 5: 457}
    assert 2 * 457 <= levels[Level.GRID] <= 4 * 457
    assert levels[Level.BUILDING] > 100
    assert not Place.objects.filter(level__gte=Level.TOWNSHIP, latitude=None).exists()
    assert 3_200 <= Person.objects.count() <= 3_500
    assert 4_900 <= Matter.objects.count() <= 5_200


def test_places_lie_in_the_path_of_their_parent(loaded):
    below = Place.objects.filter(level__gte=Level.GRID).select_related("parent")
    assert all(place.path == f"{place.parent.path}{place.code}/" for place in below)


def test_no_two_people_share_a_telephone_number(loaded):
    phones = [person.phone for person in Person.objects.all() if person.id_number]  # the rest are second records
    assert len(set(phones)) == len(phones)
    assert all(len(phone) == 11 and phone.startswith("1990000") for phone in phones)


def test_id_numbers_are_valid_and_of_those_kept_for_people_of_a_hundred_years(loaded):
    people = [person for person in Person.objects.all() if person.id_number]
    assert len(people) > 3000
    assert all(tidy_id_number(person.id_number) and person.id_number[14:16] == "99" for person in people)
    assert all(person.birth_date == ric.get_birth_date(person.id_number) and person.pinyin for person in people)


def test_there_are_double_records_honours_and_members_who_report_home(loaded):
    assert len(pairs(Person.objects.current())) >= 5
    assert Honour.objects.filter(organisation__isnull=False).count() > 20
    assert Honour.objects.exclude(withdrawn_on=None).exists()
    reported = Membership.objects.filter(kind="reported").select_related("person__home", "organisation__place")
    assert reported.count() > 20
    assert all(row.person.home.path.startswith(row.organisation.place.path) for row in reported)


def test_matters_stand_in_every_state_and_most_are_closed(loaded):
    states = Counter(Matter.objects.values_list("state", flat=True))
    assert set(states) == set(State.values)
    assert 0.88 <= sum(states[state] for state in CLOSED) / states.total() <= 0.97
    assert Matter.objects.open().filter(due_at__lt=timezone.now()).count() > 5


def test_each_category_module_and_topic_occurs(loaded):
    for model in (Category, Module):
        used = Matter.objects.order_by().values(model.__name__.lower()).distinct().count()
        assert used == model.objects.count()
    assert len(topics()) >= 60


def test_events_replay_to_the_state_of_their_matter(loaded):
    histories = defaultdict(list)
    wanted = ("record_id", "at", "move", "from_state", "to_state", "note", "open_to_resident")
    for event in Event.objects.filter(record_kind="matter").order_by("at", "id").values_list(*wanted, named=True):
        histories[event.record_id].append(event)
    now = timezone.now()
    for matter in Matter.objects.only("created_at", "state", "version", "jurisdiction"):
        events = histories.pop(matter.pk)
        assert (events[0].move, events[0].at, events[0].to_state) == ("file", matter.created_at, "raised")
        state = "raised"
        for event in events[1:]:
            step = WORKFLOW.moves[event.move]
            assert event.from_state == state in step.sources
            assert event.to_state == (step.target or event.to_state)
            assert event.open_to_resident == step.open_to_resident
            assert event.note or not step.needs_note
            state = event.to_state
        assert (state, len(events)) == (matter.state, matter.version)
        assert events[-1].at <= now
    assert not histories


def test_clocks_and_ratings_are_as_the_services_leave_them(loaded):
    rows = Matter.objects
    assert not rows.filter(promised_at=None).exists()
    assert not rows.filter(state__in=sorted(OPEN - {State.ASKED}), due_at=None).exists()
    assert not rows.filter(Q(due_at__isnull=False) | Q(clock_left=None), state=State.ASKED).exists()
    assert not rows.filter(state__in=sorted(CLOSED), clock_left__isnull=False).exists()
    assert not rows.filter(state=State.SETTLED, rate_until__lt=timezone.now() - dt.timedelta(minutes=5)).exists()
    assert not rows.filter(state__in=sorted(DONE), rate_until__lte=F("settled_at")).exists()
    assert not rows.filter(state=State.RATED, rated_at__gt=F("rate_until")).exists()
    assert not rows.filter(state__in=sorted(OPEN), settled_at__isnull=False).exists()
    assert not rows.filter(state=State.ORDERED).exclude(handler__kind__in=["branch", "volunteers"]).exists()


def test_numbers_have_no_gaps_and_follow_time(loaded):
    matters = list(Matter.objects.order_by("created_at", "number").values_list("number", "created_at"))
    years = defaultdict(list)
    for number, _at in matters:
        years[number[:8]].append(int(number[8:]))
    for found in years.values():
        assert found == list(range(1, len(found) + 1))
    given = NumberCounter.objects.filter(kind="matter").values_list("last", flat=True)
    assert sum(given) == len(matters)


def test_nothing_personal_is_public(loaded):
    texts = Matter.objects.values_list("public_title", "public_outcome", "outcome")
    assert not any(personal_in(text) for row in texts for text in row)


def test_no_text_has_an_open_gap(loaded):
    rows = Matter.objects.values_list("subject", "detail", "address", "outcome", "public_outcome")
    assert not any("{" in text or "}" in text for row in rows for text in row)
    assert not Event.objects.filter(note__contains="{").exists()


def test_merged_matters_name_one_that_is_worked_on(loaded):
    into = Matter.objects.filter(merged__isnull=False)
    assert into.exists()
    assert not into.filter(state__in=[State.MERGED, State.DECLINED]).exists()
    merged = Matter.objects.filter(state=State.MERGED).select_related("merged_into")
    notes = dict(Event.objects.filter(move="merge").values_list("record_id", "changes__into"))
    assert all(notes[matter.pk] == matter.merged_into.number for matter in merged)


def test_a_matter_is_found_by_its_words_and_followed_by_its_secret(loaded):
    matter = Matter.objects.get(intake_key="demo:1")
    assert matter in matching(Matter.objects.all(), matter.subject)
    assert bytes(matter.secret_hash) == secret_hash(secret_for("demo:1"))
    assert MatterText.objects.count() == Matter.objects.count()


def test_one_account_for_each_role_signs_in(loaded):
    assert [username for _role, username, _password in load(quiet())] == list(ROLES)
    roles = set()
    for username in ROLES:
        user = User.objects.get(username=username)
        assert user.check_password(PASSWORD)
        roles |= user.roles
    assert roles == set(Role.values)
    assert not User.objects.exclude(username__in=ROLES).exclude(password__startswith="!").exists()


@pytest.mark.parametrize("username", ROLES)
def test_each_account_sees_matters(loaded, username):
    user = User.objects.get(username=username)
    assert Matter.objects.visible_to(user).exists()
    if username in ("member", "grid", "village", "township", "department"):
        in_hand = Matter.objects.handled_by(user)
        assert in_hand.open().exists()
        assert Notification.objects.filter(user=user).exists()
    if username in ("village", "township", "county"):
        queue = Matter.objects.visible_to(user).open()
        assert {"raised", "dispatched", "ordered", "under_way", "asked"} <= set(queue.values_list("state", flat=True))
        assert queue.filter(due_at__lt=timezone.now()).exists()


def test_the_members_branch_has_open_orders(loaded):
    member = User.objects.get(username="member")
    assert Matter.objects.orders_for(member).count() >= 5


def test_photos_lie_in_the_data_folder(loaded):
    found = list(Attachment.objects.all())
    assert len({row.record_id for row in found}) >= 30
    assert all(path_of(row.sha256).is_file() and path_of(row.sha256, thumbnail=True).is_file() for row in found)
    assert str(path_of(found[0].sha256)).startswith(str(settings.FILES))


def test_a_second_load_adds_nothing(loaded):
    before = [model.objects.count() for model in MODELS]
    passwords = set(User.objects.filter(username__in=ROLES).values_list("password", flat=True))
    load(quiet())
    assert [model.objects.count() for model in MODELS] == before
    assert set(User.objects.filter(username__in=ROLES).values_list("password", flat=True)) == passwords


def test_it_refuses_a_database_that_is_at_work_for_a_county(world):
    with pytest.raises(DemoError, match="苍溪县"):
        load(quiet())
    assert not Person.objects.exists()


def test_it_refuses_a_county_that_an_office_opened_itself(db):
    province = Place.objects.create(code="51", name="四川省", short_name="四川省", level=Level.PROVINCE, path="51/")
    Place.objects.create(
        code="510824", name="苍溪县", short_name="苍溪县", level=Level.COUNTY, parent=province, path="51/510824/"
    )
    open_jurisdiction("510824", prefix="CX")
    with pytest.raises(DemoError):
        load(quiet())


def test_a_load_that_breaks_off_leaves_nothing(db, monkeypatch):
    monkeypatch.setattr("weilu.demo.filing.COUNT", 40)
    told = Plot.tell
    monkeypatch.setattr(Plot, "tell", lambda plot: told(plot) if plot.filed.seed != "510824:30:life" else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(quiet())
    assert not any(model.objects.exists() for model in [*MODELS, Jurisdiction, NumberCounter])
    assert COUNT > 40


def test_posts_are_held_as_the_verbs_would_let_them_be(loaded):
    rows = Appointment.objects
    assert rows.filter(valid_to__isnull=False).count() > 50  # with some history
    assert not rows.filter(seat__gt=F("post__strength")).exists()
    assert not rows.filter(valid_from__lt=F("post__valid_from")).exists()
    assert not Organisation.objects.filter(parent__isnull=False).exclude(parent_from=F("parent__valid_from")).exists()


def test_every_question_of_coverage_but_one_has_rows(loaded):
    observer = User.objects.get(username="observer")
    empty = {code for code, question in QUESTIONS.items() if not question.rows(observer, None).exists()}
    assert empty <= {"villages-without-branch", "branches-without-secretary"}


def test_the_four_levels_of_party_organisations_hang_on_each_other(loaded):
    household = Organisation.objects.filter(kind="member_household").select_related("parent__parent__parent__parent")
    above = household.first().parent
    assert [above.kind, above.parent.kind, above.parent.parent.kind] == ["party_group", "branch", "party_committee"]
