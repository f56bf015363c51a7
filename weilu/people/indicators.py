"""What may be counted of people, their memberships and honours."""

from django.utils.translation import gettext_lazy as _

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.people.models import Honour, Membership, Person

Kind = Membership.Kind
ROW = ((_("name"), "person"), (_("organisation"), "organisation"), (_("since"), "valid_from"))
WAYS = (Breakdown("organisation", _("organisation"), "organisation__name"),)


def _visible(rows, user):
    return rows.filter(person__in=Person.objects.visible_to(user))


def _stock(code: str, kind: Kind, name, scope, mechanism: str = "A4", figures: tuple[str, ...] = ()) -> Indicator:
    """Different people who are members of a kind on a day."""
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=_("people"),
        mechanism=mechanism,
        figures=figures,
        rows=lambda: Membership.objects.filter(kind=kind),
        visible=_visible,
        measure=Measure.PEOPLE,
        value="person",
        since="valid_from",
        until="valid_to",
        place="organisation__place__path",
        breakdowns=WAYS,
        columns=ROW,
        people=True,
    )


INDICATORS = [
    _stock(
        "people.members",
        Kind.MEMBER,
        _("Party members"),
        _("Different people who are members of a branch that stands in the place, on the last day of the period."),
    ),
    _stock(
        "people.reported",
        Kind.REPORTED,
        _("Employed members reported to their estate"),
        _("Different employed members who have reported to their home estate's branch, on the last day of the period."),
        "B2",
        ("F14",),
    ),
    _stock(
        "people.grid_workers",
        Kind.GRID_WORKER,
        _("Grid workers"),
        _("Different people who work as grid workers on the last day of the period."),
        figures=("F08",),
    ),
    _stock(
        "people.community_workers",
        Kind.COMMUNITY_WORKER,
        _("Community workers"),
        _("Different people who work as community workers on the last day of the period."),
        figures=("F09",),
    ),
    _stock(
        "people.volunteers",
        Kind.VOLUNTEER,
        _("Volunteers"),
        _("Different people who belong to a volunteer team on the last day of the period."),
        "A3",
    ),
    Indicator(
        code="honours.given",
        name=_("Honours"),
        scope=_("Honours given to people and bodies in the period and not withdrawn since."),
        unit=_("honours"),
        mechanism="A6",
        figures=("F91", "F92", "F93"),
        rows=lambda: Honour.objects.filter(withdrawn_on=None),
        visible=lambda rows, user: rows,
        open_to_all=True,
        at="awarded_on",
        place="jurisdiction__place__path",
        breakdowns=(
            Breakdown("title", _("honour"), "title"),
            Breakdown("level", _("level"), "level", choices=lambda: dict(Honour.Level.choices)),
        ),
        columns=(
            (_("honour"), "title"),
            (_("person"), "person"),
            (_("body"), "organisation"),
            (_("given on"), "awarded_on"),
        ),
    ),
]
