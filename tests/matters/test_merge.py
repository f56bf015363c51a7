"""Duplicates become one matter, and whoever raised the other follows that one."""

import pytest

from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.services import BadTarget


@pytest.fixture
def resident(client):
    def following(matter: Matter):
        session = client.session
        session["follow"] = [str(matter.pk)]
        session.save()
        return client

    return following


def test_the_resident_of_the_merged_one_reads_how_the_main_one_stands(world, resident):
    main, double = world.matter(subject="主件"), world.matter(subject="副件")
    services.merge(double, into=main, by=world.clerk, version=1)
    page = resident(double).get(f"/follow/{double.number}/").content.decode()
    assert main.number in page
    main = services.dispatch(main, to=world.office, by=world.clerk, version=1)
    services.settle(main, by=world.clerk, version=2, outcome="两件一起修好了")
    page = resident(double).get(f"/follow/{double.number}/").content.decode()
    assert "两件一起修好了" in page
    assert "主件" not in page, "what another resident wrote is theirs"
    assert resident(double).get(f"/follow/{main.number}/").status_code == 404


def test_a_merged_matter_leads_to_the_main_one_in_the_office(world, sign_in):
    main, double = world.matter(), world.matter()
    data = {"into": main.number.lower(), "version": 1}
    assert sign_in(world.clerk).post(f"/matters/{double.number}/merge/", data).status_code == 302
    assert Matter.objects.get(pk=double.pk).merged_into == main
    assert main.number in sign_in(world.clerk).get(f"/matters/{double.number}/").content.decode()


def test_chains_and_circles_are_refused(world):
    first, second, third = world.matter(), world.matter(), world.matter()
    services.merge(first, into=second, by=world.clerk, version=1)
    with pytest.raises(BadTarget):
        services.merge(second, into=third, by=world.clerk, version=1)
    with pytest.raises(BadTarget):
        services.merge(second, into=first, by=world.clerk, version=1)
    with pytest.raises(BadTarget):
        services.merge(third, into=first, by=world.clerk, version=1)
    with pytest.raises(BadTarget):
        services.merge(third, into=third, by=world.clerk, version=1)


def test_it_is_not_merged_into_what_lies_outside_ones_scope(world, sign_in):
    other, matter = world.matter(at=world.other_village), world.matter()
    answer = sign_in(world.clerk).post(f"/matters/{matter.number}/merge/", {"into": other.number, "version": 1})
    assert answer.status_code == 409
    assert Matter.objects.get(pk=matter.pk).state == "raised"


def test_the_resident_reads_the_reason_when_the_main_one_is_not_taken_on(world, resident):
    main, double = world.matter(), world.matter()
    services.merge(double, into=main, by=world.clerk, version=1)
    services.decline(main, by=world.clerk, version=1, note="属省级事权")
    page = resident(double).get(f"/follow/{double.number}/").content.decode()
    assert "属省级事权" in page


def test_likely_duplicates_are_proposed(world, sign_in):
    world.matter(subject="金穗路路灯不亮了")
    world.matter(subject="想办理老年证")
    far = world.matter(at=world.other_village, subject="金穗路路灯不亮")
    matter = world.matter(subject="金穗路的路灯不亮")
    similar = sign_in(world.clerk).get(f"/matters/{matter.number}/").context["similar"]
    assert [other.subject for other in similar] == ["金穗路路灯不亮了"]
    assert far not in similar


def test_the_resident_of_the_merged_one_is_not_asked_for_a_rating_they_cannot_give(world, resident):
    main, double = world.matter(), world.matter()
    services.merge(double, into=main, by=world.clerk, version=1)
    services.settle(main, by=world.clerk, version=1, outcome="好了")
    page = resident(double).get(f"/follow/{double.number}/").content.decode()
    assert "评价" not in page.split('class="standing">')[1].split("</p>")[0] or "/rate/" in page
