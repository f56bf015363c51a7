"""Service centres, functional zones and honours of the invented city, entered by the verbs that pages call."""

import datetime as dt

from weilu.demo.published import persons
from weilu.demo.published.bodies import BUREAUS
from weilu.demo.published.persons import somebody
from weilu.demo.published.plan import COUNTY, District, Plan
from weilu.lib.crypto import keyed_hash
from weilu.orgs.models import Jurisdiction, Organisation, Place, User
from weilu.people.honours import award
from weilu.people.models import Honour, Person
from weilu.venues.models import Venue, Zone
from weilu.venues.services import enter
from weilu.venues.setup import begin_zones

SINCE = dt.date(2021, 7, 1)
DOCUMENT = "夜委〔2023〕30号"
ROOMS = {
    "party": (Venue.Kind.ACTIVITY_ROOM, "党员活动室"),
    "deliberation": (Venue.Kind.COUNCIL_HALL, "议事厅"),
    "mediation": (Venue.Kind.MEDIATION_ROOM, "调解室"),
    "culture": (Venue.Kind.SCREENING_ROOM, "红色放映室"),
    "children": (Venue.Kind.AFTER_SCHOOL, "四点半课堂"),
    "elderly": (Venue.Kind.CANTEEN, "助老食堂"),
    "convenience": (Venue.Kind.CHARITY_SHOP, "爱心超市"),
}


def enter_rooms(plan: Plan, district: District) -> None:
    """Enter the service centre of each community of a district; in the one community, a room for each other zone."""
    jurisdiction = Jurisdiction.objects.select_related("place").get(place__code=district.code)
    begin_zones(jurisdiction)
    zones = {zone.code: zone for zone in Zone.objects.filter(jurisdiction=jurisdiction)}
    by = User.objects.get(username="figures-admin")
    places = {row.code: row for row in Place.objects.filter(path__startswith=jurisdiction.place.path, valid_to=None)}
    for community in district.communities:
        rooms = {"services": (Venue.Kind.SERVICE_CENTRE, "党群服务中心")} | (ROOMS if community is plan.one else {})
        for zone, (kind, name) in rooms.items():
            venue = Venue(
                jurisdiction=jurisdiction, kind=kind, name=f"{community.name}{name}", zone=zones[zone],
                place=places[community.code], valid_from=SINCE,
            )  # fmt: skip
            enter(venue, by=by)


def give_honours(plan: Plan) -> None:
    """Give the county's honours of 2023: to two heads of bureaus and to a bureau."""
    bureaus = {row.name: row for row in Organisation.objects.filter(name__in=BUREAUS)}
    numbers = [somebody(COUNTY, persons.BUREAUS + index).id_number for index in range(2)]
    first, second = (
        Person.objects.select_related("home").get(jurisdiction__place__code=COUNTY, id_number_hash=keyed_hash(number))
        for number in numbers
    )
    by = User.objects.get(username="figures-admin")
    day, level = dt.date(2023, 8, 30), Honour.Level
    for to, title, giver, grade in (
        (first, "“人民满意的公务员”", "中共中央组织部", level.NATIONAL),
        (second, "记一等功公务员", "中共四川省委", level.PROVINCE),
        (bureaus[BUREAUS[2]], "记一等功公务员集体", "中共四川省委", level.PROVINCE),
    ):
        award(to, title=title, level=grade, body=giver, awarded_on=day, by=by, document=DOCUMENT)
