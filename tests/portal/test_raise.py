"""Raising a matter in three steps, without a script."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from weilu.matters.models import Matter
from weilu.orgs.models import Level, Place
from weilu.portal.models import Draft
from weilu.records.models import Attachment

STEP_1 = {"module": "report", "subject": "西门路灯坏了", "detail": "晚上看不见路"}


def photo(name: str = "a.jpg") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue())


@pytest.fixture
def resident(world, client):
    client.cookies["county"] = world.county.code
    return client


def send(client, world, **contact):
    client.post("/raise/", STEP_1)
    client.post("/raise/where/", {"place": world.village.code, "address": "桥头"})
    return client.post("/raise/send/", contact)


def test_three_steps_give_a_number_and_a_secret_that_open_it_elsewhere(world, resident):
    assert resident.post("/raise/", STEP_1)["Location"] == "/raise/where/"
    assert (
        resident.post("/raise/where/", {"place": world.village.code, "address": "桥头"})["Location"] == "/raise/send/"
    )
    check = resident.get("/raise/send/").content.decode()
    assert all(text in check for text in ("西门路灯坏了", "晚上看不见路", "金穗社区", "桥头"))
    answer = resident.post("/raise/send/", {"name": "田七", "phone": "138 0000 1111"})
    assert answer["Location"] == "/raise/done/"
    page = resident.get("/raise/done/").content.decode()
    number = re.search(r"data-number>([^<]+)<", page).group(1)
    secret = re.search(r"data-secret>([^<]+)<", page).group(1)
    matter = Matter.objects.get()
    assert (matter.number, matter.channel, matter.reporter_phone) == (number, "web", "13800001111")
    assert (matter.village, matter.township, matter.address) == (world.village, world.township, "桥头")
    other = resident.__class__()
    assert other.get(f"/follow/{number}/").status_code == 404
    assert other.post("/follow/", {"number": number, "secret": secret})["Location"] == f"/follow/{number}/"
    assert "西门路灯坏了" in other.get(f"/follow/{number}/").content.decode()


def test_going_back_keeps_the_answers(world, resident):
    resident.post("/raise/", STEP_1)
    resident.post("/raise/where/", {"place": world.village.code, "address": "桥头"})
    page = resident.get("/raise/").content.decode()
    assert "西门路灯坏了" in page
    assert re.search(r'value="report" checked', page)
    page = resident.get("/raise/where/").content.decode()
    assert "桥头" in page
    assert re.search(rf'value="{world.village.code}" checked', page)


def test_an_error_keeps_the_answers_and_a_reload_too(world, resident):
    resident.post("/raise/", {"module": "", "subject": "", "detail": "写了很久的一段话"})
    assert "写了很久的一段话" in resident.get("/raise/").content.decode()


def test_the_second_and_third_step_lead_back_when_the_first_is_missing(world, resident):
    assert resident.get("/raise/where/")["Location"] == "/raise/"
    assert resident.get("/raise/send/")["Location"] == "/raise/"
    assert resident.get("/raise/done/")["Location"] == "/raise/"
    resident.post("/raise/", STEP_1)
    assert resident.get("/raise/send/")["Location"] == "/raise/where/"
    assert resident.post("/raise/send/", {})["Location"] == "/raise/where/"
    assert not Matter.objects.exists()


@pytest.mark.parametrize("at", ["grid", "village", "township", "county"])
def test_the_code_of_a_notice_knows_the_place(world, resident, at):
    place = getattr(world, at)
    del resident.cookies["county"]
    assert place.short_name in resident.get(f"/at/{place.code}/", follow=True).content.decode()
    resident.post("/raise/", STEP_1)
    resident.post("/raise/where/", {"place": place.code})
    resident.post("/raise/send/", {})
    matter = Matter.objects.get()
    assert (matter.place, matter.channel) == (place, "qr")


def test_a_matter_raised_in_a_building_lies_in_its_grid(world, resident):
    building = Place.objects.create(
        code="b1",
        name="一号楼",
        short_name="一号楼",
        level=Level.BUILDING,
        parent=world.grid,
        path=world.grid.path + "b1/",
    )
    assert resident.get(f"/notice/{building.code}/").status_code == 200
    resident.get(f"/at/{building.code}/")
    resident.post("/raise/", STEP_1)
    assert building.short_name in resident.get("/raise/where/").content.decode()
    resident.post("/raise/where/", {"place": building.code})
    resident.post("/raise/send/", {})
    assert Matter.objects.get().grid == world.grid


def test_a_position_gives_the_nearest_places_and_is_kept(world, resident):
    for place, latitude, longitude in ((world.village, 31.74, 105.93), (world.other_village, 31.9, 106.2)):
        Place.objects.filter(pk=place.pk).update(latitude=latitude, longitude=longitude)
    resident.post("/raise/", STEP_1)
    page = resident.get("/raise/where/", {"lat": "31.7401", "lng": "105.9301"})
    assert [place.pk for place in page.context["near"]] == [world.village.pk, world.other_village.pk]
    assert page.context["near"][0].distance < 20
    resident.post("/raise/where/", {"place": world.village.code, "lat": "31.7401", "lng": "105.9301"})
    resident.post("/raise/send/", {})
    assert (Matter.objects.get().latitude, Matter.objects.get().longitude) == (31.7401, 105.9301)


def test_photos_are_added_dropped_and_go_along(world, resident):
    resident.post("/raise/", STEP_1 | {"photos": [photo(), photo()]})
    first, second = Attachment.objects.all()
    assert resident.get(f"/raise/photos/{first.pk}/").status_code == 200
    resident.post(f"/raise/photos/{first.pk}/drop/")
    assert list(Attachment.objects.all()) == [second]
    resident.post("/raise/where/", {"place": world.village.code})
    resident.post("/raise/send/", {})
    matter = Matter.objects.get()
    second.refresh_from_db()
    assert (second.record_kind, second.record_id) == ("matter", matter.pk)
    assert resident.get(f"/follow/{matter.number}/files/{second.pk}/").status_code == 404, "not before it is followed"
    resident.get("/raise/done/")
    assert resident.get(f"/follow/{matter.number}/files/{second.pk}/").status_code == 200


def test_the_photos_of_another_draft_cannot_be_seen_or_dropped(world, resident):
    resident.post("/raise/", STEP_1 | {"photos": photo()})
    file = Attachment.objects.get()
    other = resident.__class__()
    other.cookies["county"] = world.county.code
    other.post("/raise/", STEP_1)
    assert other.get(f"/raise/photos/{file.pk}/").status_code == 404
    other.post(f"/raise/photos/{file.pk}/drop/")
    assert Attachment.objects.exists()


def test_a_bad_photo_is_named_and_the_good_one_and_the_text_stay(world, resident):
    answer = resident.post("/raise/", STEP_1 | {"photos": [photo(), SimpleUploadedFile("brief.pdf", b"%PDF-1.7")]})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "brief.pdf" in page
    assert "西门路灯坏了" in page
    assert Attachment.objects.count() == 1


def test_six_photos_are_the_most(world, resident):
    answer = resident.post("/raise/", STEP_1 | {"photos": [photo() for _n in range(8)]})
    assert answer.status_code == 422
    assert Attachment.objects.count() == 6


def test_pressing_send_twice_in_two_tabs_gives_one_matter(world, resident):
    resident.post("/raise/", STEP_1)
    resident.post("/raise/where/", {"place": world.village.code})
    for _press in range(3):
        assert resident.post("/raise/send/", {"name": "田七"})["Location"] == "/raise/done/"
    assert Matter.objects.count() == 1


def test_after_sending_a_new_matter_begins_empty(world, resident):
    send(resident, world)
    page = resident.get("/raise/").content.decode()
    assert "西门路灯坏了" not in page


def test_a_retired_module_cannot_be_chosen(world, resident):
    from django.utils import timezone

    from weilu.matters.models import Module

    Module.objects.filter(jurisdiction=world.jurisdiction, code="report").update(valid_to=timezone.localdate())
    assert resident.post("/raise/", STEP_1).status_code == 422


def test_a_place_that_ends_next_month_can_be_chosen_until_then(world, resident):
    import datetime as dt

    from django.utils import timezone

    Place.objects.filter(pk=world.village.pk).update(valid_to=timezone.localdate() + dt.timedelta(days=30))
    assert send(resident, world)["Location"] == "/raise/done/"
    assert Matter.objects.get().village == world.village


def test_who_changes_the_county_half_way_raises_it_there(world, resident):
    resident.post("/raise/", STEP_1)
    resident.get("/raise/", {"county": world.far_county.code})
    resident.cookies["county"] = world.far_county.code
    resident.post("/raise/", STEP_1)
    page = resident.get("/raise/where/").content.decode()
    assert "普安镇" in page
    assert "陵江镇" not in page


def test_a_notice_works_where_the_city_uses_the_platform_too(world, client):
    from weilu.matters.setup import open_jurisdiction

    open_jurisdiction("5108", prefix="GY")
    client.raise_request_exception = False
    assert client.get(f"/notice/{world.village.code}/").status_code == 200
    assert client.get(f"/at/{world.village.code}/").status_code == 302


def test_drafts_are_forgotten_after_a_day_with_their_photos(world, resident, django_capture_on_commit_callbacks):
    import datetime as dt

    from django.utils import timezone

    from weilu.portal.drafts import forget_old
    from weilu.records.attachments import path_of

    resident.post("/raise/", STEP_1 | {"photos": photo()})
    file = Attachment.objects.get()
    Draft.objects.update(changed_at=timezone.now() - dt.timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):
        forget_old()
    assert not Draft.objects.exists()
    assert not Attachment.objects.exists()
    assert not path_of(file.sha256).exists(), "the photo itself is gone too"


def test_what_is_typed_is_not_readable_in_the_database(world, resident):
    from django.db import connection

    resident.post("/raise/", STEP_1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers FROM portal_draft")
        assert "西门".encode() not in bytes(cursor.fetchone()[0])
