"""The second factor: a code after the password, once each, not too many; who must have one; help when it is lost."""

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from tests.accounts.conftest import Telephone
from tests.conftest import PASSWORD
from weilu.accounts import second_factor
from weilu.accounts.models import Session
from weilu.orgs.models import Grant, User
from weilu.orgs.roles import Role
from weilu.records.models import Event, Notification, OutgoingMail


def works(client) -> bool:
    return client.get("/desk/").status_code == 200


def test_the_password_alone_does_not_open_an_account_with_a_second_factor(telephone, log_in):
    client = log_in()
    assert client.answer["Location"] == "/login/code/"
    assert not works(client)


def test_the_code_of_the_app_opens_it_and_leads_to_the_page_that_was_wanted(telephone, client):
    client.post("/login/?next=/matters/", {"username": "clerk", "password": PASSWORD, "next": "/matters/"})
    assert client.get("/login/code/").status_code == 200
    answer = client.post("/login/code/", {"code": telephone.code()})
    assert answer["Location"] == "/matters/"
    assert works(client)


def test_a_wrong_code_opens_nothing(telephone, log_in):
    client = log_in()
    assert 'role="alert"' in client.post("/login/code/", {"code": telephone.wrong()}).content.decode()
    assert not works(client)


@pytest.mark.parametrize("code", ["", "1", "x" * 5000, "０００", "😀", "' OR 1=1"])
def test_no_code_at_all_is_answered_with_the_form(telephone, log_in, code):
    assert log_in().post("/login/code/", {"code": code}).status_code == 200


def test_a_code_that_was_used_is_refused_in_another_browser_and_process(telephone, log_in):
    code = telephone.code()
    first, second = log_in(), log_in()
    first.post("/login/code/", {"code": code})
    from django.core.cache import cache

    cache.clear()  # what another web process does not know
    second.post("/login/code/", {"code": code})
    assert works(first)
    assert not works(second)


def test_a_code_older_than_one_that_was_used_is_refused(telephone, world):
    second_factor.use_code(world.clerk, telephone.code(ahead=1))
    with pytest.raises(second_factor.FactorError):
        second_factor.use_code(world.clerk, telephone.code())


def test_codes_are_tried_five_times_then_even_the_right_one_is_refused(telephone, log_in, world):
    client = log_in()
    for _n in range(5):
        client.post("/login/code/", {"code": telephone.wrong()})
    client.post("/login/code/", {"code": telephone.code()})
    assert not works(client)
    other = log_in(REMOTE_ADDR="203.0.113.9")
    other.post("/login/code/", {"code": telephone.code()})
    assert not works(other)
    assert Notification.objects.filter(user=world.clerk, kind="codes_wrong").count() == 1


def test_right_codes_are_not_counted_as_tries(telephone, world):
    for ahead in (-1, 0, 1):
        second_factor.use_code(world.clerk, telephone.code(ahead))
    for code in telephone.codes[:6]:
        second_factor.use_code(world.clerk, code)


def test_a_recovery_code_opens_the_account_once(telephone, log_in):
    first, second = log_in(), log_in()
    first.post("/login/code/", {"code": telephone.codes[3]})
    second.post("/login/code/", {"code": telephone.codes[3]})
    assert works(first)
    assert not works(second)


def test_keys_and_seeds_lie_encrypted_in_the_table(telephone):
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        text = cursor.fetchone()[0]
    assert telephone.secret not in text
    assert telephone.codes[0] not in text


def test_a_page_asked_without_the_code_leads_to_the_log_in(telephone, log_in):
    client = log_in()
    for path in ("/matters/", "/account/", "/account/security/", "/accounts/"):
        assert client.get(path)["Location"].startswith("/login/")


# Setting it up.


def set_up(client) -> list[str]:
    """Set the app up in the browser; return the recovery codes that were shown."""
    client.get("/account/security/app/")
    secret = client.session["mfa.totp.secret"]
    phone = Telephone.__new__(Telephone)
    phone.secret = secret
    answer = client.post("/account/security/app/", {"code": phone.code()})
    assert answer["Location"] == "/account/security/codes/"
    page = client.get("/account/security/codes/")
    client.phone = phone
    return page.context["unused_codes"]


