"""What may be counted of places, organisations and accounts."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.orgs.countryside import in_communities
from weilu.orgs.models import Grant, Level, Organisation, Place
from weilu.orgs.roles import Permission, Role
from weilu.orgs.scope import organisations_in_scope, places_in_scope

Kind = Organisation.Kind
EVERY = Q()
ROW = ((_("body"), "name"), (_("place"), "place"), (_("since"), "valid_from"))
# What one estate's own teams do (source 002): general, legal, culture and education, medical.
PROFESSIONS = r"综合|法律|法治|文教|文化|教育|医疗|卫生"


def _visible(rows, user):
    return rows.filter(organisations_in_scope(user, Permission.VIEW))


def _bodies(
    code: str, kinds: list[Kind], name, scope, unit, mechanism: str, figures: tuple[str, ...] = (), which: Q = EVERY
) -> Indicator:
    """Bodies of some kinds, perhaps only those of which ``which`` holds, that there are on a day."""
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=unit,
        mechanism=mechanism,
        figures=figures,
        rows=lambda: Organisation.objects.filter(which, kind__in=kinds),
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


def _grids(code: str, name, scope, figures: tuple[str, ...], which: Q = EVERY) -> Indicator:
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=_("grids"),
        mechanism="A1",
        figures=figures,
        rows=lambda: Place.objects.filter(which, level=Level.GRID),
        visible=lambda rows, user: rows.filter(places_in_scope(user, Permission.VIEW)),
        opens="view",
        since="valid_from",
        until="valid_to",
        place="path",
        columns=((_("code"), "code"), (_("place"), "name"), (_("below"), "parent")),
    )


BODY, TEAM, FIRM = _("bodies"), _("teams"), _("firms")
OF_AN_ESTATE = ~Q(serves="")
ON_GRID = Q(place__level=Level.GRID)

INDICATORS = [
    _grids("places.grids", _("Grids"), _("Grids that there are on the last day of the period."), ("F04",)),
    _grids(
        "places.community_grids",
        _("Grids of communities"),
        _("Grids of communities that there are on the last day of the period; those of villages do not count."),
        ("F19",),
        in_communities(),
    ),
    _bodies(
        "bodies.branches",
        [Kind.BRANCH],
        _("Party branches"),
        _("Party branches of estates, grids, villages and units that there are on the last day of the period."),
        BODY,
        "A2",
    ),
    _bodies(
        "bodies.grid_branches",
        [Kind.BRANCH],
        _("Party branches on grids and estates"),
        _(
            "Party branches that stand on a grid or serve a housing estate on the last day of the period; those of "
            "villages, units and firms do not count."
        ),
        BODY,
        "A2",
        ("F05",),
        ON_GRID | OF_AN_ESTATE,
    ),
    _bodies(
        "bodies.estate_organisations",
        [Kind.PARTY_COMMITTEE, Kind.BRANCH],
        _("Party organisations of estates"),
        _(
            "Party committees and branches that serve a housing estate on the last day of the period; those of grids "
            "without an estate, villages and units do not count."
        ),
        BODY,
        "A2",
        ("F10",),
        OF_AN_ESTATE,
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
        ("F20",),
    ),
    _bodies(
        "bodies.youth_teams",
        [Kind.VOLUNTEERS],
        _("Volunteer teams of young people"),
        _(
            "Volunteer teams whose name or speciality says that they are of young people (青年), on the last day of "
            "the period."
        ),
        TEAM,
        "A3",
        ("F07",),
        Q(name__contains="青年") | Q(speciality__contains="青年"),
    ),
    _bodies(
        "bodies.professional_teams",
        [Kind.VOLUNTEERS],
        _("Professional volunteer teams of estates"),
        _(
            "Volunteer teams of a housing estate with one of four specialities: general, legal, culture and education, "
            "medical; on the last day of the period. Teams of no estate or of another speciality do not count."
        ),
        TEAM,
        "A3",
        ("F16",),
        OF_AN_ESTATE & Q(speciality__regex=PROFESSIONS),
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
