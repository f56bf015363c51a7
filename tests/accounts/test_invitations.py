"""Invitations: a link once, for seven days, through which the person sets the first password; and the first log-in."""

import datetime as dt
import re
import threading

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from tests.conftest import PASSWORD
from weilu.accounts import invitations
from weilu.accounts.models import Invitation
from weilu.accounts.tasks import mail_invitation
from weilu.orgs.models import Grant, User
from weilu.orgs.roles import Role
from weilu.records.models import Event, OutgoingMail

NEW = "seven-Lamps-by-the-river"


@pytest.fixture
def admin(world, sign_in):
    return sign_in(world.administrator)


def invite(admin, name="clerk") -> str:
    """Press the button; return the path of the link that was shown."""
    page = admin.post(f"/accounts/{name}/invite/", follow=True)
    assert page["Cache-Control"].count("no-store")
    return re.search(r"/invitation/[\w-]+/", page.content.decode()).group()


def give(path: str, password: str = NEW, again: str | None = None):
    return Client().post(path, {"new_password1": password, "new_password2": again or password})


def test_the_link_sets_the_password_and_opens_the_account(world, admin):
    path = invite(admin)
    assert "Clerk" in Client().get(path).content.decode()
    assert give(path)["Location"] == "/login/"
    client = Client()
    client.post("/login/", {"username": "clerk", "password": NEW})
    assert client.get("/desk/").status_code == 200
    assert [event.move for event in Event.objects.filter(record_kind="account").order_by("at")] == [
        "invite", "invitation_accept",
    ]  # fmt: skip


def test_it_works_once(world, admin):
    path = invite(admin)
    give(path)
    answer = give(path, "another-Lamp-by-the-river")
    assert answer.status_code == 410
    assert User.objects.get(username="clerk").check_password(NEW)


def test_seven_days_later_it_does_not_open_any_more(world, admin):
    path = invite(admin)
    week = dt.timedelta(days=7)
    Invitation.objects.update(created_at=timezone.now() - week - week, expires_at=timezone.now())
    assert Client().get(path).status_code == 410
    assert give(path).status_code == 410
    assert User.objects.get(username="clerk").check_password(PASSWORD)


def test_it_holds_until_the_last_minute_of_the_seventh_day(world, admin):
    invite(admin)
    row = Invitation.objects.get()
    assert row.expires_at - row.created_at == dt.timedelta(days=7)
    assert row.open_at(row.expires_at - dt.timedelta(minutes=1))
    assert not row.open_at(row.expires_at)


def test_a_second_invitation_ends_the_first(world, admin):
    first, second = invite(admin), invite(admin)
    assert give(first).status_code == 410
    assert give(second).status_code == 302


def test_the_link_stands_in_no_table(world, admin):
    User.objects.filter(username="clerk").update(email="clerk@example.org")
    token = invite(admin).split("/")[2]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{token}%"])  # noqa: S608
            assert cursor.fetchone()[0] == 0, table


def test_it_is_mailed_once_where_an_address_is_known(world, admin):
    User.objects.filter(username="clerk").update(email="clerk@example.org")
    path = invite(admin)
    row = Invitation.objects.get()
    for _n in range(2):
        mail_invitation(invitation_id=str(row.pk))
    assert [message.to for message in mail.outbox] == [["clerk@example.org"]]
    assert path in mail.outbox[0].body
    assert not OutgoingMail.objects.exists()


def test_a_used_invitation_is_not_mailed_any_more(world, admin):
    User.objects.filter(username="clerk").update(email="clerk@example.org")
    give(invite(admin))
    mail_invitation(invitation_id=str(Invitation.objects.get().pk))
    assert mail.outbox == []


@pytest.mark.parametrize(("password", "again"), [("short", None), ("1234567890", None), (NEW, "other"), ("", None)])
def test_a_bad_password_uses_nothing_up(world, admin, password, again):
    path = invite(admin)
    assert give(path, password, again).status_code == 422
    assert give(path).status_code == 302


