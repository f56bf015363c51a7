"""Accounts: an administrator makes, shuts and grants within their own scope, and nothing beyond it."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.conftest import place
from weilu.orgs.models import Grant, Level, User
from weilu.orgs.roles import Role

PASSWORD = "lantern-Under-the-eaves-7"


@pytest.fixture
def admin(world, sign_in):
    return sign_in(world.administrator)


@pytest.fixture
def township_admin(world, sign_in):
    return sign_in(world.user("township_administrator", Role.ADMINISTRATOR, world.township))


def form(**given):
    data = {
        "username": "newcomer",
        "name": "新来",
        "email": "",
        "password": "seven-Lamps-by-the-river",
        "role": "township_clerk",
        "place_code": "510824100",
        "organisation": "",
        "valid_from": "2026-01-01",
        "valid_to": "",
    }
    return data | given


def test_an_account_is_made_with_its_grant(world, admin):
    assert admin.post("/accounts/new/", form()).status_code == 302
    user = User.objects.get(username="newcomer")
    assert user.check_password("seven-Lamps-by-the-river")
    grant = user.grants.get()
    assert (grant.role, grant.place, grant.jurisdiction) == ("township_clerk", world.township, world.jurisdiction)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place_code", "510823"),
        ("place_code", "5108"),
        ("place_code", "51"),
        ("place_code", "x"),
        ("place_code", ""),
        ("role", "root"),
        ("role", ""),
        ("username", ""),
        ("username", "x" * 41),
        ("username", "CLERK"),
        ("password", "short"),
        ("password", "newcomer123"),
        ("password", ""),
        ("valid_from", ""),
        ("valid_from", "x"),
        ("valid_to", "2025-01-01"),
        ("valid_to", "2026-01-01"),
        ("organisation", "x"),
        ("organisation", "01a20410-3523-72db-8049-ccaf0739604c"),
        ("email", "x"),
        ("role", "member"),
        ("name", ""),
        ("name", "x" * 41),
    ],
)
def test_a_wrong_field_makes_nothing(world, admin, field, value):
    users, grants = User.objects.count(), Grant.objects.count()
    assert admin.post("/accounts/new/", form(**{field: value})).status_code == 422
    assert (User.objects.count(), Grant.objects.count()) == (users, grants)


@pytest.mark.parametrize("name", ["a/b", "new"])
def test_an_account_is_called_nothing_that_its_address_cannot_hold(world, admin, name):
    assert admin.post("/accounts/new/", form(username=name)).status_code == 422
    assert admin.get("/accounts/").status_code == 200


@pytest.mark.parametrize("name", ["..", ".", "a b", "a?b", "a#b", "a%2Fb", "名字", "\u202eabc"])
def test_whatever_an_account_is_called_its_pages_work(world, admin, name):
    admin.raise_request_exception = False
    answer = admin.post("/accounts/new/", form(username=name), follow=True)
    assert answer.status_code in (200, 422)
    listed = admin.get("/accounts/")
    assert listed.status_code == 200
    if user := User.objects.filter(username=name).first():
        from django.urls import reverse

        answer = admin.get(reverse("account_edit", args=[user.username]))
        assert answer.status_code == 200
        assert answer.context["subject"] == user


def test_an_organisation_elsewhere_is_no_way_out_of_the_scope(world, admin):
    for role in ("member", "county_department", "county_clerk"):
        data = form(role=role, organisation=str(world.far_office.pk))
        assert admin.post("/accounts/new/", data).status_code == 422
    assert not User.objects.filter(username="newcomer").exists()


def test_a_role_of_an_organisation_is_granted_where_it_stands(world, admin):
    data = form(role="member", organisation=str(world.branch.pk), place_code=world.county.code)
    assert admin.post("/accounts/new/", data).status_code == 302
    assert Grant.objects.get(user__username="newcomer").place == world.village


def test_an_organisation_alone_says_where(world, admin):
    data = form(role="member", organisation=str(world.branch.pk), place_code="")
    assert admin.post("/accounts/new/", data).status_code == 302
    assert Grant.objects.get(user__username="newcomer").place == world.village


def test_a_place_is_found_by_its_name_and_proposed(world, admin):
    assert '<option value="510824100">陵江镇</option>' in admin.get("/accounts/new/").text
    assert admin.post("/accounts/new/", form(place_code="陵江镇")).status_code == 302
    assert Grant.objects.get(user__username="newcomer").place == world.township


def test_a_name_that_several_places_have_is_not_guessed(world, admin):
    place("510824101202", "金穗社区", Level.VILLAGE, world.other_township)
    answer = admin.post("/accounts/new/", form(place_code="金穗社区"))
    assert answer.status_code == 422
    assert "有几个地方叫这个名字" in answer.text


def test_fields_that_the_form_does_not_have_are_not_taken(world, admin):
    data = form(
        jurisdiction=str(world.far_jurisdiction.pk),
        place=str(world.far_county.pk),
        user=str(world.clerk.pk),
        is_superuser="1",
        is_active="",
        id=str(world.clerk.pk),
    )
    admin.post("/accounts/new/", data)
    grant = Grant.objects.get(user__username="newcomer")
    assert (grant.place, grant.jurisdiction) == (world.township, world.jurisdiction)
    assert world.clerk.grants.count() == 1
    assert User.objects.get(username="newcomer").is_active


def test_an_administrator_of_a_township_grants_nothing_above_it(world, township_admin):
    for code in (world.county.code, world.other_township.code, "5108"):
        assert township_admin.post("/accounts/new/", form(role="administrator", place_code=code)).status_code == 422
    for username in ("county_clerk", "stranger", "far_clerk", "administrator"):
        assert township_admin.get(f"/accounts/{username}/").status_code == 404
        assert township_admin.post(f"/accounts/{username}/switch/").status_code == 404
    body = str(world.department.pk)
    assert township_admin.post("/accounts/new/", form(role="county_department", organisation=body)).status_code == 422


def test_an_administrator_of_a_township_does_not_change_the_settings_of_the_county(world, township_admin):
    data = {
        "title": "改了",
        "hotline": "",
        "rate_days": 1,
        "reopen_days": 1,
        "work_starts": "09:00",
        "work_ends": "17:00",
    }
    township_admin.post("/settings/", data)
    world.jurisdiction.refresh_from_db()
    assert world.jurisdiction.rate_days == 7
    township_admin.post("/settings/category/other/", {"name": "改了", "days": 1, "position": 0})
    from weilu.matters.models import Category

    assert Category.objects.get(jurisdiction=world.jurisdiction, code="other").name == "其他"


def test_an_account_of_a_wider_scope_is_not_shut_from_below(world, township_admin):
    """The county's administrator also keeps a small grant in the township; that gives the township no hold on them."""
    Grant.objects.create(
        user=world.administrator, role=Role.OBSERVER, place=world.township, jurisdiction=world.jurisdiction
    )
    township_admin.post("/accounts/administrator/switch/")
    assert User.objects.get(username="administrator").is_active


