"""What a page of figures is asked for: place and period in the reader's reach, all work of the place or one's own."""

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from weilu.indicators.choose import NotThere, check_place, indicator_of, period_of, place_of
from weilu.indicators.own import own
from weilu.lib.explained import NotFound
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.access import AccountRequest
from weilu.orgs.attribution import key_of_place, title_of
from weilu.orgs.models import Organisation, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope


def readable(user: User) -> Q:
    """Return the condition that a place is one whose figures ``user`` reads.

    A department or a branch reads the figures of its place and of those below; rows open as far as its role goes.
    """
    condition = places_in_scope(user, Permission.VIEW)
    for grant in user.grants_for(Permission.VIEW):
        if grant.by_organisation:
            condition |= Q(path__startswith=grant.place.path)
    return condition


@dataclass(frozen=True)
class Asked:
    """Place, period and whose work; the links of a page keep them.

    Attributes:
        own: only what was handed to the reader's organisation.
    """

    user: User
    place: Place
    period: Period
    own: bool = False

    @property
    def place_key(self) -> str:
        """What names the place in an address."""
        return key_of_place(self.place)

    @property
    def title(self) -> str:
        """What names the place at the head of a page."""
        return title_of(self.place)

    def link(self, **more: str) -> str:
        """Return the query of an address, with what differs from this page; what is empty is left out."""
        given = {"place": self.place_key, "period": self.period.text, "of": "own" if self.own else "", **more}
        return "?" + urlencode({key: value for key, value in given.items() if value})

    def counted(self, indicator: Indicator) -> Indicator:
        """Return the indicator as this page counts it."""
        return own(indicator, self.user) if self.own else indicator

    @cached_property
    def organisations(self) -> list[Organisation]:
        """The organisations whose work the reader sees as their own."""
        grants = self.user.grants_for(Permission.VIEW)
        return [grant.organisation for grant in grants if grant.by_organisation and grant.organisation]


def sees_by_organisation(user: User) -> bool:
    """Tell whether all that ``user`` sees is what was handed to an organisation."""
    return all(grant.by_organisation for grant in user.grants_for(Permission.VIEW))


def asked_place(request: AccountRequest) -> Place:
    """Return the place of the address in the reader's reach; by default the widest of it.

    Raises:
        NotFound: there is none.
    """
    if code := request.GET.get("place"):
        try:
            return place_of(code, readable(request.user))
        except NotThere as error:
            raise NotFound(str(error)) from error
    return min((grant.place for grant in request.user.grants_for(Permission.VIEW)), key=lambda place: place.level)


def asked_period(request: AccountRequest, usual: Period | None = None) -> Period:
    """Return the period of the address; by default ``usual``, or this year.

    Raises:
        NotFound: it names none.
    """
    text = request.GET.get("period")
    if not text:
        return usual or Period.of(str(timezone.localdate().year))
    try:
        return period_of(text)
    except NotThere as error:
        raise NotFound(str(error)) from error


def asked_indicator(code: str) -> Indicator:
    """Return the indicator of an address.

    Raises:
        NotFound: there is none.
    """
    try:
        return indicator_of(code)
    except NotThere as error:
        raise NotFound(str(error)) from error


def refuse_place(indicator: Indicator, place: Place) -> None:
    """Refuse a place for which an indicator is not counted.

    Raises:
        NotFound: with where it is counted.
    """
    try:
        check_place(indicator, place)
    except NotThere as error:
        raise NotFound(str(error)) from error


def asked(request: AccountRequest, usual: Period | None = None, *, own_first: bool = False) -> Asked:
    """Return what an address asks for.

    Args:
        own_first: who sees by organisation only gets their own work unless all is asked for.
    """
    of = request.GET.get("of", "")
    mine = any(grant.by_organisation for grant in request.user.grants_for(Permission.VIEW))
    wanted = of == "own" or (own_first and of != "all" and sees_by_organisation(request.user))
    return Asked(request.user, asked_place(request), asked_period(request, usual), mine and wanted)


def offered_periods(chosen: Period, today: dt.date) -> list[Period]:
    """Return the periods that a page offers: the chosen one, some years, and the quarters and months of its year."""
    year = chosen.start.year
    texts = [str(each) for each in range(today.year, today.year - 4, -1)]
    texts += [f"{year}Q{quarter}" for quarter in range(1, 5)]
    texts += [f"{year}-{month:02d}" for month in range(1, 13)]
    return [chosen, *(Period.of(text) for text in texts if text != chosen.text)]
