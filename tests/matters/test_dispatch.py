"""Handing over: one matter and several, to whom it may go, and what comes back."""

import pytest

from weilu.matters import services
from weilu.matters.models import Category, Matter
from weilu.orgs.models import Organisation
from weilu.records.models import Attachment, Event, Notification
from weilu.records.moves import NotAllowed, NotPossible


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("user__username", flat=True))


def target(to) -> str:
    return f"organisation:{to.pk}" if isinstance(to, Organisation) else f"grid:{to.pk}"


@pytest.mark.parametrize(
    ("to", "state", "who"),
    [
        ("office", "dispatched", set()),
        ("department", "dispatched", {"handler"}),
        ("grid", "dispatched", {"grid_worker"}),
        ("branch", "ordered", {"member", "second_member"}),
    ],
)
def test_it_goes_to_an_office_a_department_a_grid_or_as_an_order(world, sign_in, to, state, who):
    matter = world.matter()
    data = {"to": target(getattr(world, to)), "version": 1, "note": "请看", "next": "queue"}
    answer = sign_in(world.clerk).post(f"/matters/{matter.number}/dispatch/", data, follow=True)
    assert answer.redirect_chain == [("/matters/", 302)]
    matter.refresh_from_db()
    assert matter.state == state
    assert (matter.handler_grid if to == "grid" else matter.handler) == getattr(world, to)
    assert told("ordered" if state == "ordered" else "dispatched") == who


@pytest.mark.parametrize("to", ["other_office", "far_office"])
def test_it_does_not_go_to_an_office_elsewhere(world, sign_in, to):
    matter = world.matter()
    answer = sign_in(world.clerk).post(
        f"/matters/{matter.number}/dispatch/", {"to": target(getattr(world, to)), "version": 1, "note": "试试看"}
    )
    assert answer.status_code == 409
    assert "试试看" in answer.content.decode(), "what was typed is still there"
    assert Matter.objects.get(pk=matter.pk).state == "raised"


def test_it_does_not_go_to_a_body_that_has_ended(world):
    from django.utils import timezone

    Organisation.objects.filter(pk=world.office.pk).update(valid_to=timezone.localdate())
    with pytest.raises(services.BadTarget):
        services.dispatch(world.matter(), to=world.office, by=world.clerk, version=1)


def test_a_village_clerk_does_not_hand_over_what_lies_beside_the_village(world):
    matter = world.matter(at=world.township)
    with pytest.raises(NotAllowed):
        services.dispatch(matter, to=world.office, by=world.village_clerk, version=1)


def test_it_gets_no_category_of_another_county(world, sign_in):
    matter = world.matter()
    far = Category.objects.get(jurisdiction=world.far_jurisdiction, code="traffic")
    answer = sign_in(world.clerk).post(
        f"/matters/{matter.number}/dispatch/", {"to": target(world.office), "version": 1, "category": far.pk}
    )
    assert answer.status_code == 422


def test_several_go_at_once_and_a_stale_one_does_not_hold_up_the_others(world, sign_in):
    good, stale, far = world.matter(), world.matter(), world.matter(at=world.far_village)
    services.dispatch(stale, to=world.department, by=world.county_clerk, version=1)
    ticked = [f"{matter.number}:1" for matter in (good, stale, far)]
    client = sign_in(world.clerk)
    choose = client.post("/matters/bulk/", {"matter": ticked})
    assert choose.status_code == 200
    assert far.number not in choose.content.decode()
    answer = client.post("/matters/bulk/", {"matter": ticked, "to": target(world.office)})
    assert [matter.pk for matter in answer.context["result"].done] == [good.pk]
    [(refused, reason)] = answer.context["result"].refused
    assert refused.pk == stale.pk
    assert reason in answer.content.decode()
    states = {matter.pk: matter for matter in Matter.objects.all()}
    assert states[good.pk].handler == world.office
    assert states[stale.pk].handler == world.department
    assert states[far.pk].state == "raised"


def test_the_page_of_several_asks_no_question_for_each(world, sign_in, django_assert_max_num_queries):
    ticked = [f"{world.matter(at=world.grid).number}:1" for _n in range(15)]
    client = sign_in(world.clerk)
    client.post("/matters/bulk/", {"matter": ticked[:1]})
    with django_assert_max_num_queries(20):
        client.post("/matters/bulk/", {"matter": ticked})


def test_a_transfer_goes_to_the_clerks_of_another_place(world, sign_in):
    matter = world.matter()
    data = {"place": world.other_township.code, "note": "在你们地界", "version": 1}
    assert sign_in(world.clerk).post(f"/matters/{matter.number}/transfer/", data).status_code == 302
    matter = Matter.objects.get(pk=matter.pk)
    assert (matter.township, matter.village, matter.state) == (world.other_township, None, "raised")
    assert told("transferred") == {"stranger"}
    assert sign_in(world.clerk).get(f"/matters/{matter.number}/").status_code == 404
    with pytest.raises(services.BadTarget):
        services.transfer(matter, place=world.other_township, by=world.stranger, version=2, note="已在这里")


def test_what_is_given_back_returns_to_who_sent_it(world):
    matter = services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    matter = services.give_back(matter, by=world.handler, version=2, note="不归我们管")
    assert (matter.state, matter.handler) == ("raised", None)
    assert told("returned") == {"county_clerk"}
    assert not Event.objects.get(record_id=matter.pk, move="return").open_to_resident


