"""A page that answered a form can be read in large type and in English, and its address leads to a page."""

import re

import pytest
from django.urls import reverse

from weilu.orgs.models import Place
from weilu.people.persons import make_person


@pytest.fixture
def person(world):
    home = Place.objects.select_related("parent__parent__parent").get(pk=world.village.pk)
    made = make_person(by=None, home=home, name="田七", phone="13812345678")
    made.user = world.village_clerk
    made.save(update_fields=["user"])
    return made


def next_of(page) -> str:
    return re.search(r'name="next" value="([^"]*)"', page.content.decode())[1]


def test_large_type_after_a_form_leads_back_to_the_page_of_the_record(world, person, sign_in):
    desk = sign_in(world.clerk)
    page = f"/people/{person.pk}/"
    shown = desk.post(f"{page}numbers/", {"reason": "打电话"}, HTTP_REFERER=f"http://testserver{page}")
    assert next_of(shown) == page
    assert next_of(desk.post(f"{page}numbers/", {"reason": "打电话"})) == page  # a browser that names no page
    refused = desk.post(f"{page}numbers/", {"reason": "."}, HTTP_REFERER=f"http://testserver{page}numbers/")
    turned = desk.post("/type-size/", {"next": next_of(refused)}, follow=True)
    assert turned.status_code == 200
    assert turned.wsgi_request.path == page


def test_a_page_of_another_house_is_never_led_back_to(world, person, sign_in):
    shown = sign_in(world.clerk).post(
        f"/people/{person.pk}/numbers/", {"reason": "打电话"}, HTTP_REFERER="https://elsewhere.example/people/"
    )
    assert next_of(shown) == f"/people/{person.pk}/"


def test_a_page_keeps_what_was_asked_of_it(world, person, sign_in):
    desk = sign_in(world.clerk)
    assert next_of(desk.get("/people/?q=%E7%94%B0")) == "/people/?q=%E7%94%B0"
    other = make_person(by=None, home=person.home, name="田七")
    address = f"/people/{other.pk}/merge/"
    sent = {"into": str(person.pk), "version": 9, "into_version": 9}
    refused = desk.post(address, sent, HTTP_REFERER=f"http://testserver{address}?into={person.pk}")
    assert refused.status_code == 409
    assert desk.get(next_of(refused)).status_code == 200


def test_an_address_that_takes_forms_only_leads_to_the_page_above_it(world, person, sign_in):
    matter = world.matter()
    desk = sign_in(world.clerk)
    for address, page in (
        (f"/people/{person.pk}/numbers/", f"/people/{person.pk}/"),
        (f"/people/{person.pk}/report/", f"/people/{person.pk}/"),
        (f"/matters/{matter.number}/contact/", f"/matters/{matter.number}/"),
        (f"/matters/{matter.number}/decline/", f"/matters/{matter.number}/"),
        ("/bookings/CX-B2026-000001/contact/", "/bookings/CX-B2026-000001/"),
        ("/bookings/CX-B2026-000001/refuse/", "/bookings/CX-B2026-000001/"),
        ("/account/me/correct/", "/account/me/"),
    ):
        answer = desk.get(address)
        assert (answer.status_code, answer["Location"]) == (302, page), address
    assert desk.put(f"/people/{person.pk}/numbers/").status_code == 405
    assert desk.get("/type-size/").status_code == 405  # nothing is above it


def test_a_one_time_link_is_not_lost_by_large_type(world, sign_in):
    admin = sign_in(world.administrator)
    made = admin.post(f"{reverse('account_invite', args=['clerk'])}", follow=True)
    [link] = re.findall(r"/invitation/[\w-]+/", made.content.decode())
    again = admin.post("/type-size/", {"next": next_of(made)}, follow=True)
    assert link in again.content.decode()
    admin.session["invited"] = ""
    admin.logout()
    other = sign_in(world.administrator).get("/accounts/clerk/invite/")
    assert link not in other.content.decode()
