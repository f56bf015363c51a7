"""Accounts of the invented city: a few to sign in with, and one for everybody who is on a roster of those who act."""

from collections.abc import Iterator
from itertools import islice

from django.db import connection

from weilu.demo.accounts import PASSWORD
from weilu.demo.published.bodies import BUREAUS
from weilu.demo.published.plan import CITY, COUNTY, Plan
from weilu.lib.copying import copy_rows
from weilu.lib.writes import rewritten
from weilu.orgs.accounts import make_account
from weilu.orgs.models import Grant, Jurisdiction, Organisation, User
from weilu.orgs.roles import Role
from weilu.people.models import Membership, Person

Kind = Membership.Kind
BATCH = 5_000
ROLES = {
    Kind.REPORTED: Role.MEMBER,
    Kind.COMMUNITY_WORKER: Role.VILLAGE_CLERK,
    Kind.GRID_WORKER: Role.GRID_WORKER,
    Kind.VOLUNTEER: Role.MEMBER,
}
LETTERS = {Kind.REPORTED: "m", Kind.COMMUNITY_WORKER: "c", Kind.GRID_WORKER: "g", Kind.VOLUNTEER: "v"}
LINK = """
UPDATE people_person p SET user_id = found.account
FROM unnest(%s::uuid[], %s::uuid[]) AS found (person, account) WHERE p.id = found.person
"""
# Account, name, role, code of the place: those that a reader may sign in with, and who acts for the county.
SHOWN = (
    ("figures-city", "全市观察员", Role.OBSERVER, CITY),
    ("figures-admin", "全市管理员", Role.ADMINISTRATOR, CITY),
    ("figures-county", "全县观察员", Role.OBSERVER, COUNTY),
    ("figures-desk", "县级受理员", Role.COUNTY_CLERK, COUNTY),
)
STAFF = len(SHOWN) + 1 + len(BUREAUS)


def accounts(scale: int) -> list[tuple[str, str, str]]:
    """Return role, account and password of those that are shown."""
    plan = Plan(scale)
    found = [(f"{name} {place}", username, PASSWORD) for username, name, _role, place in SHOWN]
    return [*found, (f"社区经办 {plan.one.code}", "figures-community", PASSWORD)]


def make_staff(plan: Plan) -> None:
    """Make the accounts that are shown, and those of the county's bureaus, which nobody signs in with."""
    for username, name, role, place in SHOWN:
        make_account(username, name, PASSWORD, role=role, place_code=place)
    make_account("figures-community", "社区经办", PASSWORD, role=Role.VILLAGE_CLERK, place_code=plan.one.code)
    for number, body in enumerate(
        Organisation.objects.filter(name__in=BUREAUS).select_related("jurisdiction", "place")
    ):
        user = User(username=f"figures-bureau-{number}", name=f"{body.name}经办")
        user.set_unusable_password()
        user.save()
        Grant.objects.create(
            user=user, jurisdiction=body.jurisdiction, role=Role.COUNTY_DEPARTMENT, place=body.place, organisation=body
        )  # fmt: skip


def volunteers(plan: Plan) -> int:
    """Return how many volunteers make the number of registered users full."""
    others = plan.numbers["F14"] + plan.numbers["F09"] + sum(each.grid_workers for each in plan.communities)
    return plan.numbers["F24"] - others - STAFF


def make_accounts(jurisdiction: Jurisdiction) -> None:
    """Give everybody on the rosters of a district an account without a password, as an invitation does."""
    for kind in ROLES:
        people = _members(jurisdiction, kind)
        while rows := list(islice(people, BATCH)):
            users = [_user(jurisdiction, kind, number) for number, _row in rows]
            for user, (_number, row) in zip(users, rows, strict=True):
                user.name = row.person.name
            copy_rows(User, users)
            copy_rows(Grant, (_grant(user, kind, row) for user, (_number, row) in zip(users, rows, strict=True)))
            rewritten([Person], jurisdiction.pk)
            with connection.cursor() as cursor:
                cursor.execute(LINK, [[row.person_id for _number, row in rows], [user.pk for user in users]])


def _members(jurisdiction: Jurisdiction, kind: Membership.Kind) -> Iterator[tuple[int, Membership]]:
    rows = Membership.objects.filter(kind=kind, organisation__jurisdiction=jurisdiction)
    rows = rows.select_related("person", "organisation").order_by("organisation__name", "pk")
    return enumerate(rows.iterator(BATCH), start=1)


def _user(jurisdiction: Jurisdiction, kind: Membership.Kind, number: int) -> User:
    user = User(username=f"{jurisdiction.place.code}{LETTERS[kind]}{number:05d}")
    user.set_unusable_password()
    return user


def _grant(user: User, kind: Membership.Kind, row: Membership) -> Grant:
    body = row.organisation
    grid = row.place_id if kind == Kind.GRID_WORKER else None
    return Grant(
        user=user, jurisdiction_id=body.jurisdiction_id, role=ROLES[kind], place_id=grid or body.place_id,
        organisation=body if ROLES[kind] == Role.MEMBER else None,
    )  # fmt: skip
