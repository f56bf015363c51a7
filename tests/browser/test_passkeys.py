"""A passkey in Chromium's virtual authenticator: added, used instead of a password, used after it."""

import pytest
from allauth.mfa.models import Authenticator

from tests.conftest import PASSWORD


@pytest.fixture
def device(site, browser, browser_context_args):
    """A browser with a device that keeps passkeys and knows its owner."""
    site.url = site.url.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, never to a number
    page = browser.new_context(**browser_context_args).new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    page.key = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    page.cdp = cdp
    return page


def give_password(page, site):
    page.goto(f"{site.url}/login/")
    page.fill("#id_username", "clerk")
    page.fill("#id_password", PASSWORD)
    page.click("main form:has(#id_password) button.btn-primary")


def add_passkey(page, site):
    give_password(page, site)
    page.wait_for_url("**/desk/")
    page.goto(f"{site.url}/account/security/")
    page.click("a[href$='/passkeys/new/']")
    page.fill("#id_name", "值班室电脑")
    page.click("main form button.btn-primary")
    page.wait_for_url("**/account/security/codes/")


def log_out(page, site):
    page.goto(f"{site.url}/account/")
    page.click("main form[action$='/logout/'] button")
    page.wait_for_url(f"{site.url}/")


def test_a_passkey_is_added_and_logs_in_without_a_password(site, device):
    add_passkey(device, site)
    row = Authenticator.objects.get(type="webauthn")
    assert (row.user.username, str(row)) == ("clerk", "值班室电脑")
    assert device.locator(".codes li").count() == 10
    log_out(device, site)
    device.goto(f"{site.url}/login/")
    device.click("[data-passkey-login] button")
    device.wait_for_url("**/desk/")
    assert device.problems == []


def test_after_the_password_the_passkey_is_the_second_factor(site, device):
    add_passkey(device, site)
    log_out(device, site)
    give_password(device, site)
    device.wait_for_url("**/login/code/")
    device.goto(f"{site.url}/desk/")
    device.wait_for_url("**/login/?next=/desk/")
    give_password(device, site)
    device.wait_for_url("**/login/code/")
    device.click("[data-passkey-get] button")
    device.wait_for_url("**/desk/")


def test_a_device_without_the_key_does_not_get_in(site, device):
    add_passkey(device, site)
    log_out(device, site)
    device.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": device.key})
    device.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device.key, "isUserVerified": False})
    device.goto(f"{site.url}/login/")
    device.click("[data-passkey-login] button")
    device.wait_for_selector("[data-passkey-says]:not(:empty)")
    device.goto(f"{site.url}/desk/")
    assert "/login/" in device.url


def test_a_shut_account_is_not_opened_by_its_passkey(site, device):
    add_passkey(device, site)
    log_out(device, site)
    site.clerk.is_active = False
    site.clerk.save(update_fields=["is_active"])
    device.goto(f"{site.url}/login/")
    device.click("[data-passkey-login] button")
    device.wait_for_selector(".note-error")
    device.goto(f"{site.url}/desk/")
    assert "/login/" in device.url


def test_the_pages_of_security_have_no_faults(site, device, faults_of):
    add_passkey(device, site)
    faults = faults_of(device)
    for path in ("/account/security/", "/account/security/app/", "/account/security/passkeys/new/", "/account/tokens/"):
        device.goto(site.url + path)
        assert device.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), path
        faults += faults_of(device)
    log_out(device, site)
    give_password(device, site)
    device.wait_for_url("**/login/code/")
    faults += faults_of(device)
    assert faults == []
