"""The table of all routes: what each is asked for, and who may use it; and how a test asks and looks."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from tests.things import Things
from weilu.matters.models import Category, Matter
from weilu.orgs.access import PUBLIC
from weilu.orgs.imports import jobs
from weilu.orgs.models import Grant, Organisation, User
from weilu.orgs.roles import Permission
from weilu.people.models import Appointment, Honour, Membership, Person, PersonMerge, PersonsApart
from weilu.records.models import Attachment, Event
from weilu.venues.models import Booking, OpeningHours, Venue

P = Permission

CLERKS = {"clerk", "village_clerk", "county_clerk"}
OVERSEERS = {"observer", "administrator"}
MEMBERS = {"member", "second_member"}
KEEPERS = {"clerk", "county_clerk", "administrator"}
# Who may read the matter at the grid, handed to the county's department; and the one that is an order to the branch.
READ_HANDED = CLERKS | OVERSEERS | {"handler", "grid_worker"}
READ_ORDER = CLERKS | OVERSEERS | MEMBERS | {"grid_worker"}
ANYBODY: set[str] = set()
NOWHERE = UUID(int=1)
# Who keeps the records of those who live in the village.
HOME_KEEPERS = KEEPERS | {"village_clerk"}


def nothing(things: Things) -> dict[str, Any]:
    return {}


def a_roster(things: Things) -> dict[str, Any]:
    return {"pk": things.people.roster.pk}


def an_import(things: Things) -> dict[str, Any]:
    """An import of grids for the village that refused its only feature."""
    raw = b'{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": null}]}'
    options = {"place": things.world.village.code}
    file = SimpleUploadedFile("grids.geojson", raw)
    job = jobs.file_in("grids", [(str(file.name), file)], options=options, place=things.world.village)
    jobs.work(job.pk)
    return {"pk": job.pk}


@dataclass
class Route:
    """What a route declares, how to ask it, and who gets what.

    Attributes:
        access: the permission that its view must declare.
        inside: who finds the object, for routes that name one; all others get 404.
        ok: answers to those who may.
        stranger: the answer without an account: the log-in for people, 401 for programs.
    """

    access: str
    method: str = "get"
    address: Callable[[Things], dict[str, Any]] = nothing
    data: Callable[[Things], dict[str, Any]] = nothing
    inside: set[str] | None = None
    ok: tuple[int, ...] = (200,)
    stranger: int = 302


def looking(things: Things) -> dict[str, Any]:
    return {"reason": "核对电话"}


def handed(things: Things) -> dict[str, Any]:
    return {"number": things.handed.number}


def handed_file(things: Things) -> dict[str, Any]:
    return {"number": things.handed.number, "pk": things.file.pk}


def draft_photo(things: Things) -> dict[str, Any]:
    return {"pk": things.draft_file.pk}


def of_clerk(things: Things) -> dict[str, Any]:
    return {"username": "clerk"}


def office(things: Things) -> dict[str, Any]:
    return {"pk": things.world.office.pk}


def post(things: Things) -> dict[str, Any]:
    return {"pk": things.held.post_id}


def held(things: Things) -> dict[str, Any]:
    return {"pk": things.held.pk}


def village(things: Things) -> dict[str, Any]:
    return {"code": things.world.village.code}


def a_person(things: Things) -> dict[str, Any]:
    return {"pk": things.people.person.pk}


def ended(things: Things) -> dict[str, Any]:
    return {"pk": things.people.ended.pk}


def hall(things: Things) -> dict[str, Any]:
    return {"pk": things.rooms.hall.pk}


def asked(things: Things) -> dict[str, Any]:
    return {"number": things.rooms.asked.number}


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
    "notice_pdf": Route(PUBLIC, address=village),
    "body_notice": Route(PUBLIC, address=lambda t: {"pk": t.world.branch.pk}),
    "body_notice_qr": Route(PUBLIC, address=lambda t: {"pk": t.world.branch.pk}),
    "body_notice_pdf": Route(PUBLIC, address=lambda t: {"pk": t.world.branch.pk}),
    "venues": Route(PUBLIC),
    "venue_points": Route(PUBLIC),
    "venue": Route(PUBLIC, address=hall),
    "venue_ask": Route(PUBLIC, address=hall),
    "venue_asked": Route(PUBLIC, address=hall, ok=(302,)),
    "follow": Route(PUBLIC),
    "follow_leave": Route(PUBLIC, "post", ok=(302,)),
    "follow_booking": Route(PUBLIC, address=asked, inside=ANYBODY),
    "follow_booking_cancel": Route(PUBLIC, "post", asked, inside=ANYBODY),
    "follow_matter": Route(PUBLIC, address=handed, inside=ANYBODY),
    "follow_file": Route(PUBLIC, address=handed_file, inside=ANYBODY),
    "follow_say": Route(PUBLIC, "post", lambda t: {**handed(t), "name": "answer"}, lambda t: {"note": "好"}, ANYBODY),
    "results": Route(PUBLIC),
    # Figures.
    "dashboard": Route(P.VIEW),
    "figures": Route(P.VIEW),
    "published_figures": Route(P.VIEW),
    "figure": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}),
    "figure_rows": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}),
    "api_figures": Route(P.VIEW, stranger=401),
    "api_figure": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}, stranger=401),
    "api_figure_rows": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}, stranger=401),
    "api_tokens": Route(P.VIEW),
    "api_token_new": Route(P.VIEW, ok=(302,)),  # to the password first
    "api_token_revoke": Route(P.VIEW, "post", lambda t: {"pk": NOWHERE}, inside=ANYBODY),
    "figure_definition": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}),
    "figure_compare": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}),
    "figure_map": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}),
    "figure_areas": Route(P.VIEW, address=lambda t: {"code": "matters.raised"}, ok=(200, 404)),
    "boards": Route(P.VIEW),
    "board_new": Route(P.MANAGE),
    "board_edit": Route(P.MANAGE, address=lambda t: {"pk": NOWHERE}, inside=ANYBODY),
    "board_remove": Route(P.MANAGE, "post", lambda t: {"pk": NOWHERE}, inside=ANYBODY),
    "edition_new": Route(P.VIEW, "post", lambda t: {"pk": NOWHERE}, inside=ANYBODY),
    "edition": Route(P.VIEW, address=lambda t: {"pk": NOWHERE}, inside=ANYBODY),
    "edition_act": Route(P.VIEW, "post", lambda t: {"pk": NOWHERE, "name": "show"}, inside=ANYBODY),
    "public_boards": Route(PUBLIC),
    "public_board": Route(PUBLIC, address=lambda t: {"pk": NOWHERE}, inside=ANYBODY),
    "healthz": Route(PUBLIC, ok=(200, 503)),
    # Accounts and places.
    "login": Route(PUBLIC, ok=(200, 302)),
    "account_login": Route(PUBLIC, ok=(200, 302)),
    "mfa_authenticate": Route(PUBLIC, ok=(302,)),
    "mfa_login_webauthn": Route(PUBLIC, ok=(302,)),
    "office_login": Route(PUBLIC, inside=ANYBODY),  # no provider is configured
    "office_callback": Route(PUBLIC, inside=ANYBODY),
    "invitation": Route(PUBLIC, address=lambda t: {"token": "x"}, ok=(410,)),
    "password_first": Route(P.SIGNED_IN, ok=(302,)),
    "mfa_index": Route(P.SIGNED_IN),
    "mfa_activate_totp": Route(P.SIGNED_IN, ok=(302,)),  # to the password first
    "mfa_deactivate_totp": Route(P.SIGNED_IN, inside=ANYBODY),
    "mfa_view_recovery_codes": Route(P.SIGNED_IN, inside=ANYBODY),
    "mfa_generate_recovery_codes": Route(P.SIGNED_IN, ok=(302,)),
    "mfa_add_webauthn": Route(P.SIGNED_IN, ok=(302,)),
    "mfa_remove_webauthn": Route(P.SIGNED_IN, address=lambda t: {"pk": 1}, ok=(302,)),
    "account_reauthenticate": Route(P.SIGNED_IN),
    "mfa_reauthenticate": Route(P.SIGNED_IN, ok=(302,)),
    "sessions_end": Route(P.SIGNED_IN, "post", ok=(302,)),
    "session_end": Route(P.SIGNED_IN, "post", lambda t: {"pk": t.grant.pk}, inside=ANYBODY),
    "factor_roles": Route(P.MANAGE),
    "account_invite": Route(P.MANAGE, "post", of_clerk, inside={"administrator"}, ok=(302,)),
    "factor_reset": Route(P.MANAGE, "post", of_clerk, inside={"administrator"}, ok=(302,)),
    "hand_over": Route(P.MANAGE, address=of_clerk, inside={"administrator"}),
    "person_account": Route(P.MANAGE, address=a_person, inside={"administrator"}),
    "account_person": Route(P.MANAGE, address=of_clerk, inside={"administrator"}),
    "logout": Route(PUBLIC, "post", ok=(302,)),
    "language": Route(PUBLIC, "post", ok=(302,)),
    "type_size": Route(PUBLIC, "post", ok=(302,)),
    "account": Route(P.SIGNED_IN),
    "places": Route(P.VIEW, ok=(200, 302)),
    "place": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "organisation_new": Route(P.KEEP, address=village, inside=CLERKS | {"administrator"}),
    "place_then": Route(P.VIEW, address=ended, inside={"county_clerk", "stranger"} | OVERSEERS),
    "place_take_back": Route(
        P.MANAGE, "post", lambda t: {"pk": t.people.ended.ended_by_id}, inside={"administrator"}, ok=(302,)
    ),
    "place_change": Route(P.MANAGE, address=lambda t: {**village(t), "kind": "rename"}, inside={"administrator"}),
    "place_outline": Route(P.KEEP, address=village, inside=CLERKS | {"administrator"}),
    "place_grids": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "place_new_grid": Route(P.KEEP, address=village, inside=HOME_KEEPERS),
    "place_new_building": Route(P.KEEP, address=village, inside=HOME_KEEPERS),
    "import_job": Route(P.KEEP, address=an_import, inside=HOME_KEEPERS),
    "import_refused": Route(P.KEEP, address=an_import, inside=HOME_KEEPERS),
    "map": Route(P.VIEW),
    "map_laps": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "map_outlines": Route(P.VIEW, address=lambda t: {**village(t), "level": 6}, inside=CLERKS | OVERSEERS | MEMBERS),
    "map_matters": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "map_heat": Route(P.VIEW, address=lambda t: {**village(t), "level": 6}, inside=CLERKS | OVERSEERS | MEMBERS),
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
    "organisation_matters": Route(P.VIEW, address=office, inside={"clerk", "county_clerk"} | OVERSEERS),
    "organisation_edit": Route(P.KEEP, address=office, inside=KEEPERS),
    "organisation_reopen": Route(P.KEEP, "post", office, inside=KEEPERS, ok=(302,)),
    "organisation_close": Route(P.KEEP, address=office, inside=KEEPERS),
    "member_new": Route(P.KEEP, address=lambda t: {"pk": t.world.branch.pk}, inside=HOME_KEEPERS),
    "person_member_new": Route(P.KEEP, address=a_person, inside=HOME_KEEPERS),
    "membership_end": Route(P.KEEP, address=lambda t: {"pk": t.people.member.pk}, inside=HOME_KEEPERS),
    "membership_undo": Route(P.KEEP, "post", lambda t: {"pk": t.people.member.pk}, inside=HOME_KEEPERS, ok=(302,)),
    "post_new": Route(P.KEEP, address=office, inside=KEEPERS),
    "post_edit": Route(P.KEEP, address=post, inside=KEEPERS),
    "post_close": Route(P.KEEP, "post", post, lambda t: {"on": "2026-01-01"}, KEEPERS, ok=(302,)),
    "post_appoint": Route(P.KEEP, address=post, inside=KEEPERS),
    "appointment_hand_over": Route(P.KEEP, address=held, inside=KEEPERS),
    "appointment_end": Route(P.KEEP, address=held, inside=KEEPERS),
    "appointment_reinstate": Route(P.KEEP, "post", held, inside=KEEPERS, ok=(302,)),
    "appointment_undo": Route(P.KEEP, "post", held, inside=KEEPERS, ok=(302,)),
    "tree": Route(P.VIEW),
    "tree_place": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "tree_body": Route(P.VIEW, address=office, inside={"clerk", "county_clerk"} | OVERSEERS),
    "bodies": Route(P.VIEW),
    "bodies_export": Route(P.VIEW),
    "coverage": Route(P.VIEW_PEOPLE),
    "coverage_rows": Route(P.VIEW_PEOPLE, address=lambda t: {"code": "cross-posts"}),
    "coverage_export": Route(P.VIEW_PEOPLE, address=lambda t: {"code": "small-branches"}),
    # People and honours.
    "people": Route(P.VIEW_PEOPLE),
    "person_new": Route(P.KEEP),
    "duplicates": Route(P.KEEP),
    "person": Route(P.VIEW_PEOPLE, address=a_person, inside=HOME_KEEPERS | {"observer"}),
    "person_edit": Route(P.KEEP, address=a_person, inside=HOME_KEEPERS),
    "person_numbers": Route(P.UNMASK, "post", a_person, lambda t: {"reason": "通知开会"}, CLERKS),
    "person_report": Route(P.KEEP, "post", a_person, inside=HOME_KEEPERS, ok=(422,)),
    "person_report_end": Route(P.KEEP, "post", a_person, inside=HOME_KEEPERS, ok=(302,)),
    "person_correct": Route(P.KEEP, "post", a_person, lambda t: {"note": "好"}, HOME_KEEPERS, ok=(422,)),
    "person_merge": Route(P.KEEP, "get", a_person, lambda t: {"into": str(t.people.double.pk)}, HOME_KEEPERS),
    "person_apart": Route(
        P.KEEP, "post", a_person, lambda t: {"other": str(t.people.double.pk)}, HOME_KEEPERS, ok=(302,)
    ),
    "apart_undo": Route(P.KEEP, "post", lambda t: {"pk": t.people.apart.pk}, inside=HOME_KEEPERS, ok=(302,)),
    "merge_undo": Route(P.KEEP, "post", lambda t: {"pk": t.people.merge.pk}, inside=HOME_KEEPERS, ok=(302,)),
    "me": Route(P.SIGNED_IN),
    "me_correct": Route(P.SIGNED_IN, "post", data=lambda t: {"note": "错了"}, ok=(302, 404)),
    "me_report": Route(P.SIGNED_IN, "post", ok=(404, 422)),
    "honours": Route(P.VIEW_PEOPLE),
    "honours_export": Route(P.VIEW_PEOPLE),
    "honour_new": Route(P.KEEP),
    "honour_withdraw": Route(P.KEEP, "post", lambda t: {"pk": t.people.honour.pk}, inside=HOME_KEEPERS, ok=(302,)),
    # Matters.
    "workbench": Route(P.SIGNED_IN),
    "work_mine": Route(P.HANDLE),
    "orders": Route(P.TAKE_ORDERS),
    "queue": Route(P.VIEW, data=lambda t: {"tab": "all"}),
    "intake": Route(P.INTAKE),
    "bulk": Route(P.TRIAGE, "post", data=ticked, ok=(200, 302)),
    "export": Route(P.VIEW, data=lambda t: {"tab": "all"}),
    "matter": Route(P.VIEW, address=handed, inside=READ_HANDED),
    "contact": Route(P.UNMASK, "post", handed, looking, inside=CLERKS | {"handler", "grid_worker"}),
    "attachment": Route(P.VIEW, address=handed_file, inside=READ_HANDED),
    "act": Route(
        P.VIEW,
        "post",
        lambda t: {**handed(t), "name": "progress"},
        lambda t: {"note": "好", "version": 99},
        READ_HANDED,
        ok=(409,),
    ),
    # Notices and venues.
    # Rosters.
    "rosters": Route(P.KEEP),
    "roster": Route(P.KEEP, address=a_roster, inside=KEEPERS),
    "roster_act": Route(P.KEEP, "post", lambda t: {**a_roster(t), "name": "cancel"}, inside=KEEPERS, ok=(302,)),
    "roster_errors": Route(P.KEEP, address=a_roster, inside=KEEPERS, ok=(302,)),
    "roster_changes": Route(P.KEEP, address=a_roster, inside=KEEPERS),
    "roster_empty": Route(P.KEEP, address=lambda t: {"kind": "members"}),
    "roster_export": Route(P.KEEP, data=lambda t: {"kind": "members", "place": t.world.township.code}, inside=KEEPERS),
    "notices": Route(P.KEEP),
    "notice_print_new": Route(
        P.KEEP, "post", data=lambda t: {"place": t.world.village.code}, inside=HOME_KEEPERS, ok=(302,)
    ),
    "notice_print": Route(P.KEEP, address=lambda t: {"pk": t.rooms.made.pk}, inside=HOME_KEEPERS),
    "notice_print_file": Route(P.KEEP, address=lambda t: {"pk": t.rooms.made.pk}, inside=ANYBODY),
    "notice_phones": Route(P.KEEP, address=village, inside=HOME_KEEPERS),
    "body_notice_phones": Route(P.KEEP, address=lambda t: {"pk": t.world.branch.pk}, inside=HOME_KEEPERS),
    "notice_texts": Route(P.MANAGE),
    "zones": Route(P.MANAGE),
    "venues_manage": Route(P.KEEP),
    "venue_new": Route(P.KEEP),
    "venues_of_place": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "venue_edit": Route(P.KEEP, address=hall, inside=HOME_KEEPERS),
    "venue_hours": Route(P.KEEP, "post", hall, inside=HOME_KEEPERS, ok=(302,)),
    "venue_day": Route(P.KEEP, "post", hall, inside=HOME_KEEPERS, ok=(422,)),
    "venue_close": Route(P.KEEP, "post", hall, inside=HOME_KEEPERS, ok=(302,)),
    "venue_book": Route(P.KEEP, address=hall, inside=HOME_KEEPERS),
    "venues_reach_top": Route(P.VIEW, ok=(302,)),
    "venues_reach": Route(P.VIEW, address=village, inside=CLERKS | OVERSEERS | MEMBERS),
    "bookings": Route(P.SIGNED_IN),
    "booking": Route(P.SIGNED_IN, address=asked, inside=CLERKS | OVERSEERS),
    "booking_contact": Route(P.UNMASK, "post", asked, looking, inside=HOME_KEEPERS),
    "booking_act": Route(
        P.SIGNED_IN, "post", lambda t: {**asked(t), "name": "confirm"}, inside=CLERKS | OVERSEERS, ok=(409,)
    ),
    "settings": Route(P.MANAGE),
    "dictionary_row": Route(
        P.MANAGE, address=lambda t: {"kind": "category", "code": "only_here"}, inside={"administrator"}
    ),
}


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
        "people": list(Person.objects.order_by("pk").values("pk", "version", "name")),
        "memberships": Membership.objects.count(),
        "honours": list(Honour.objects.order_by("pk").values()),
        "apart": PersonsApart.objects.count(),
        "merges": list(PersonMerge.objects.order_by("pk").values()),
        "bodies": list(Organisation.objects.order_by("pk").values()),
        "appointments": list(Appointment.objects.order_by("pk").values()),
        "venues": list(Venue.objects.order_by("pk").values()),
        "hours": OpeningHours.objects.count(),
        "bookings": list(Booking.objects.order_by("pk").values()),
    }