def test_who_has_moved_away_is_not_shut_by_their_former_county(world, admin):
    Grant.objects.create(
        user=world.far_clerk,
        role=Role.OBSERVER,
        place=world.county,
        jurisdiction=world.jurisdiction,
        valid_to=timezone.localdate() - dt.timedelta(days=100),
    )
    admin.post("/accounts/far_clerk/switch/")
    assert User.objects.get(username="far_clerk").is_active


def test_an_account_is_shut_and_opened_but_not_ones_own(world, admin):
    admin.post("/accounts/clerk/switch/")
    assert not User.objects.get(username="clerk").is_active
    admin.post("/accounts/clerk/switch/")
    assert User.objects.get(username="clerk").is_active
    admin.post("/accounts/administrator/switch/")
    assert User.objects.get(username="administrator").is_active


def test_a_forgotten_password_is_set_anew_and_opens_a_locked_account(world, admin):
    client = admin.__class__()
    for _n in range(5):
        client.post("/login/", {"username": "clerk", "password": "not-it"})
    admin.post("/accounts/clerk/password/", {"password": "seven-Lamps-by-the-river"})
    answer = client.post("/login/", {"username": "clerk", "password": "seven-Lamps-by-the-river"})
    assert answer.status_code == 302


@pytest.mark.parametrize("password", ["", "short", "1234567890", "x" * 5000])
def test_a_bad_first_password_is_not_set(world, admin, password):
    answer = admin.post("/accounts/clerk/password/", {"password": password}, follow=True)
    assert answer.status_code == 200
    assert User.objects.get(username="clerk").check_password(PASSWORD) or len(password) == 5000


