"""What may be counted of residents' matters."""

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.matters.models import Channel, Matter, Module
from weilu.matters.workflow import DONE, OPEN, State
from weilu.orgs.models import Organisation
from weilu.people.models import Membership

ROW = (
    (_("number"), "number"),
    (_("in one line"), "subject"),
    (_("received"), "created_at"),
    (_("settled"), "settled_at"),
    (_("village or community"), "village"),
    (_("category"), "category"),
)
TAKEN = (*ROW[:2], (_("taken by"), "taken_by"), *ROW[3:])
WAYS = (
    Breakdown("category", _("category"), "category__name"),
    Breakdown("module", _("kind of matter"), "module__name"),
    Breakdown("channel", _("channel"), "channel", choices=lambda: dict(Channel.choices)),
)
TAKEN_ON = ~Q(state__in=[State.MERGED, State.DECLINED])


def _visible(rows, user):
    return rows.visible_to(user)


def _settled():
    return Matter.objects.filter(state__in=sorted(DONE))


def _on_platform():
    return _settled().filter(channel__in=[Channel.WEB, Channel.QR, Channel.HOTLINE])


def _difficult():
    above = [Organisation.Kind.OFFICE, Organisation.Kind.DEPARTMENT]
    return _settled().filter(village__isnull=False, handler__kind__in=above)


def _by_reported():
    """Orders that were settled by somebody who, that day, had reported to the branch of their home estate."""
    reported = Membership.objects.filter(
        jurisdiction=OuterRef("jurisdiction"), person__user=OuterRef("taken_by"), kind=Membership.Kind.REPORTED
    )
    day = OuterRef("settled_at__date")
    holding = reported.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)
    return _settled().filter(Exists(holding), taken_by__isnull=False)


def _late():
    return Matter.objects.filter(state__in=sorted(OPEN), due_at__lt=timezone.now())