def test_an_app_is_set_up_with_its_first_code_and_ten_recovery_codes_shown_once(world, log_in):
    client = log_in()
    codes = set_up(client)
    assert len(codes) == 10
    assert "*" not in codes[0]
    assert codes[0] not in client.get("/account/security/codes/").content.decode()
    assert Notification.objects.filter(user=world.clerk, kind="factor_added").count() == 1
    assert log_in().answer["Location"] == "/login/code/"


def test_the_code_that_set_it_up_does_not_log_in(world, log_in):
    client = log_in()
    set_up(client)
    other = log_in()
    other.post("/login/code/", {"code": client.phone.code()})
    assert not works(other)


def test_a_wrong_first_code_sets_nothing_up(world, log_in):
    client = log_in()
    client.get("/account/security/app/")
    client.post("/account/security/app/", {"code": "abcdef"})
    assert not Authenticator.objects.exists()


def test_setting_up_asks_for_the_password_when_the_log_in_was_a_while_ago(world, log_in, sign_in):
    client = sign_in(world.clerk)
    answer = client.get("/account/security/app/")
    assert answer["Location"].startswith("/account/security/confirm/?next=")
    assert client.post(answer["Location"], {"password": "not-it"}).status_code == 200
    assert client.get("/account/security/app/").status_code == 302
    assert client.post(answer["Location"], {"password": PASSWORD})["Location"] == "/account/security/app/"
    assert client.get("/account/security/app/").status_code == 200


def test_the_password_is_not_guessed_there_either(world, sign_in):
    client = sign_in(world.clerk)
    for _n in range(5):
        client.post("/account/security/confirm/", {"password": "not-it"})
    client.post("/account/security/confirm/", {"password": PASSWORD})
    assert client.get("/account/security/app/").status_code == 302


def test_the_app_is_removed_and_the_password_opens_the_account_again(telephone, world, log_in):
    client = log_in()
    client.post("/login/code/", {"code": telephone.code()})
    client.post("/account/security/app/remove/")
    assert not Authenticator.objects.exists()
    assert Notification.objects.filter(user=world.clerk, kind="factor_removed").count() == 1
    assert works(log_in())


def test_new_recovery_codes_end_the_old_ones(telephone, world, log_in):
    client = log_in()
    client.post("/login/code/", {"code": telephone.code()})
    client.post("/account/security/codes/new/")
    with pytest.raises(second_factor.FactorError):
        second_factor.use_code(world.clerk, telephone.codes[0])


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", "x", '{"id": 1}', '{"response": {"userHandle": "eA"}}', "1e999"]
)
def test_a_broken_passkey_is_answered(world, client, credential):
    client.get("/login/passkey/", HTTP_ACCEPT="application/json")
    assert client.post("/login/passkey/", {"credential": credential})["Location"] == "/login/"


# Required for a role.


@pytest.fixture
def required(world):
    second_factor.require_for_roles(world.jurisdiction, [Role.TOWNSHIP_CLERK], by=world.administrator)
    return world


def test_a_role_that_needs_one_leads_to_its_set_up_until_it_is_there(required, log_in):
    client = log_in()
    for path in ("/desk/", "/matters/", "/messages/"):
        assert client.get(path)["Location"] == "/account/security/"
    set_up(client)
    assert works(client)


def test_it_holds_for_sessions_that_are_open_already_and_for_nobody_else(world, log_in):
    clerk, observer = log_in(), log_in("observer")
    assert works(clerk)
    second_factor.require_for_roles(world.jurisdiction, [Role.TOWNSHIP_CLERK], by=world.administrator)
    assert not works(clerk)
    assert works(observer)


def test_it_holds_in_its_county_only(world, log_in):
    second_factor.require_for_roles(world.jurisdiction, [Role.COUNTY_CLERK], by=world.administrator)
    assert works(log_in("far_clerk"))
    assert not works(log_in("county_clerk"))


