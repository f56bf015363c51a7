"""What stands in the first county when routes and verbs are tried as everybody."""

import datetime as dt
import io
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from tests.conftest import place
from weilu.matters import services
from weilu.matters.models import Category, Matter
from weilu.orgs.changes import rename
from weilu.orgs.models import Grant, Level, Place
from weilu.orgs.roles import Role
from weilu.people.apart import tell_apart
from weilu.people.appointments import appoint, make_post
from weilu.people.honours import award
from weilu.people.memberships import join
from weilu.people.merging import merge
from weilu.people.models import Appointment, Person, RosterImport
from weilu.people.persons import make_person
from weilu.portal.models import Draft, NoticePrint
from weilu.records.attachments import attach
from weilu.records.models import Attachment
from weilu.venues.hours import Span
from weilu.venues.models import Venue, Zone
from weilu.venues.services import Wish, ask_for, set_hours
from weilu.venues.setup import begin_zones

SUBJECT = "后山水渠漏水惊动全村"
ORDERED = "帮王奶奶搬煤气罐"
PHONE = "13987654321"


@dataclass
class Things:
    """What the routes are asked for."""

    world: Any
    handed: Matter
    order: Matter
    file: Attachment
    draft_file: Attachment
    grant: Grant
    held: Appointment
    people: SimpleNamespace
    rooms: SimpleNamespace


def photo(colour: str) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "JPEG")
    return SimpleUploadedFile("a.jpg", out.getvalue())


def things_of(world) -> Things:
    """What stands in the first county, for the routes that ask for one of them."""
    world.user("far_administrator", Role.ADMINISTRATOR, world.far_county)
    Category.objects.create(jurisdiction=world.jurisdiction, code="only_here", name="只在此县")
    handed = world.matter(at=world.grid, subject=SUBJECT, contact=services.Contact("田七", PHONE))
    handed = services.dispatch(handed, to=world.department, by=world.county_clerk, version=1)
    order = world.matter(at=world.grid, subject=ORDERED)
    order = services.dispatch(order, to=world.branch, by=world.clerk, version=1)
    file = attach(
        photo("red"),
        jurisdiction=world.jurisdiction,
        record_kind="matter",
        record_id=handed.pk,
        event_id=handed.event.pk,
    )
    draft = Draft.objects.create(jurisdiction=world.jurisdiction, answers="{}")
    draft_file = attach(photo("blue"), jurisdiction=world.jurisdiction, record_kind="draft", record_id=draft.pk)
    return Things(
        world, handed, order, file, draft_file, world.clerk.grants.get(), in_post(world), some(world), rooms(world)
    )


def some(world) -> SimpleNamespace:
    """A person of the village, another record of them, a third that was merged into the first, an honour; and a
    village of the other township that has another name today."""
    given = {"by": None, "home": world.village, "name": "赵大山"}
    person, double, third, fourth = (make_person(**given, phone=f"1380000000{number}") for number in range(4))
    apart = tell_apart(person, fourth, by=None)
    merged = merge(third, into=person, by=None)
    honour = award(
        person, title="优秀党员", level=4, body="县委", awarded_on=dt.date(2025, 7, 1), document="1号", by=None
    )
    hamlet = place("510824101209", "老湾村", Level.VILLAGE, world.other_township)
    rename(hamlet, name="新湾村", on=timezone.localdate(), by=None)
    roster = RosterImport.objects.create(
        jurisdiction=world.jurisdiction, kind="members", place=world.township, name="名册.xlsx", state="read"
    )
    member = join(person, world.branch, kind="member", since=timezone.localdate(), by=None)
    return SimpleNamespace(
        member=member,
        apart=apart,
        person=person,
        double=double,
        merge=merged,
        honour=honour,
        ended=Place.objects.get(pk=hamlet.pk),
        roster=roster,
    )


def rooms(world) -> SimpleNamespace:
    """A hall of the village that is open always, one who asks for it, and a print of the village's notices."""
    begin_zones(world.jurisdiction)
    zone = Zone.objects.filter(jurisdiction=world.jurisdiction).first()
    given = {"jurisdiction": world.jurisdiction, "zone": zone, "place": world.village, "keeps_holidays": False}
    hall = Venue.objects.create(kind="council_hall", name="议事厅", **given)
    set_hours(hall, [(day, Span(dt.time(8), dt.time(20))) for day in range(7)], by=world.clerk)
    starts = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0) + dt.timedelta(days=2)
    asked = ask_for(hall, Wish(starts, starts + dt.timedelta(hours=1), "院坝会", "one", phone=PHONE), by=None)
    kinds = {"kinds": ["grid"], "address": "http://x", "phase": "done", "created_by": world.village_clerk}
    made = NoticePrint.objects.create(jurisdiction=world.jurisdiction, place=world.village, **kinds)
    return SimpleNamespace(hall=hall, asked=asked, made=made)


def in_post(world) -> Appointment:
    """Somebody in a post of the township's office."""
    person = Person.objects.create(jurisdiction=world.jurisdiction, name="李明", home=world.village)
    post = make_post(world.office, title="主任", by=None, strength=2)
    return appoint(post, person=person, by=None, since=dt.date(2024, 1, 1))
