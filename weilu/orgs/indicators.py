"""What may be counted of places, organisations and accounts."""

from django.utils.translation import gettext_lazy as _

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.orgs.models import Grant, Level, Organisation, Place
from weilu.orgs.roles import Permission, Role
from weilu.orgs.scope import organisations_in_scope, places_in_scope

Kind = Organisation.Kind
ROW = ((_("body"), "name"), (_("place"), "place"), (_("since"), "valid_from"))


def _visible(rows, user):
    return rows.filter(organisations_in_scope(user, Permission.VIEW))


def _bodies(
    code: str, kinds: list[Kind], name, scope, unit, mechanism: str, figures: tuple[str, ...] = ()
) -> Indicator:
    """Bodies of some kinds that there are on a day."""
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=unit,
        mechanism=mechanism,
        figures=figures,
        rows=lambda: Organisation.objects.filter(kind__in=kinds),
        visible=_visible,
        opens="view",
        since="valid_from",
        until="valid_to",
        place="place__path",
        breakdowns=(
            Breakdown("kind", _("kind"), "kind", choices=lambda: dict(Kind.choices)),
            Breakdown("speciality", _("speciality"), "speciality"),
        ),
        columns=ROW,
    )


BODY, TEAM, FIRM = _("bodies"), _("teams"), _("firms")

INDICATORS = [
    Indicator(
        code="places.grids",
        name=_("Grids"),
        scope=_("Grids that there are on the last day of the period."),
        unit=_("grids"),
        mechanism="A1",
        figures=("F04", "F19"),
        rows=lambda: Place.objects.filter(level=Level.GRID),
        visible=lambda rows, user: rows.filter(places_in_scope(user, Permission.VIEW)),
        opens="view",
        since="valid_from",
        until="valid_to",
        place="path",
        columns=((_("code"), "code"), (_("place"), "name"), (_("below"), "parent")),
    ),
    _bodies(
        "bodies.branches",
        [Kind.BRANCH],
        _("Party branches"),
        _("Party branches of estates, grids, villages and units that there are on the last day of the period."),
        BODY,
        "A2",
        ("F05", "F10"),
    ),
    _bodies(
        "bodies.party_groups",
        [Kind.PARTY_GROUP],
        _("Party groups of buildings"),
        _("Party groups that there are on the last day of the period."),
        BODY,
        "A2",
        ("F06",),
    ),
    _bodies(
        "bodies.volunteer_teams",
        [Kind.VOLUNTEERS],
        _("Volunteer teams"),
        _("Volunteer teams that there are on the last day of the period; by speciality on request."),
        TEAM,
        "A3",
        ("F07", "F16", "F20"),
    ),
    _bodies(
        "bodies.owners_committees",
        [Kind.OWNERS_COMMITTEE],
        _("Owners' committees"),
        _("Owners' committees that there are on the last day of the period, whoever leads them."),
        BODY,
        "A3",
    ),
    _bodies(
        "bodies.property_firms",
        [Kind.PROPERTY_FIRM],
        _("Property firms"),
        _("Property firms that there are on the last day of the period, with Party members in them or not."),
        FIRM,
        "A3",
    ),
    Indicator(
        code="accounts.registered",
        name=_("Registered users"),
        scope=_("Different accounts with a role in the place on the last day of the period."),
        unit=_("people"),
        mechanism="B1",
        figures=("F24",),
        rows=Grant.objects.all,
        visible=lambda rows, user: rows.filter(
            place__in=Place.objects.filter(places_in_scope(user, Permission.MANAGE))
        ),
        opens="manage",
        measure=Measure.PEOPLE,
        value="user",
        since="valid_from",
        until="valid_to",
        place="place__path",
        breakdowns=(Breakdown("role", _("role"), "role", choices=lambda: dict(Role.choices)),),
        columns=((_("account"), "user"), (_("role"), "role"), (_("place"), "place"), (_("since"), "valid_from")),
        people=True,
    ),
]