def test_who_logs_in_with_the_code_works_at_once(required, telephone, log_in):
    client = log_in()
    client.post("/login/code/", {"code": telephone.code()})
    assert works(client)


def test_a_session_opened_before_is_confirmed_with_a_code(world, sign_in, telephone):
    client = sign_in(world.clerk)
    second_factor.require_for_roles(world.jurisdiction, [Role.TOWNSHIP_CLERK], by=world.administrator)
    assert not works(client)
    page = client.get("/account/security/").content.decode()
    assert "/account/security/confirm/code/" in page
    answer = client.post("/account/security/confirm/code/?next=/desk/", {"code": telephone.code(), "next": "/desk/"})
    assert answer["Location"] == "/desk/"
    assert works(client)


def test_the_last_factor_of_such_a_role_is_not_removed(required, telephone, log_in):
    client = log_in()
    client.post("/login/code/", {"code": telephone.code()})
    client.post("/account/security/app/remove/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_an_administrator_of_the_county_sets_the_roles_and_the_history_keeps_it(world, sign_in):
    client = sign_in(world.administrator)
    assert client.post("/settings/second-factor/", {"roles": ["county_clerk", "observer"]}).status_code == 302
    world.jurisdiction.refresh_from_db()
    assert world.jurisdiction.second_factor_roles == ["county_clerk", "observer"]
    assert Event.objects.get(move="factor_roles").changes == {"roles": ["county_clerk", "observer"]}
    assert client.post("/settings/second-factor/", {"roles": ["root"]}).status_code == 422


def test_an_administrator_of_a_township_does_not(world, sign_in):
    client = sign_in(world.user("township_administrator", Role.ADMINISTRATOR, world.township))
    assert client.post("/settings/second-factor/", {"roles": ["observer"]}).status_code == 403
    other = sign_in(world.administrator).post(f"/settings/second-factor/?county={world.far_county.code}", {"roles": []})
    assert other.status_code == 403


# Lost.


def test_an_administrator_resets_it_with_a_reason_and_the_owner_is_told(world, telephone, log_in, sign_in):
    User.objects.filter(pk=world.clerk.pk).update(email="clerk@example.org")
    client = log_in()
    client.post("/login/code/", {"code": telephone.code()})
    administrator = sign_in(world.administrator)
    administrator.post("/accounts/clerk/second-factor/", {"reason": "手机丢失，本人到场"})
    assert not Authenticator.objects.exists()
    assert not works(client)
    assert works(log_in())
    event = Event.objects.get(move="factor_reset")
    assert (event.record_id, event.actor, event.note) == (world.clerk.pk, world.administrator, "手机丢失，本人到场")
    assert Notification.objects.filter(user=world.clerk, kind="factor_reset").exists()
    assert OutgoingMail.objects.filter(to="clerk@example.org").exists()
    assert log_in().get("/messages/").status_code == 200


def test_without_a_reason_nothing_is_reset(world, telephone, sign_in):
    sign_in(world.administrator).post("/accounts/clerk/second-factor/", {"reason": " "})
    assert Authenticator.objects.exists()


def test_nobody_resets_their_own_or_one_that_works_elsewhere_too(world, sign_in):
    Telephone(world.administrator)
    Telephone(world.observer)
    Grant.objects.create(
        user=world.observer, role=Role.OBSERVER, place=world.far_county, jurisdiction=world.far_jurisdiction
    )
    client = sign_in(world.administrator)
    for name in ("administrator", "observer"):
        client.post(f"/accounts/{name}/second-factor/", {"reason": "丢了"})
    assert Authenticator.objects.filter(type="totp").count() == 2
    assert client.post("/accounts/far_clerk/second-factor/", {"reason": "丢了"}).status_code == 404


def test_the_pages_of_the_second_factor_read_no_session_of_others(world, telephone, log_in):
    client = log_in("observer")
    assert client.get("/account/security/codes/").status_code == 404
    assert not Session.objects.filter(user=world.clerk).exists()