def test_the_password_of_a_wider_account_is_not_set_from_below(world, township_admin):
    Grant.objects.create(
        user=world.administrator, role=Role.OBSERVER, place=world.township, jurisdiction=world.jurisdiction
    )
    township_admin.post("/accounts/administrator/password/", {"password": "seven-Lamps-by-the-river"})
    assert User.objects.get(username="administrator").check_password(PASSWORD)


def test_ones_own_administration_cannot_be_ended(world, admin):
    admin.post(f"/grants/{world.administrator.grants.get().pk}/end/")
    assert admin.get("/accounts/").status_code == 200


def test_a_grant_is_added_within_the_scope_only(world, admin):
    grant = {
        "role": "observer",
        "place_code": "510824101",
        "organisation": "",
        "valid_from": "2026-01-01",
        "valid_to": "",
    }
    assert admin.post("/accounts/clerk/", grant).status_code == 302
    assert world.clerk.grants.count() == 2
    assert admin.post("/accounts/clerk/", grant | {"place_code": "510823"}).status_code == 422
    assert admin.post("/accounts/far_clerk/", grant).status_code == 404
    assert world.clerk.grants.count() == 2


def test_a_grant_ends_today_and_stays_in_the_history(world, admin):
    grant = world.clerk.grants.get()
    assert admin.post(f"/grants/{grant.pk}/end/", follow=True).status_code == 200
    grant.refresh_from_db()
    assert grant.valid_to == timezone.localdate()
    assert User.objects.get(username="clerk").permissions == set()


def test_ending_a_grant_again_does_not_rewrite_when_it_ended(world, admin):
    long_ago = timezone.localdate() - dt.timedelta(days=100)
    world.clerk.grants.update(valid_to=long_ago)
    admin.post(f"/grants/{world.clerk.grants.get().pk}/end/")
    assert world.clerk.grants.get().valid_to == long_ago


def test_a_grant_made_by_mistake_today_can_be_ended_and_the_account_granted_anew(world, admin):
    admin.post("/accounts/new/", form(valid_from=timezone.localdate().isoformat()))
    grant = Grant.objects.get(user__username="newcomer")
    assert admin.post(f"/grants/{grant.pk}/end/", follow=True).status_code == 200
    assert admin.get("/accounts/newcomer/").status_code == 200
    assert "newcomer" in admin.get("/accounts/").content.decode()


def test_a_grant_elsewhere_is_not_ended(world, admin):
    grant = world.far_clerk.grants.get()
    assert admin.post(f"/grants/{grant.pk}/end/").status_code == 404
    assert world.far_clerk.grants.get().valid_to is None


def test_an_administrator_of_two_counties_edits_the_rows_of_either(world, admin):
    Grant.objects.create(
        user=world.administrator, role=Role.ADMINISTRATOR, place=world.far_county, jurisdiction=world.far_jurisdiction
    )
    admin.raise_request_exception = False
    assert admin.get("/settings/").status_code == 200
    assert admin.get("/settings/category/other/").status_code == 200


def test_an_administrator_of_the_city_grants_in_the_county_of_the_place(world, admin):
    world.administrator.grants.update(place=world.county.parent)
    admin.post("/accounts/new/", form(role="county_clerk", place_code=world.far_county.code))
    assert Grant.objects.get(user__username="newcomer").jurisdiction == world.far_jurisdiction


