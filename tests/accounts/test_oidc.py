"""Log-in through an office's own provider: a real one over HTTP, honest and not."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from tests.accounts.conftest import Telephone
from tests.accounts.provider import CLIENT, SECRET, Provider
from weilu.orgs.models import User


@pytest.fixture
def provider(world, settings):
    found = Provider()
    settings.OIDC = {
        "name": "县政务统一认证", "issuer": found.issuer, "client_id": CLIENT, "secret": SECRET,
        "claim": "preferred_username",
    }  # fmt: skip
    yield found
    found.close()


def come(provider, client=None, next_url="") -> Client:
    """Go to the provider and come back."""
    client = client or Client()
    away = client.get("/login/office/", {"next": next_url} if next_url else {})
    client.answer = client.get(provider.log_in(away["Location"]))
    return client


def works(client) -> bool:
    return client.get("/desk/").status_code == 200


def refused(provider, saying: str = "") -> bool:
    client = come(provider)
    assert client.answer["Location"] == "/login/"
    page = client.get("/login/").content.decode()
    return "note-error" in page and saying in page and not works(client)


def test_an_account_that_exists_is_logged_in_and_linked(world, provider):
    client = come(provider, next_url="/matters/")
    assert client.answer["Location"] == "/matters/"
    assert works(client)
    link = SocialAccount.objects.get()
    assert (link.user, link.uid, link.extra_data) == (world.clerk, "a-1", {})


def test_the_log_in_page_offers_it_only_where_it_is_configured(world, provider, settings):
    assert "县政务统一认证" in Client().get("/login/").content.decode()
    settings.OIDC = settings.OIDC | {"issuer": ""}
    assert "office" not in Client().get("/login/").content.decode()
    assert Client().get("/login/office/").status_code == 404


def test_whom_nobody_made_an_account_for_is_refused_and_gets_none(provider):
    users = User.objects.count()
    provider.claims = {"sub": "z-9", "preferred_username": "somebody"}
    assert refused(provider)
    assert User.objects.count() == users
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("name", [None, "", " ", "cle", "clerk' OR 1=1", "clerk\x00", ["clerk"], 7, {"a": 1}])
def test_a_claim_that_names_no_account_is_refused(provider, name):
    provider.claims = {"sub": "a-1", "preferred_username": name}
    assert refused(provider)


def test_a_shut_account_is_refused_before_and_after_it_was_linked(world, provider):
    User.objects.filter(username="clerk").update(is_active=False)
    assert refused(provider)
    User.objects.filter(username="clerk").update(is_active=True)
    assert works(come(provider))
    User.objects.filter(username="clerk").update(is_active=False)
    assert refused(provider)


def test_the_link_holds_when_the_provider_changes_the_name(provider):
    come(provider)
    provider.claims = {"sub": "a-1", "preferred_username": "married"}
    assert works(come(provider))


def test_a_name_given_to_a_second_person_opens_nothing_of_the_first(provider):
    come(provider)
    provider.claims = {"sub": "b-2", "preferred_username": "clerk"}
    assert refused(provider, saying="另一个人")


def test_an_account_is_found_by_a_checked_address_that_one_account_has(world, provider, settings):
    settings.OIDC = settings.OIDC | {"claim": "email"}
    User.objects.filter(username="observer").update(email="o@example.org")
    provider.claims = {"sub": "o-1", "email": "O@example.org", "email_verified": False}
    assert refused(provider)
    provider.claims["email_verified"] = True
    assert works(come(provider))
    assert SocialAccount.objects.get().user == world.observer
    User.objects.filter(username__in=["clerk", "member"]).update(email="two@example.org")
    provider.claims = {"sub": "t-1", "email": "two@example.org", "email_verified": True}
    assert refused(provider)


def test_a_claim_that_only_the_user_information_has_is_asked_for(provider):
    provider.claims = {"sub": "a-1"}
    provider.userinfo = {"sub": "a-1", "preferred_username": "clerk"}
    assert works(come(provider))


def test_user_information_of_somebody_else_is_refused(provider):
    provider.claims = {"sub": "z-1"}
    provider.userinfo = {"sub": "a-1", "preferred_username": "clerk"}
    assert refused(provider)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": ""}, {"nonce": None}, {"iss": "https://evil.example"}, {"aud": "other"},
        {"aud": [CLIENT, "other"], "azp": "other"}, {"exp": 1}, {"exp": None}, {"iat": int(time.time()) + 3600},
        {"sub": ""}, {"sub": None}, {"sub": "x" * 500},
    ],
)  # fmt: skip
def test_a_token_that_says_the_wrong_thing_is_refused(provider, claims):
    provider.claims |= claims
    assert refused(provider)


def test_a_token_signed_by_another_key_is_refused(provider):
    provider.lie = {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
    assert refused(provider)


@pytest.mark.parametrize("lie", [{"alg": "none", "key": None}, {"alg": "HS256", "key": SECRET}, {"kid": "k2"}])
def test_a_token_that_anybody_could_have_made_is_refused(provider, lie):
    provider.lie = lie
    assert refused(provider)


def test_a_provider_that_says_it_is_another_issuer_is_refused(provider):
    provider.lie = {"issuer": "https://evil.example"}
    client = Client()
    assert client.get("/login/office/")["Location"] == "/login/"


def test_an_answer_without_a_question_of_this_browser_is_refused(provider):
    away = Client().get("/login/office/")
    stranger = Client()
    assert stranger.get(provider.log_in(away["Location"]))["Location"] == "/login/"
    assert not works(stranger)


def test_an_answer_is_taken_once(provider):
    client = Client()
    back = provider.log_in(client.get("/login/office/")["Location"])
    client.get(back)
    assert works(client)
    client.post("/logout/")
    assert client.get(back)["Location"] == "/login/"
    assert not works(client)


@pytest.mark.parametrize("query", ["", "?error=access_denied", "?code=x", "?state=x&code=x", "?error=\u202e"])
def test_a_callback_without_sense_leads_to_the_log_in(provider, query):
    assert Client().get(f"/login/office/back/{query}")["Location"] == "/login/"


def test_a_provider_that_is_away_is_said_in_words(provider):
    provider.close()
    client = Client()
    assert client.get("/login/office/")["Location"] == "/login/"
    assert "127.0.0.1" in client.get("/login/").content.decode()


def test_the_second_factor_is_asked_for_here_too(world, provider):
    telephone = Telephone(world.clerk)
    client = come(provider)
    assert client.answer["Location"] == "/login/code/"
    assert not works(client)
    client.post("/login/code/", {"code": telephone.code()})
    assert works(client)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_it_leads_to_no_other_site(provider, target):
    assert come(provider, next_url=target).answer["Location"] == "/desk/"


def test_nobody_adds_to_what_is_asked_of_the_provider(provider):
    away = Client().get("/login/office/", {"scope": "admin", "auth_params": "prompt=none", "process": "connect"})
    asked = parse_qs(urlsplit(away["Location"]).query)
    assert sorted(asked["scope"][0].split()) == ["email", "openid", "profile"]
    assert "prompt" not in asked