def test_an_order_that_nobody_takes_can_be_given_back_or_handed_on(world):
    order = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    again = services.dispatch(order, to=world.office, by=world.clerk, version=2)
    assert (again.state, again.handler) == ("dispatched", world.office)
    order = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    assert services.give_back(order, by=world.clerk, version=2, note="无人接单").state == "raised"


def test_an_order_can_be_opened_to_another_branch(world):
    second = Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="branch", name="第二党支部", place=world.village
    )
    order = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    again = services.dispatch(order, to=second, by=world.clerk, version=2)
    assert (again.state, again.handler) == ("ordered", second)


def test_who_comes_second_to_an_order_is_told_in_words_and_keeps_their_page(world, sign_in):
    order = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    services.take(order, by=world.member)
    answer = sign_in(world.second_member).post(f"/matters/{order.number}/take/", follow=True)
    assert answer.status_code == 200
    [message] = [str(message) for message in answer.context["messages"]]
    assert "%" not in message
    assert Matter.objects.get(pk=order.pk).taken_by == world.member


def test_a_member_who_takes_what_is_already_theirs_is_not_told_of_another(world, sign_in):
    order = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    client = sign_in(world.member)
    for _press in range(2):
        answer = client.post(f"/matters/{order.number}/take/", follow=True)
    assert answer.status_code in (200, 409)
    assert Event.objects.filter(record_id=order.pk, move="take").count() == 1


def test_what_is_declined_tells_the_resident_why(world):
    matter = world.matter(contact=services.Contact(email="wang@example.org"))
    done = services.decline(matter, by=world.clerk, version=1, note="属上级事权")
    assert Event.objects.get(pk=done.event.pk).open_to_resident
    from weilu.records.models import OutgoingMail

    assert OutgoingMail.objects.get().to == "wang@example.org"


def test_the_answer_of_the_resident_reaches_who_asked(world):
    matter = services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    matter = services.start(matter, by=world.handler, version=2)
    matter = services.ask(matter, by=world.handler, version=3, note="门牌号？")
    matter = services.answer(matter, note="十二号")
    assert matter.state == "under_way"
    assert told("answered") == {"handler"}
    with pytest.raises(NotPossible):
        services.answer(matter, note="再答一次")


def photo(colour="red"):
    import io

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "JPEG")
    return SimpleUploadedFile("现场.jpg", out.getvalue())


def test_progress_is_reported_with_photos(world, sign_in):
    matter = services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    data = {"note": "已到现场", "version": 2, "files": [photo("red"), photo("blue")]}
    assert sign_in(world.handler).post(f"/matters/{matter.number}/progress/", data).status_code == 302
    event = Event.objects.get(record_id=matter.pk, move="progress")
    assert Attachment.objects.filter(record_id=matter.pk, event_id=event.pk).count() == 2


def test_a_bad_file_undoes_the_report_and_keeps_the_text(world, sign_in):
    from django.core.files.uploadedfile import SimpleUploadedFile

    matter = services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    for files in ([photo(), SimpleUploadedFile("x.jpg", b"no photo")], [photo() for _n in range(7)]):
        data = {"note": "已到现场", "version": 2, "files": files}
        answer = sign_in(world.handler).post(f"/matters/{matter.number}/progress/", data)
        assert answer.status_code in (409, 422)
        assert "已到现场" in answer.content.decode()
    assert Matter.objects.get(pk=matter.pk).version == 2
    assert not Attachment.objects.exists()


def test_a_matter_recorded_twice_keeps_its_photo_once(world, sign_in):
    from weilu.matters.models import Module

    client = sign_in(world.clerk)
    for _press in range(2):
        data = {
            "intake_key": "01a20410-3523-72db-8049-ccaf0739604c",
            "channel": "visit",
            "subject": "井盖丢了",
            "module": Module.objects.get(jurisdiction=world.jurisdiction, code="report").pk,
            "category": Category.objects.get(jurisdiction=world.jurisdiction, code="other").pk,
            "place": world.village.code,
            "files": [photo()],
        }
        assert client.post("/matters/new/", data).status_code == 302
    assert Matter.objects.count() == 1
    assert Attachment.objects.count() == 1


def test_a_clerk_who_acts_on_what_was_transferred_away_meanwhile_is_told(world, sign_in):
    matter = world.matter()
    services.transfer(matter, place=world.other_township, by=world.county_clerk, version=1, note="归云峰")
    answer = sign_in(world.clerk).post(
        f"/matters/{matter.number}/decline/", {"version": 1, "note": "不归我们"}, follow=True
    )
    assert answer.status_code in (200, 409)


def test_every_row_of_my_work_can_be_opened(world, sign_in):
    from django.utils import timezone

    from weilu.orgs.models import Grant
    from weilu.orgs.roles import Role

    order = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    services.take(order, by=world.member)
    world.member.grants.update(valid_to=timezone.localdate())
    Grant.objects.create(
        user=world.member, role=Role.VILLAGE_CLERK, place=world.other_village, jurisdiction=world.jurisdiction
    )
    client = sign_in(world.member)
    for row in client.get("/desk/mine/").context["rows"]:
        assert client.get(f"/matters/{row.number}/").status_code == 200
