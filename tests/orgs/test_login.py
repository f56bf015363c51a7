"""Log-in: who gets in, who is shut out for a while, where it leads, a new password."""

import pytest

from weilu.orgs.models import User

PASSWORD = "lantern-Under-the-eaves-7"
HERE, ELSEWHERE = "198.51.100.1", "203.0.113.7"


def log_in(client, username="clerk", password=PASSWORD, at=HERE, **more):
    return client.post("/login/", {"username": username, "password": password, **more}, REMOTE_ADDR=at)


def wrong(client, times=5, **more):
    return [log_in(client, password="not-it", **more).status_code for _n in range(times)][-1]


def test_the_right_password_opens_the_workbench(world, client):
    answer = log_in(client, username="CLERK")
    assert answer["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200


def test_five_wrong_passwords_shut_the_account_even_for_the_right_one(world, client):
    assert wrong(client, 4) == 200
    assert wrong(client, 1) == 429
    answer = log_in(client)
    assert answer.status_code == 429
    assert "15" in answer.content.decode()


def test_only_that_account_from_that_address_is_shut(world, client):
    wrong(client)
    assert log_in(client, at=ELSEWHERE).status_code == 302
    client.post("/logout/")
    assert log_in(client, username="observer").status_code == 302


def test_a_success_forgets_the_failures_before_it(world, client):
    wrong(client, 4)
    assert log_in(client).status_code == 302
    client.post("/logout/")
    wrong(client, 4)
    assert log_in(client).status_code == 302


@pytest.mark.parametrize("other", ["Clerk", "CLERK", "clerK"])
def test_another_spelling_of_the_account_gives_no_further_tries(world, client, other):
    wrong(client)
    assert log_in(client, username=other, password="not-it").status_code == 429


def test_a_name_that_nobody_has_is_told_the_same(world, client):
    unknown = log_in(client, username="nobody").content.decode()
    known = log_in(client, password="not-it").content.decode()
    assert "nobody" in unknown
    assert unknown.split("<form")[0] == known.split("<form")[0]


def test_a_shut_account_does_not_get_in(world, client):
    User.objects.filter(username="clerk").update(is_active=False)
    assert log_in(client).status_code == 200


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "javascript:alert(1)", "\\\\evil.example", "/\\evil.example", "///evil"],
)
def test_it_leads_to_no_other_site(world, client, target):
    assert log_in(client, next=target)["Location"] == "/desk/"
    assert client.get("/login/", {"next": target})["Location"] == "/desk/"


def test_it_leads_back_to_the_page_that_was_wanted(world, client):
    wanted = client.get("/matters/?tab=late&q=路灯")["Location"]
    assert wanted.startswith("/login/?next=")
    from urllib.parse import parse_qs, urlsplit

    target = parse_qs(urlsplit(wanted).query)["next"][0]
    assert log_in(client, next=target)["Location"] == target


def test_a_name_of_5000_letters_is_answered(world, client):
    client.raise_request_exception = False
    assert log_in(client, username="x" * 5000).status_code == 200


@pytest.mark.parametrize("name", ["", "' OR 1=1 --", "😀", "*", "%"])
def test_any_name_is_answered(world, client, name):
    assert log_in(client, username=name, password="x" * 5000).status_code == 200


def test_a_request_to_log_out_by_a_link_is_no_log_out(world, sign_in):
    client = sign_in(world.clerk)
    assert client.get("/logout/").status_code == 405
    assert client.get("/desk/").status_code == 200


def change(client, old=PASSWORD, new="seven-Lamps-by-the-river", again=None):
    return client.post("/account/", {"old_password": old, "new_password1": new, "new_password2": again or new})


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(world, client):
    other = client.__class__()
    log_in(client)
    log_in(other)
    assert change(client).status_code == 302
    assert client.get("/desk/").status_code == 200
    assert other.get("/desk/").status_code == 302
    assert log_in(other, password="seven-Lamps-by-the-river").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", "seven-Lamps-by-the-river", None),
        (PASSWORD, "short", None),
        (PASSWORD, "1234567890", None),
        (PASSWORD, "seven-Lamps-by-the-river", "other"),
        (PASSWORD, "", None),
        ("", "", None),
    ],
)
def test_a_bad_new_password_changes_nothing(world, sign_in, client, old, new, again):
    sign_in(world.clerk)
    assert change(client, old, new, again).status_code in (200, 422)
    assert User.objects.get(username="clerk").check_password(PASSWORD)
