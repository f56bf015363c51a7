"""Every route × everybody: strangers, roles without the permission, accounts outside the scope, accounts inside.

``ROUTES`` names every route. A route that is added without an entry here fails by its name.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from PIL import Image
from python_calamine import CalamineWorkbook

from weilu.matters import services
from weilu.matters.models import Category, Matter
from weilu.matters.views import VERBS
from weilu.orgs.access import PUBLIC
from weilu.orgs.models import Grant, User
from weilu.orgs.roles import Permission, Role
from weilu.portal.models import Draft
from weilu.records.attachments import attach
from weilu.records.models import Attachment, Event

P = Permission
SUBJECT = "后山水渠漏水惊动全村"
ORDERED = "帮王奶奶搬煤气罐"
PHONE = "13987654321"

CLERKS = {"clerk", "village_clerk", "county_clerk"}
OVERSEERS = {"observer", "administrator"}
MEMBERS = {"member", "second_member"}
# Who may read the matter at the grid, handed to the county's department; and the one that is an order to the branch.
READ_HANDED = CLERKS | OVERSEERS | {"handler", "grid_worker"}
READ_ORDER = CLERKS | OVERSEERS | MEMBERS | {"grid_worker"}
ANYBODY: set[str] = set()


@dataclass
class Things:
    """What the routes are asked for."""

    world: Any
    handed: Matter
    order: Matter
    file: Attachment
    draft_file: Attachment
    grant: Grant


def photo(colour: str) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "JPEG")
    return SimpleUploadedFile("a.jpg", out.getvalue())


@pytest.fixture
def things(world) -> Things:
    world.user("far_administrator", Role.ADMINISTRATOR, world.far_county)
    Category.objects.create(jurisdiction=world.jurisdiction, code="only_here", name="只在此县")
    handed = world.matter(at=world.grid, subject=SUBJECT, contact=services.Contact("田七", PHONE))
    handed = services.dispatch(handed, to=world.department, by=world.county_clerk, version=1)
    order = world.matter(at=world.grid, subject=ORDERED)
    order = services.dispatch(order, to=world.branch, by=world.clerk, version=1)
    file = attach(
        photo("red"),
        jurisdiction=world.jurisdiction,
        record_kind="matter",
        record_id=handed.pk,
        event_id=handed.event.pk,
    )
    draft = Draft.objects.create(jurisdiction=world.jurisdiction, answers="{}")
    draft_file = attach(photo("blue"), jurisdiction=world.jurisdiction, record_kind="draft", record_id=draft.pk)
    return Things(world, handed, order, file, draft_file, world.clerk.grants.get())


def nothing(things: Things) -> dict[str, Any]:
    return {}


@dataclass
class Route:
    """What a route declares, how to ask it, and who gets what.

    Attributes:
        access: the permission that its view must declare.
        inside: who finds the object, for routes that name one; all others get 404.
        ok: answers to those who may.
    """

    access: str
    method: str = "get"
    address: Callable[[Things], dict[str, Any]] = nothing
    data: Callable[[Things], dict[str, Any]] = nothing
    inside: set[str] | None = None
    ok: tuple[int, ...] = (200,)


def handed(things: Things) -> dict[str, Any]:
    return {"number": things.handed.number}


def handed_file(things: Things) -> dict[str, Any]:
    return {"number": things.handed.number, "pk": things.file.pk}


def draft_photo(things: Things) -> dict[str, Any]:
    return {"pk": things.draft_file.pk}


def of_clerk(things: Things) -> dict[str, Any]:
    return {"username": "clerk"}


def village(things: Things) -> dict[str, Any]:
    return {"code": things.world.village.code}


def ticked(things: Things) -> dict[str, Any]:
    return {"matter": f"{things.handed.number}:{things.handed.version}", "to": f"organisation:{things.world.office.pk}"}


ROUTES = {
    # Residents and the public.
    "home": Route(PUBLIC),
    "raise_what": Route(PUBLIC),
    "raise_where": Route(PUBLIC, ok=(302,)),
    "raise_send": Route(PUBLIC, ok=(302,)),
    "raise_done": Route(PUBLIC, ok=(302,)),
    "raise_photo": Route(PUBLIC, address=draft_photo, inside=ANYBODY),
    "raise_drop_photo": Route(PUBLIC, "post", draft_photo, ok=(302,)),
    "raise_at": Route(PUBLIC, address=village, ok=(302,)),
    "notice": Route(PUBLIC, address=village),
    "notice_qr": Route(PUBLIC, address=village),
    "follow": Route(PUBLIC),
    "follow_leave": Route(PUBLIC, "post", ok=(302,)),
    "follow_matter": Route(PUBLIC, address=handed, inside=ANYBODY),
    "follow_file": Route(PUBLIC, address=handed_file, inside=ANYBODY),
    "follow_say": Route(PUBLIC, "post", lambda t: {**handed(t), "name": "answer"}, lambda t: {"note": "好"}, ANYBODY),
    "results": Route(PUBLIC),
    "healthz": Route(PUBLIC, ok=(200, 503)),
    # Accounts and places.
    "login": Route(PUBLIC, ok=(200, 302)),
    "logout": Route(PUBLIC, "post", ok=(302,)),
    "language": Route(PUBLIC, "post", ok=(302,)),
    "type_size": Route(PUBLIC, "post", ok=(302,)),
    "account": Route(P.SIGNED_IN),
    "places": Route(P.VIEW, ok=(200, 302)),
    "place": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "organisation_new": Route(P.MANAGE, address=village, inside={"administrator"}),
    "accounts": Route(P.MANAGE),
    "account_new": Route(P.MANAGE),
    "account_password": Route(P.MANAGE, "post", of_clerk, inside={"administrator"}, ok=(200, 302, 422)),
    "account_edit": Route(P.MANAGE, address=of_clerk, inside={"administrator"}),
    "account_switch": Route(P.MANAGE, "post", of_clerk, inside={"administrator"}, ok=(302,)),
    "grant_end": Route(P.MANAGE, "post", lambda t: {"pk": t.grant.pk}, inside={"administrator"}, ok=(302,)),
    "messages": Route(P.SIGNED_IN),
    "messages_read": Route(P.SIGNED_IN, "post", ok=(302,)),
    "organisation": Route(
        P.VIEW_PEOPLE, address=lambda t: {"pk": t.world.office.pk}, inside={"clerk", "county_clerk"} | OVERSEERS
    ),
    # Matters.
    "workbench": Route(P.SIGNED_IN),
    "work_mine": Route(P.HANDLE),
    "orders": Route(P.TAKE_ORDERS),
    "queue": Route(P.VIEW, data=lambda t: {"tab": "all"}),
    "intake": Route(P.INTAKE),
    "bulk": Route(P.TRIAGE, "post", data=ticked, ok=(200, 302)),
    "export": Route(P.VIEW, data=lambda t: {"tab": "all"}),
    "matter": Route(P.VIEW, address=handed, inside=READ_HANDED),
    "contact": Route(P.UNMASK, "post", handed, inside=CLERKS | {"handler", "grid_worker"}),
    "attachment": Route(P.VIEW, address=handed_file, inside=READ_HANDED),
    "act": Route(
        P.VIEW,
        "post",
        lambda t: {**handed(t), "name": "progress"},
        lambda t: {"note": "好", "version": 99},
        READ_HANDED,
        ok=(409,),
    ),
    "settings": Route(P.MANAGE),
    "dictionary_row": Route(
        P.MANAGE, address=lambda t: {"kind": "category", "code": "only_here"}, inside={"administrator"}
    ),
}


def patterns(resolver=None) -> dict[str, Any]:
    """Return the views of all routes by name; one without a name goes by its pattern."""
    found = {}
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            found[entry.name or str(entry.pattern)] = entry.callback
        else:
            found |= patterns(entry)
    return found


def signed_in(user: User | None) -> Client:
    client = Client()
    client.cookies["county"] = "510824"
    if user:
        client.force_login(user, backend="weilu.orgs.backends.AccountBackend")
    return client


def ask(client: Client, name: str, things: Things):
    route = ROUTES[name]
    return getattr(client, route.method)(reverse(name, kwargs=route.address(things)), route.data(things))


def text_of(answer) -> str:
    """Return all that an answer shows, also the cells of an Excel file."""
    body = b"".join(answer) if answer.streaming else answer.content
    if "spreadsheet" in answer.get("Content-Type", ""):
        return str(CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python())
    return body.decode("utf-8", "replace")


def state_of_all() -> dict[str, Any]:
    """Return every row that a wrong hand could change."""
    return {
        "matters": list(Matter.objects.order_by("pk").values()),
        "events": Event.objects.count(),
        "grants": list(Grant.objects.order_by("pk").values()),
        "accounts": list(User.objects.order_by("pk").values("pk", "is_active", "password")),
        "categories": list(Category.objects.order_by("pk").values()),
        "attachments": Attachment.objects.count(),
    }


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
            assert answer.status_code == 302, (method, answer.status_code)
            assert answer["Location"].startswith("/login/?next=/")
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
        if name != "contact":
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


# --- the verbs --------------------------------------------------------------------------------------------------------
WORKERS = CLERKS | {"handler"}


@dataclass
class Deed:
    """A verb: in which state it is tried, with what, and for whom it works."""

    state: str
    who: set[str]
    data: Callable[[Things], dict[str, Any]] = lambda things: {"note": "说明"}


DEEDS = {
    "dispatch": Deed("dispatched", CLERKS, lambda t: {"to": f"organisation:{t.world.department.pk}"}),
    "transfer": Deed("dispatched", CLERKS, lambda t: {"place": t.world.other_village.code, "note": "归你们"}),
    "decline": Deed("raised", CLERKS),
    "merge": Deed("dispatched", CLERKS, lambda t: {"into": t.order.number}),
    "start": Deed("dispatched", WORKERS),
    "take": Deed("ordered", MEMBERS),
    "progress": Deed("dispatched", WORKERS),
    "return": Deed("dispatched", WORKERS),
    "ask": Deed("dispatched", WORKERS),
    "answer": Deed("asked", CLERKS),
    "settle": Deed("dispatched", WORKERS, lambda t: {"outcome": "修好了"}),
}


def in_state(things: Things, state: str) -> Matter:
    if state == "raised":
        return things.world.matter(at=things.world.grid, subject=SUBJECT)
    if state == "ordered":
        return things.order
    if state == "asked":
        return services.ask(things.handed, by=things.world.handler, version=things.handed.version, note="哪一段？")
    return things.handed


READERS = {"raised": READ_HANDED - {"handler"}, "ordered": READ_ORDER}


def test_every_verb_stands_in_the_table_of_this_test():
    assert set(VERBS) == set(DEEDS)


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_a_verb_works_for_whom_it_should_and_for_nobody_else(things, name):
    deed = DEEDS[name]
    matter = in_state(things, deed.state)
    data = {"version": matter.version, **deed.data(things)}
    before = state_of_all()
    for who, user in things.world.users.items():
        save = transaction.savepoint()
        answer = signed_in(user).post(f"/matters/{matter.number}/{name}/", data)
        if who in deed.who:
            assert answer.status_code == 302, who
            assert Matter.objects.get(pk=matter.pk).version == matter.version + 1, who
            assert Event.objects.filter(record_id=matter.pk).order_by("at").last().move in (name, "order")
        else:
            readers = READERS.get(deed.state, READ_HANDED)
            # An order is fetched by its branch: to all others it is not there to be taken.
            # The other matter of a merger may lie outside what they see: then that is said first.
            refused = {403, 409} if name == "merge" else {403}
            assert answer.status_code in (refused if who in readers and name != "take" else {404}), who
            assert state_of_all() == before, who
            if who not in readers:
                assert matter.subject not in text_of(answer)
        transaction.savepoint_rollback(save)


def test_a_verb_that_does_not_exist_changes_nothing(things):
    before = state_of_all()
    answer = signed_in(things.world.clerk).post(f"/matters/{things.handed.number}/lapse/", {"version": 2})
    assert answer.status_code == 302
    for name in ("lapse", "rate", "reopen"):
        signed_in(things.world.clerk).post(f"/matters/{things.handed.number}/{name}/", {"version": 2, "rating": 5})
    assert state_of_all() == before
