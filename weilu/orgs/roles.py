"""Roles and what each may do. A grant gives a role at a place or in an organisation, for a time."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Permission(models.TextChoices):
    """What a route or a move may ask for."""

    SIGNED_IN = "signed_in", _("be signed in")
    VIEW = "view", _("see the work of one's scope")
    INTAKE = "intake", _("record a matter for a resident")
    TRIAGE = "triage", _("dispatch, transfer, decline and merge matters")
    HANDLE = "handle", _("work on a matter and settle it")
    TAKE_ORDERS = "take_orders", _("take an order")
    UNMASK = "unmask", _("see a resident's contact in full")
    VIEW_PEOPLE = "view_people", _("see the people of one's scope")
    KEEP = "keep", _("keep the bodies, posts and rosters of one's scope")
    MANAGE = "manage", _("manage accounts and settings")


class Role(models.TextChoices):
    """The roles of people with an account; a resident needs none."""

    MEMBER = "member", _("Party member or volunteer")
    GRID_WORKER = "grid_worker", _("Grid worker")
    VILLAGE_CLERK = "village_clerk", _("Village or estate clerk")
    TOWNSHIP_CLERK = "township_clerk", _("Township clerk")
    COUNTY_CLERK = "county_clerk", _("County dispatcher")
    COUNTY_DEPARTMENT = "county_department", _("County department")
    OBSERVER = "observer", _("Observer")
    ADMINISTRATOR = "administrator", _("Administrator")


P = Permission
_CLERK = {P.SIGNED_IN, P.VIEW, P.INTAKE, P.TRIAGE, P.HANDLE, P.UNMASK, P.VIEW_PEOPLE, P.KEEP}

PERMISSIONS: dict[str, set[Permission]] = {
    Role.MEMBER: {P.SIGNED_IN, P.VIEW, P.TAKE_ORDERS, P.HANDLE},
    Role.GRID_WORKER: {P.SIGNED_IN, P.VIEW, P.INTAKE, P.HANDLE, P.UNMASK},
    Role.VILLAGE_CLERK: _CLERK,
    Role.TOWNSHIP_CLERK: _CLERK,
    Role.COUNTY_CLERK: _CLERK,
    Role.COUNTY_DEPARTMENT: {P.SIGNED_IN, P.VIEW, P.HANDLE, P.UNMASK},
    Role.OBSERVER: {P.SIGNED_IN, P.VIEW, P.VIEW_PEOPLE},
    Role.ADMINISTRATOR: {P.SIGNED_IN, P.VIEW, P.VIEW_PEOPLE, P.KEEP, P.MANAGE},
}

# These roles see the work that is handed to their organisation; the others all the work of their place.
ORGANISATION_ROLES = {Role.MEMBER, Role.COUNTY_DEPARTMENT}
