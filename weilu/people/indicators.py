"""What may be counted of people, their memberships, posts and honours."""

import datetime as dt
from collections.abc import Callable

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.orgs.countryside import in_villages
from weilu.orgs.models import Level, Organisation
from weilu.people.models import Appointment, Honour, Membership, Person

Kind, Body = Membership.Kind, Organisation.Kind
ROW = ((_("name"), "person"), (_("organisation"), "organisation"), (_("since"), "valid_from"))
WAYS = (Breakdown("organisation", _("organisation"), "organisation__name"),)
EVERY = Q()
OF_THE_PARTY = [Kind.MEMBER, Kind.SECRETARY]
NEVER = dt.date(9999, 12, 31)


def _visible(rows, user):
    return rows.filter(person__in=Person.objects.visible_to(user))


def _stock(
    code: str, kinds: list[Membership.Kind], name, scope, mechanism: str = "A4", figures: tuple[str, ...] = (), *,
    version: int = 1, which: Q = EVERY,
) -> Indicator:  # fmt: skip
    """Different people who are members of one of some kinds on a day."""
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=_("people"),
        mechanism=mechanism,
        version=version,
        figures=figures,
        rows=lambda: Membership.objects.filter(which, kind__in=kinds),
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


# People in posts.


def _overlaps(row: QuerySet) -> QuerySet:
    """Only rows that hold on some of the days of the outer appointment."""
    until = Coalesce(OuterRef("valid_to"), Value(NEVER))
    lasting = Q(valid_to=None) | Q(valid_to__gt=OuterRef("valid_from"))
    return row.filter(lasting, jurisdiction=OuterRef("jurisdiction"), valid_from__lt=until)


def _of_the_party(person: str = "person") -> Exists:
    """The condition that somebody belongs to the Party while the outer appointment lasts."""
    kinds = [*OF_THE_PARTY, Kind.REPORTED]
    return Exists(_overlaps(Membership.objects.filter(person=OuterRef(person), kind__in=kinds)))


def _led_by_members(kind: Organisation.Kind) -> QuerySet:
    """Appointments of Party members to posts that lead a body of ``kind``."""
    rows = Appointment.objects.filter(_of_the_party(), post__leads=True, post__organisation__kind=kind)
    return rows.annotate(body=F("post__organisation__name"))


def _red_firms() -> QuerySet:
    """Those who lead property firms and are members, where others of the firm, who do not lead it, are members too."""
    of_the_party = Membership.objects.filter(kind__in=[*OF_THE_PARTY, Kind.REPORTED])
    member = Exists(of_the_party.filter(person=OuterRef("person"), jurisdiction=OuterRef("jurisdiction")))
    same = OuterRef("post__organisation")
    posts = Appointment.objects.filter(member, post__organisation=same, post__leads=False)
    staff = Membership.objects.filter(member, organisation=same, kind=Kind.STAFF)
    served = [Exists(_overlaps(rows.exclude(person=OuterRef("person")))) for rows in (posts, staff)]
    return _led_by_members(Body.PROPERTY_FIRM).filter(served[0] | served[1])


def _in_villages() -> QuerySet:
    """Posts of villages: in the villagers' committee, and in Party branch or committee of the village itself."""
    rows = Appointment.objects.filter(
        in_villages("post__organisation__place__path"),
        post__organisation__place__level=Level.VILLAGE,
        post__organisation__kind__in=[Body.COMMUNITY, Body.BRANCH, Body.PARTY_COMMITTEE],
    ).exclude(post__organisation__parent__kind__in=[Body.ENTERPRISE, Body.CO_BUILDER, Body.DEPARTMENT])
    return rows.annotate(body=F("post__organisation__name"))


def _in_posts(
    code: str, rows: Callable[[], QuerySet], name, scope, unit, mechanism: str, figures: tuple[str, ...], *,
    value: str = "post__organisation", people: bool = False,
) -> Indicator:  # fmt: skip
    """Different bodies, or people, behind the appointments that hold on a day."""
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=unit,
        mechanism=mechanism,
        figures=figures,
        rows=rows,
        visible=_visible,
        measure=Measure.PEOPLE,
        value=value,
        since="valid_from",
        until="valid_to",
        place="post__organisation__place__path",
        breakdowns=(
            Breakdown("post", _("post"), "post__title"),
            Breakdown("organisation", _("organisation"), "post__organisation__name"),
        ),
        columns=((_("body"), "body"), (_("post"), "post"), (_("name"), "person"), (_("since"), "valid_from")),
        people=people,
    )