INDICATORS = [
    Indicator(
        code="matters.raised",
        name=_("Matters raised"),
        scope=_("All matters by the day they were received, on whatever way; duplicates and those not taken on count."),
        unit=_("matters"),
        mechanism="B1",
        rows=Matter.objects.all,
        visible=_visible,
        opens="view",
        at="created_at",
        breakdowns=WAYS,
        columns=ROW,
    ),
    Indicator(
        code="matters.settled",
        name=_("Matters settled"),
        scope=_(
            "Matters by the day they were settled, rated or not. One that was reopened counts once it is settled again."
        ),
        unit=_("matters"),
        mechanism="B3",
        rows=_settled,
        visible=_visible,
        opens="view",
        at="settled_at",
        breakdowns=WAYS,
        columns=ROW,
    ),
    Indicator(
        code="matters.on_platform",
        name=_("Matters settled on the platform"),
        scope=_(
            "Matters that came in by web page, QR code or hotline, by the day they were settled; those noted on visits "
            "or imported from another system do not count."
        ),
        unit=_("matters"),
        mechanism="B3",
        figures=("F25",),
        rows=_on_platform,
        visible=_visible,
        at="settled_at",
        breakdowns=WAYS,
        columns=ROW,
    ),
    Indicator(
        code="matters.difficult",
        name=_("Difficult problems of villages and communities settled"),
        scope=_(
            "Matters of villages and communities that a township office or a county department settled in the period: "
            "those that were settled on the spot, by a grid or by members do not count."
        ),
        unit=_("matters"),
        mechanism="B3",
        figures=("F55",),
        rows=_difficult,
        visible=_visible,
        at="settled_at",
        breakdowns=(*WAYS, Breakdown("handler", _("handled by"), "handler__name")),
        columns=(*ROW, (_("handled by"), "handler")),
    ),
    Indicator(
        code="matters.unsettled",
        name=_("Matters not settled"),
        scope=_(
            "Matters received and not settled by the end of the period, by what is known of them today: duplicates and "
            "those not taken on never count, and one that was reopened counts as if it had not been settled before."
        ),
        unit=_("matters"),
        mechanism="B3",
        rows=lambda: Matter.objects.filter(TAKEN_ON),
        visible=_visible,
        opens="view",
        since="created_at",
        until="settled_at",
        breakdowns=WAYS,
        columns=ROW,
    ),
    Indicator(
        code="matters.late",
        name=_("Open matters that are late"),
        scope=_(
            "Matters that are open now and whose working-day limit was over by the end of the period; "
            "those whose clock stands do not count."
        ),
        unit=_("matters"),
        mechanism="B3",
        rows=_late,
        by_now=True,
        visible=_visible,
        since="due_at",
        breakdowns=WAYS,
        columns=(*ROW[:3], (_("due"), "due_at"), *ROW[4:]),
    ),
    Indicator(
        code="matters.in_time",
        name=_("Settled in time"),
        scope=_(
            "Share of the matters settled in the period whose working-day limit was not over when they were settled."
        ),
        unit="%",
        mechanism="B3",
        rows=_settled,
        visible=_visible,
        opens="view",
        measure=Measure.SHARE,
        part=Q(settled_late=False),
        part_names=(_("in time"), _("late")),
        at="settled_at",
        breakdowns=WAYS,
        columns=ROW,
    ),
    Indicator(
        code="matters.satisfied",
        name=_("Satisfied residents"),
        scope=_(
            "Share of four and five stars among the matters settled in the period that were rated; others do not count."
        ),
        unit="%",
        mechanism="B3",
        rows=lambda: Matter.objects.filter(state=State.RATED),
        visible=_visible,
        opens="view",
        measure=Measure.SHARE,
        part=Q(rating__gte=4),
        part_names=(_("four and five stars"), _("up to three stars")),
        at="settled_at",
        breakdowns=WAYS,
        columns=(*ROW, (_("rating"), "rating")),
    ),
    Indicator(
        code="matters.rated",
        name=_("Rated by residents"),
        scope=_("Share of rated matters among those settled in the period whose time to rate is over or used."),
        unit="%",
        mechanism="B3",
        rows=lambda: Matter.objects.filter(state__in=[State.RATED, State.UNRATED]),
        visible=_visible,
        opens="view",
        measure=Measure.SHARE,
        part=Q(state=State.RATED),
        part_names=(_("rated"), _("not rated")),
        at="settled_at",
        breakdowns=WAYS,
        columns=(*ROW, (_("rating"), "rating")),
    ),
    Indicator(
        code="matters.days",
        name=_("Days to settle"),
        scope=_("Average time from receiving to settling of the matters settled in the period, in calendar days."),
        unit=_("days"),
        mechanism="B3",
        rows=_settled,
        visible=_visible,
        opens="view",
        measure=Measure.RATIO,
        value=F("settled_at") - F("created_at"),
        at="settled_at",
        breakdowns=WAYS,
        columns=ROW,
    ),
    Indicator(
        code="orders.services",
        name=_("Orders taken and settled by members"),
        scope=_(
            "Matters settled in the period that a member or volunteer had taken as an order: one matter, one service."
        ),
        unit=_("person-times"),
        mechanism="B2",
        rows=lambda: _settled().filter(taken_by__isnull=False),
        visible=_visible,
        opens="view",
        at="settled_at",
        breakdowns=WAYS,
        columns=TAKEN,
        people=True,
    ),
    Indicator(
        code="orders.reported_services",
        name=_("Services of employed members"),
        scope=_(
            "Orders settled in the period by employed members who had reported to their home estate by that day, in "
            "person-times: one order, one service. Volunteers and other members do not count."
        ),
        unit=_("person-times"),
        mechanism="B2",
        figures=("F15",),
        rows=_by_reported,
        visible=_visible,
        opens="view",
        at="settled_at",
        breakdowns=WAYS,
        columns=TAKEN,
        people=True,
    ),
    Indicator(
        code="orders.members",
        name=_("Members who settled orders"),
        scope=_("Different members and volunteers who settled at least one order in the period."),
        unit=_("people"),
        mechanism="B2",
        rows=lambda: _settled().filter(taken_by__isnull=False),
        visible=_visible,
        opens="view",
        measure=Measure.PEOPLE,
        value="taken_by",
        at="settled_at",
        breakdowns=WAYS,
        columns=TAKEN,
        people=True,
    ),
    Indicator(
        code="intake.modules",
        name=_("Kinds of matters offered"),
        scope=_(
            "Different kinds of matters that residents could choose on the last day of the period; the same kind in "
            "two counties counts once."
        ),
        unit=_("kinds"),
        mechanism="B1",
        version=2,
        figures=("F23",),
        rows=Module.objects.all,
        visible=lambda rows, user: rows,
        open_to_all=True,
        measure=Measure.PEOPLE,
        value="code",
        since="valid_from",
        until="valid_to",
        place="jurisdiction__place__path",
        columns=((_("code"), "code"), (_("kind of matter"), "name")),
    ),
]
