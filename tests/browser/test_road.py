"""The main road in a browser: a resident without a script, then each role in turn."""

import io

import pytest
from PIL import Image

from weilu.matters.models import Matter


@pytest.fixture
def photo(tmp_path):
    """A picture on disk, as a telephone would offer it."""
    out = io.BytesIO()
    Image.new("RGB", (800, 600), "#335577").save(out, "JPEG")
    path = tmp_path / "lamp.jpg"
    path.write_bytes(out.getvalue())
    return path


def raise_matter(page, site, photo) -> tuple[str, str]:
    """Raise a matter in three steps; return its number and secret."""
    page.goto(f"{site.url}/")
    page.click(".tile:nth-child(2)")
    page.fill("#subject", "东门路灯一周不亮")
    page.fill("#detail", "老人晚上出门看不清路。")
    page.set_input_files("#photos", photo)
    page.click(".send-bar .btn-primary")
    page.click("text=陵江镇")
    page.click("text=金穗社区")
    page.fill("#address", "东门小卖部旁")
    page.click(".send-bar .btn-primary")
    page.fill("#name", "王秀英")
    page.fill("#phone", "138 1234 5678")
    page.click(".send-bar .btn-primary")
    return page.inner_text("[data-number]"), page.inner_text("[data-secret]")


def test_a_matter_goes_from_a_phone_without_script_to_its_rating(site, browser, browser_context_args, photo, log_in):
    resident = browser.new_context(java_script_enabled=False, **browser_context_args).new_page()
    number, secret = raise_matter(resident, site, photo)
    assert number.startswith("CX-")

    clerk = log_in(
        browser.new_context(**browser_context_args | {"viewport": {"width": 1280, "height": 800}}).new_page(), "clerk"
    )
    clerk.goto(f"{site.url}/matters/{number}/")
    assert "138****5678" in clerk.content()
    assert "13812345678" not in clerk.content()
    clerk.select_option("#d-to", label="金穗社区第一党支部")
    clerk.click("form[action$='/dispatch/'] button")
    clerk.wait_for_url("**/matters/")

    member = log_in(browser.new_context(**browser_context_args).new_page(), "member")
    member.goto(f"{site.url}/desk/orders/")
    member.click("form[action$='/take/'] button")
    member.click("details.act:has(form[action$='/progress/']) > summary")
    member.fill("#p-note", "已联系电工，今天下午更换。")
    member.set_input_files("#p-files", photo)
    member.click("form[action$='/progress/'] button")
    member.fill("#s-outcome", "换了新灯泡，已亮。")
    member.fill("#s-public", "路灯已修复。")
    member.click("form[action$='/settle/'] button")
    member.wait_for_selector(".state-done")

    resident.goto(f"{site.url}/follow/")
    resident.fill("#number", number)
    resident.fill("#secret", secret.lower())
    resident.click("form.card .btn-primary")
    assert "换了新灯泡" in resident.content()
    assert resident.locator(".line img").count() == 2
    resident.click("label[for=star5]")
    resident.fill("#comment", "很快！")
    resident.click("form[action$='/rate/'] button")
    assert resident.locator(".rating .icon").count() == 5

    resident.goto(f"{site.url}/results/")
    page = resident.content()
    assert "路灯已修复。" in page
    assert "王秀英" not in page
    assert "东门小卖部" not in page
    assert Matter.objects.get(number=number).state == "rated"


def test_two_members_take_one_order_and_the_second_is_told(site, browser, browser_context_args, log_in):
    from weilu.matters import services

    matter = services.dispatch(site.matter(), to=site.branch, by=site.clerk, version=1)
    first = log_in(browser.new_context(**browser_context_args).new_page(), "member")
    second = log_in(browser.new_context(**browser_context_args).new_page(), "second_member")
    for page in (first, second):
        page.goto(f"{site.url}/desk/orders/")
    first.click("form[action$='/take/'] button")
    second.click("form[action$='/take/'] button")
    second.wait_for_selector(".note-error")
    matter.refresh_from_db()
    assert matter.taken_by == site.member


def test_a_clerk_who_comes_second_sees_the_new_state_and_keeps_what_was_typed(
    site, browser, browser_context_args, log_in
):
    from weilu.matters import services

    matter = site.matter()
    page = log_in(browser.new_context(**browser_context_args).new_page(), "clerk")
    page.goto(f"{site.url}/matters/{matter.number}/")
    services.dispatch(matter, to=site.office, by=site.village_clerk, version=1)
    page.select_option("#d-to", label="金穗社区第一党支部")
    page.fill("#d-note", "请今天看看")
    page.click("form[action$='/dispatch/'] button")
    page.wait_for_selector(".problem")
    assert page.input_value("#d-note") == "请今天看看"
    assert site.office.name in page.inner_text(".facts")


def test_a_clerk_hands_over_several_at_once_by_keyboard(site, browser, browser_context_args, log_in):
    for _unused in range(3):
        site.matter()
    context = browser.new_context(**browser_context_args | {"viewport": {"width": 1280, "height": 800}})
    page = log_in(context.new_page(), "clerk")
    page.goto(f"{site.url}/matters/")
    page.keyboard.press("j")
    page.wait_for_selector("#pane #matter")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.inner_text("[data-tick-count]") == "2"
    page.click(".bulk-bar button")
    page.select_option("#to", label=site.office.name)
    page.click("section .btn-primary")
    page.wait_for_selector("text=CX-")
    assert Matter.objects.filter(handler=site.office).count() == 2


def test_a_position_offers_the_nearest_village(site, browser, browser_context_args):
    site.village.latitude, site.village.longitude = 31.73, 105.94
    site.village.save()
    context = browser.new_context(
        **browser_context_args, geolocation={"latitude": 31.731, "longitude": 105.941}, permissions=["geolocation"]
    )
    page = context.new_page()
    page.goto(f"{site.url}/raise/")
    page.check("input[name=module] >> nth=0")
    page.fill("#subject", "坑洼")
    page.click(".send-bar .btn-primary")
    page.click("[data-position]")
    page.wait_for_selector("input[name=lat]", state="attached")
    assert page.locator("input[name=place]:checked").get_attribute("value") == site.village.code
    page.click(".send-bar .btn-primary")
    page.wait_for_url("**/raise/send/")
    page.click(".send-bar .btn-primary")
    page.wait_for_selector("[data-number]")
    assert Matter.objects.get().latitude == pytest.approx(31.731)