# Honours.


def _honours_visible(rows, user):
    return rows.visible_to(user)


def _honours(code: str, which: Q, name, scope, figures: tuple[str, ...] = ()) -> Indicator:
    """Honours of which ``which`` holds, by the day on which they were given."""
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=_("honours"),
        mechanism="A6",
        figures=figures,
        rows=lambda: Honour.objects.filter(which, withdrawn_on=None),
        visible=_honours_visible,
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
    )


OF_A_PERSON, OF_A_BODY = Q(person__isnull=False), Q(organisation__isnull=False)
FIRST_CLASS = Q(title__contains="一等功")

INDICATORS = [
    _stock(
        "people.members",
        OF_THE_PARTY,
        _("Party members"),
        _(
            "Different people who are members or secretaries of a branch that stands in the place, on the last day of "
            "the period."
        ),
        version=2,
    ),
    _stock(
        "people.rural_members",
        OF_THE_PARTY,
        _("Party members of villages"),
        _(
            "Different people who are members or secretaries of a branch that stands in a village, on the last day of "
            "the period; branches of communities, townships and departments do not count."
        ),
        figures=("F42",),
        which=in_villages("organisation__place__path"),
    ),
    _stock(
        "people.reported",
        [Kind.REPORTED],
        _("Employed members reported to their estate"),
        _("Different employed members who have reported to their home estate's branch, on the last day of the period."),
        "B2",
        ("F14",),
    ),
    _stock(
        "people.grid_workers",
        [Kind.GRID_WORKER],
        _("Grid workers"),
        _("Different people who work as grid workers on the last day of the period."),
        figures=("F08",),
    ),
    _stock(
        "people.community_workers",
        [Kind.COMMUNITY_WORKER],
        _("Community workers"),
        _("Different people who work as community workers on the last day of the period."),
        figures=("F09",),
    ),
    _stock(
        "people.volunteers",
        [Kind.VOLUNTEER],
        _("Volunteers"),
        _("Different people who belong to a volunteer team on the last day of the period."),
        "A3",
    ),
    _in_posts(
        "people.village_cadres",
        _in_villages,
        _("Cadres of the two committees of villages"),
        _(
            "Different people who on the last day of the period hold a post in the committee of a village or in its "
            "Party branch or committee; who sits in both counts once, communities do not count."
        ),
        _("people"),
        "A4",
        ("F41",),
        value="person",
        people=True,
    ),
    _in_posts(
        "bodies.red_owners_committees",
        lambda: _led_by_members(Body.OWNERS_COMMITTEE),
        _("Owners' committees led by Party members"),
        _(
            "Owners' committees whose leading post is held on the last day of the period by somebody with a membership "
            "in the Party."
        ),
        _("bodies"),
        "A3",
        ("F11",),
    ),
    _in_posts(
        "bodies.red_property_firms",
        _red_firms,
        _("Property firms with Party members in both teams"),
        _(
            "Property firms that a Party member leads on the last day of the period (management team) and where "
            "another Party member holds a post that does not lead it or is staff (service team); one of both is "
            "not enough."
        ),
        _("firms"),
        "A3",
        ("F12",),
    ),
    _honours(
        "honours.given",
        Q(),
        _("Honours"),
        _("Honours given to people and bodies in the period and not withdrawn since."),
    ),
    _honours(
        "honours.satisfied",
        OF_A_PERSON & Q(title__contains="人民满意的公务员"),
        _("Civil servants that the people are satisfied with"),
        _(
            "Honours with the title 人民满意的公务员 given to people in the period and not withdrawn since; those of "
            "bodies do not count."
        ),
        figures=("F91",),
    ),
    _honours(
        "honours.first_class",
        OF_A_PERSON & FIRST_CLASS,
        _("First-class merits of people"),
        _("Honours with 一等功 in their title given to people in the period and not withdrawn since."),
        figures=("F92",),
    ),
    _honours(
        "honours.first_class_bodies",
        OF_A_BODY & FIRST_CLASS,
        _("First-class merits of bodies"),
        _("Honours with 一等功 in their title given to bodies in the period and not withdrawn since."),
        figures=("F93",),
    ),
]  # fmt: skip