@pytest.mark.parametrize("token", ["x", "A" * 43, "%2e%2e", "😀", "x" * 2000])
def test_a_link_that_nobody_made_is_answered_in_words(world, client, token):
    assert client.get(f"/invitation/{token}/").status_code in (404, 410)


def test_the_link_of_a_shut_account_opens_nothing(world, admin):
    path = invite(admin)
    User.objects.filter(username="clerk").update(is_active=False)
    assert give(path).status_code == 410


def test_the_sessions_of_before_end_with_the_new_password(world, admin):
    client = Client()
    client.post("/login/", {"username": "clerk", "password": PASSWORD})
    give(invite(admin))
    assert client.get("/desk/").status_code == 302


def test_nobody_outside_the_scope_is_invited(world, admin, sign_in):
    assert admin.post("/accounts/far_clerk/invite/").status_code == 404
    Grant.objects.create(
        user=world.administrator, role=Role.OBSERVER, place=world.township, jurisdiction=world.jurisdiction
    )
    lower = sign_in(world.user("township_administrator", Role.ADMINISTRATOR, world.township))
    lower.post("/accounts/administrator/invite/")
    assert not Invitation.objects.exists()


def test_pressed_twice_at_the_same_moment_it_counts_once(real_world):
    row = invitations.invite(real_world.clerk, by=real_world.administrator)
    done: list[str] = []

    def press(password: str) -> None:
        try:
            invitations.accept(row.token, password=password)
            done.append(password)
        except invitations.InvitationError:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=[f"seven-Lamps-by-the-river-{n}"]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert User.objects.get(username="clerk").check_password(done[0])


# A new account.

ACCOUNT = {
    "username": "newcomer", "name": "新来", "email": "", "role": "township_clerk", "place_code": "510824100",
    "organisation": "", "valid_from": "2026-01-01", "valid_to": "",
}  # fmt: skip


def test_a_new_account_is_invited_instead_of_given_a_password(world, admin):
    answer = admin.post("/accounts/new/", ACCOUNT | {"invite": "on", "password": ""})
    assert answer["Location"] == "/accounts/newcomer/invite/"
    assert "生成链接" in admin.get(answer["Location"]).content.decode()
    user = User.objects.get(username="newcomer")
    assert not user.has_usable_password()
    give(invite(admin, "newcomer"))
    client = Client()
    client.post("/login/", {"username": "newcomer", "password": NEW})
    assert client.get("/desk/").status_code == 200


def test_a_password_that_an_administrator_typed_is_changed_before_anything_else(world, admin):
    admin.post("/accounts/new/", ACCOUNT | {"password": "first-Lamp-of-the-street"})
    client = Client()
    client.post("/login/", {"username": "newcomer", "password": "first-Lamp-of-the-street"})
    for path in ("/desk/", "/matters/", "/account/", "/messages/"):
        assert client.get(path)["Location"] == "/account/password/", path

    def own(password: str):
        return client.post("/account/password/", {"new_password1": password, "new_password2": password})

    assert own("first-Lamp-of-the-street").status_code == 422
    assert own("short").status_code == 422
    assert client.get("/desk/").status_code == 302
    assert own(NEW)["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200


def test_a_forgotten_password_that_was_set_anew_is_changed_too(world, admin):
    admin.post("/accounts/clerk/password/", {"password": NEW})
    client = Client()
    client.post("/login/", {"username": "clerk", "password": NEW})
    assert client.get("/desk/")["Location"] == "/account/password/"


def test_whoever_is_logged_in_as_another_is_told_and_logged_out_of_it(world, admin):
    path = invite(admin)
    shown = admin.get(path).content.decode()
    assert "Administrator" in shown
    assert "Administrator" not in Client().get(path).content.decode()
    assert admin.post(path, {"new_password1": NEW, "new_password2": NEW})["Location"] == "/login/"
    assert admin.get("/desk/")["Location"].startswith("/login/")
