"""What a body has in hand, as far as its reader may see."""

from weilu.matters import services


def test_what_was_handed_to_a_body_and_what_it_settled_is_shown(world, sign_in):
    handed = services.dispatch(world.matter(subject="路灯不亮"), to=world.office, by=world.clerk, version=1)
    done = services.dispatch(world.matter(subject="井盖松动"), to=world.office, by=world.clerk, version=1)
    services.settle(done, by=world.clerk, version=2, outcome="已修复")
    world.matter(subject="还没交办")
    page = sign_in(world.clerk).get(f"/organisations/{world.office.pk}/matters/")
    text = page.content.decode()
    assert (page.context["open_count"], page.context["settled_count"]) == (1, 1)
    assert handed.number in text
    assert "井盖松动" in text
    assert "还没交办" not in text


def test_matters_outside_the_readers_scope_are_not_shown(world, sign_in):
    there = world.matter(at=world.other_village, subject="别处的事")
    services.dispatch(there, to=world.department, by=world.county_clerk, version=1)
    address = f"/organisations/{world.department.pk}/matters/"
    assert sign_in(world.clerk).get(address).status_code == 404
    assert "别处的事" in sign_in(world.county_clerk).get(address).content.decode()
