"""Tokens: made by their owner, shown once, good for what the owner may read, until they end."""

import datetime as dt
import time

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from tests.conftest import PASSWORD
from weilu.api import services
from weilu.api.models import ApiToken
from weilu.records.models import Event


@pytest.fixture
def token(world):
    return services.make_token(world.clerk, name="大屏", days=30, second_factor=False)


def ask(secret: str, address: str = "figures/matters.raised", client: Client | None = None):
    return (client or Client()).get(f"/api/v1/{address}", headers={"Authorization": f"Bearer {secret}"})


def test_a_token_reads_what_its_owner_may_and_no_more(world, token):
    world.matter()
    assert ask(token[1]).json()["value"] == 1
    assert ask(token[1], "figures/matters.raised?place=510824101").status_code == 404


def test_the_secret_is_kept_nowhere(world, token):
    row, secret = token
    kept = [bytes(value) if isinstance(value, memoryview) else value for value in ApiToken.objects.values_list().get()]
    assert not any(secret in str(value) for value in kept)
    assert row.begins == secret[:8]
    assert len(secret) > 40


def test_its_use_is_noted(world, token):
    ask(token[1])
    used = ApiToken.objects.get().last_used_at
    ask(token[1])
    assert used is not None
    assert ApiToken.objects.get().last_used_at == used  # every five minutes at most


@pytest.mark.parametrize("how", ["revoked", "run out", "shut", "new password", "no grant", "first password"])
def test_a_token_ends(world, token, how):
    row, secret = token
    if how == "revoked":
        services.revoke_token(row, by=world.clerk)
    elif how == "run out":
        past = timezone.now() - dt.timedelta(days=60)
        ApiToken.objects.update(created_at=past, expires_at=past + dt.timedelta(days=30))
    elif how == "shut":
        type(world.clerk).objects.filter(pk=world.clerk.pk).update(is_active=False)
    elif how == "new password":
        world.clerk.set_password("another-Long-1")
        world.clerk.save()
    elif how == "no grant":
        today = timezone.localdate()
        world.clerk.grants.update(valid_from=today - dt.timedelta(days=9), valid_to=today)
    else:
        type(world.clerk).objects.filter(pk=world.clerk.pk).update(password_to_change=True)
    assert ask(secret).status_code == (403 if how in ("no grant", "first password") else 401)


@pytest.mark.parametrize("header", ["Bearer x", "Bearer ", "Basic eDp5", "nonsense"])
def test_a_wrong_token_is_refused_whatever_the_session_says(world, sign_in, header):
    client = sign_in(world.clerk)
    answer = client.get("/api/v1/figures", headers={"Authorization": header})
    assert answer.status_code == 401
    assert client.get("/api/v1/figures").status_code == 200


def test_a_token_opens_no_page(world, token):
    answer = Client().get("/matters/", headers={"Authorization": f"Bearer {token[1]}"})
    assert answer.status_code == 302


def test_wrong_tokens_are_limited_by_address(world, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api": 2}
    assert [ask("wl_guess").status_code for _number in range(3)] == [401, 401, 429]


def test_where_a_second_factor_is_due_the_token_was_made_with_one(world, token):
    world.jurisdiction.second_factor_roles = ["township_clerk"]
    world.jurisdiction.save()
    assert ask(token[1]).status_code == 403
    _row, better = services.make_token(world.clerk, name="二", days=30, second_factor=True)
    assert ask(better).status_code == 403  # the factor was taken away since
    Authenticator.objects.create(user=world.clerk, type="totp", data={"secret": "x"})
    assert ask(better).status_code == 200
    assert ask(token[1]).status_code == 403


def test_there_are_ten_at_most_and_none_for_ever(world):
    for number in range(services.MOST):
        services.make_token(world.clerk, name=str(number), days=30, second_factor=False)
    with pytest.raises(services.TokenError):
        services.make_token(world.clerk, name="x", days=30, second_factor=False)
    for days in (0, 400):
        with pytest.raises(services.TokenError):
            services.make_token(world.handler, name="x", days=days, second_factor=False)


def test_making_and_revoking_stand_in_the_history_of_the_account(world, token):
    services.revoke_token(token[0], by=world.clerk)
    services.revoke_token(token[0], by=world.clerk)
    events = Event.objects.filter(record_kind="account", record_id=world.clerk.pk).order_by("at")
    assert [event.move for event in events] == ["token_make", "token_revoke"]


# --- pages ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def browser(world, client):
    """A session that has just given its password."""
    client.post("/login/", {"username": "clerk", "password": PASSWORD})
    return client


def test_a_token_is_made_in_the_browser_shown_once_and_revoked(world, browser):
    answer = browser.post("/account/tokens/new/", {"name": "大屏", "days": "90"})
    text = answer.content.decode()
    secret = text.split('<code class="num">')[1].split("</code>")[0]
    assert ask(secret).status_code == 200
    assert "no-store" in answer["Cache-Control"]
    page = browser.get("/account/tokens/").content.decode()
    assert "大屏" in page
    assert secret not in page
    assert "/account/tokens/" in browser.get("/account/security/").content.decode()
    browser.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert ask(secret).status_code == 401


def test_a_form_that_lacks_something_is_refused(world, browser):
    assert browser.post("/account/tokens/new/", {"name": "", "days": "90"}).status_code == 422
    assert browser.post("/account/tokens/new/", {"name": "x", "days": "9999"}).status_code == 422


def test_a_session_of_long_ago_gives_its_password_first(world, sign_in):
    answer = sign_in(world.clerk).post("/account/tokens/new/", {"name": "x", "days": "90"})
    assert answer.status_code == 302
    assert "/account/security/confirm/" in answer["Location"]
    assert not ApiToken.objects.exists()


def test_nobody_revokes_anothers(world, token, sign_in):
    assert sign_in(world.county_clerk).post(f"/account/tokens/{token[0].pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_a_session_with_a_second_factor_makes_a_token_that_counts_as_such(world, browser):
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": method, "at": time.time(), "reauthenticated": True} for method in ("password", "mfa")
    ]
    session.save()
    browser.post("/account/tokens/new/", {"name": "x", "days": "90"})
    assert ApiToken.objects.get().second_factor