SETTINGS = {
    "title": "苍溪",
    "hotline": "",
    "rate_days": 7,
    "reopen_days": 15,
    "work_starts": "09:00",
    "work_ends": "17:00",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_days", "-1"),
        ("rate_days", "99999"),
        ("rate_days", "x"),
        ("work_ends", "08:00"),
        ("work_ends", "09:00"),
        ("work_ends", "24:00"),
        ("title", ""),
        ("title", "x" * 61),
        ("hotline", "1" * 31),
    ],
)
def test_a_wrong_setting_is_shown_again(world, admin, field, value):
    assert admin.post("/settings/", SETTINGS | {field: value}).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"), [("days", "0"), ("days", "-1"), ("days", "x"), ("days", "99999"), ("name", "")]
)
def test_a_wrong_row_is_shown_again(world, admin, field, value):
    data = {"name": "其他", "name_en": "Other", "days": 5, "position": 3} | {field: value}
    assert admin.post("/settings/category/other/", data).status_code == 422


def test_a_dictionary_that_is_none_leads_to_the_settings(world, admin):
    assert admin.get("/settings/user/clerk/").status_code in (302, 404)
    assert admin.get("/settings/category/no_such_row/").status_code == 404


def test_accounts_are_sought_with_any_text(world, admin):
    for text in ("clerk", "'", "%", "😀", "x" * 3000, "_"):
        assert admin.get("/accounts/", {"q": text}).status_code == 200
    assert "far_clerk" not in admin.get("/accounts/", {"q": "clerk"}).content.decode()


def test_the_list_of_accounts_asks_no_question_for_each(world, admin):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            admin.get("/accounts/")
        return len(found)

    questions()
    few = questions()
    for n in range(12):
        world.user(f"more{n}", Role.MEMBER, world.village, world.branch)
    assert questions() == few


def test_a_new_password_opens_a_locked_account_however_it_is_written(world, admin):
    world.user("Big.Name", Role.MEMBER, world.village, world.branch)
    client = admin.__class__()
    for _n in range(5):
        client.post("/login/", {"username": "Big.Name", "password": "not-it"})
    admin.post("/accounts/Big.Name/password/", {"password": "seven-Lamps-by-the-river"})
    answer = client.post("/login/", {"username": "Big.Name", "password": "seven-Lamps-by-the-river"})
    assert answer.status_code == 302


def test_a_body_is_entered_once_at_a_place_of_the_scope(world, admin):
    from weilu.orgs.models import Organisation

    address = f"/places/{world.village.code}/organisations/new/"
    data = {"kind": "branch", "name": "第二党支部", "phone": "", "since": "2026-01-01"}
    assert admin.post(address, data).status_code == 302
    assert admin.post(address, data).status_code == 422
    body = Organisation.objects.get(name="第二党支部")
    assert (body.place, body.jurisdiction) == (world.village, world.jurisdiction)
    for wrong in ({"kind": "x"}, {"name": ""}, {"name": "x" * 81}, {"phone": "1" * 31}):
        assert admin.post(address, data | {"name": "第三"} | wrong).status_code == 422, wrong
    assert admin.post(f"/places/{world.far_village.code}/organisations/new/", data).status_code == 404


def test_a_body_is_looked_for_by_a_part_of_its_name_and_chosen_with_its_village(world, admin):
    page = admin.get("/accounts/new/").content.decode()
    assert world.branch.name not in page  # no list of all bodies
    assert "---------" not in page
    data = form(role="member", organisation="党支部", place_code="")
    asked = admin.post("/accounts/new/", data)
    assert asked.status_code == 422
    assert f"{world.branch.name} · 陵江镇 金穗社区" in asked.content.decode()
    assert list(asked.context["grant"].errors) == ["organisation"]
    assert admin.post("/accounts/new/", data | {"organisation-chosen": str(world.branch.pk)}).status_code == 302
    assert Grant.objects.get(user__username="newcomer").organisation == world.branch


def test_a_grant_that_came_with_a_post_is_marked(world, admin):
    from weilu.people.appointments import appoint, make_post
    from weilu.people.models import Person

    person = Person.objects.create(jurisdiction=world.jurisdiction, name="李明", home=world.village, user=world.clerk)
    post = make_post(world.office, title="综治专员", by=None, role="township_clerk")
    appoint(post, person=person, by=None, since=timezone.localdate())
    for page in ("/accounts/", "/accounts/clerk/"):
        assert admin.get(page).content.decode().count("随职务：综治专员") == 1
