"""Every route × everybody: strangers, roles without the permission, accounts outside the scope, accounts inside.

``tests.routes.ROUTES`` names every route. A route that is added without an entry here fails by its name.
"""

from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, get_resolver, reverse

from tests.routes import (
    READ_HANDED,
    READ_ORDER,
    ROUTES,
    P,
    ask,
    signed_in,
    state_of_all,
    text_of,
)
from tests.things import ORDERED, PHONE, SUBJECT
from weilu.orgs.access import PUBLIC


def patterns(resolver=None) -> dict[str, Any]:
    """Return the views of all routes by name; one without a name goes by its pattern."""
    found = {}
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            found[entry.name or str(entry.pattern)] = entry.callback
        else:
            found |= patterns(entry)
    return found


def test_every_route_has_a_name_and_stands_in_the_table_of_this_test():
    there = patterns()
    missing = sorted(set(there) - set(ROUTES))
    assert not missing, f"say in ROUTES who may use: {', '.join(missing)}"
    assert not sorted(set(ROUTES) - set(there)), "these routes are gone"


@pytest.mark.parametrize("name", sorted(patterns()))
def test_every_view_declares_who_may_use_it(name):
    view = patterns()[name]
    assert hasattr(view, "access"), f"{name} declares no permission"
    assert view.access == ROUTES[name].access


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_stranger_without_an_account_is_sent_to_the_log_in_and_changes_nothing(things, name):
    route = ROUTES[name]
    before = state_of_all()
    for method in ("get", "post", "put", "delete", "head"):
        answer = getattr(signed_in(None), method)(reverse(name, kwargs=route.address(things)))
        if route.access == PUBLIC:
            assert answer.status_code < 500 or name == "healthz"
            assert not answer.get("Location", "").startswith("/login/?next")
        else:
            assert answer.status_code == route.stranger, (method, answer.status_code)
            assert route.stranger == 401 or answer["Location"].startswith("/login/?next=/")
        assert SUBJECT not in text_of(answer)
    answer = ask(signed_in(None), name, things)
    if route.access == PUBLIC:
        expected = (404,) if route.inside is not None else route.ok
        assert answer.status_code in expected
    assert state_of_all() == before


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_role_gets_what_it_may_inside_its_scope_and_nothing_outside(things, name):
    route = ROUTES[name]
    before = state_of_all()
    for who, user in things.world.users.items():
        save = transaction.savepoint()
        answer = ask(signed_in(user), name, things)
        text = text_of(answer)
        may = route.access in (PUBLIC, P.SIGNED_IN) or route.access in user.permissions
        inside = route.inside is None or who in route.inside
        if not may:
            assert answer.status_code == 403, (who, answer.status_code)
        elif not inside:
            assert answer.status_code == 404, (who, answer.status_code)
        else:
            assert answer.status_code in route.ok, (who, answer.status_code)
        if who not in READ_HANDED:
            assert SUBJECT not in text, who
        if who not in READ_ORDER:
            assert ORDERED not in text, who
        if name not in ("contact", "booking_contact"):
            assert PHONE not in text, who
        if not (may and inside):
            assert state_of_all() == before, who
        transaction.savepoint_rollback(save)


@pytest.mark.parametrize("name", ["queue", "export", "workbench"])
def test_a_list_shows_what_lies_in_ones_scope(things, name):
    text = text_of(ask(signed_in(things.world.observer), name, things))
    assert (SUBJECT in text) or name == "workbench"


def test_the_bulk_hands_over_nothing_that_lies_outside(things):
    before = state_of_all()
    for who in ("stranger", "far_clerk"):
        answer = ask(signed_in(things.world.users[who]), "bulk", things)
        assert answer.status_code == 302, who  # to the queue: nothing of theirs was ticked
    assert state_of_all() == before
