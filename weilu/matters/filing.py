"""Taking a matter in: once, whatever is pressed twice."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from weilu.lib.crypto import keyed_hash
from weilu.lib.search import words_of
from weilu.matters.models import Category, Channel, Matter, Module
from weilu.matters.queries import add_words
from weilu.orgs.models import Place, User
from weilu.records.models import Attachment, Event, next_numbers
from weilu.records.secrets import secret_hash, secret_of


@dataclass(frozen=True)
class Contact:
    """How to reach the resident; all of it optional."""

    name: str = ""
    phone: str = ""
    email: str = ""


def secret_for(intake_key: str) -> str:
    """Return the secret of the matter filed under ``intake_key``: sending a form twice gives the same one."""
    return secret_of("matter", intake_key)


def file_matter(
    *,
    place: Place,
    module: Module,
    category: Category,
    subject: str,
    detail: str = "",
    address: str = "",
    position: tuple[float, float] | None = None,
    channel: str = Channel.WEB,
    contact: Contact | None = None,
    intake_key: str,
    by: User | None = None,
    attachments_of: UUID | None = None,
) -> tuple[Matter, str]:
    """Take in a matter and start its clock.

    Args:
        place: the lowest place known, county to grid, in the jurisdiction of ``module``.
        position: latitude and longitude (WGS 84), if the resident gave them.
        intake_key: names this filing; the same key again returns the matter that is there.
        attachments_of: id under which photos were kept while the form was filled in.

    Returns:
        the matter and the secret to follow it by.
    """
    contact = contact or Contact()
    secret = secret_for(intake_key)
    jurisdiction = module.jurisdiction
    now = timezone.now()
    matter = Matter(
        jurisdiction=jurisdiction,
        module=module,
        category=category,
        channel=channel,
        subject=subject,
        detail=detail,
        address=address,
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        reporter_name=contact.name,
        reporter_phone=contact.phone,
        reporter_phone_hash=keyed_hash(contact.phone),
        reporter_email=contact.email,
        secret_hash=secret_hash(secret),
        intake_key=intake_key,
        state="raised",
        created_at=now,
        created_by=by,
    )
    matter.set_place(place)
    matter.start_clock(category.days, now)
    words = words_of(f"{subject} {detail} {address} {matter.place}")
    try:
        with transaction.atomic():
            # The number last: its counter stays locked until the end. Foreign keys are checked then as well.
            add_words(matter, words)
            matter.event = record_filing(matter, by)  # type: ignore[attr-defined]
            [matter.number] = next_numbers(jurisdiction, "matter", now)
            matter.save(force_insert=True)
            if attachments_of:
                Attachment.objects.filter(record_kind="draft", record_id=attachments_of).update(
                    record_kind="matter",
                    record_id=matter.pk,
                    event_id=matter.event.pk,  # type: ignore[attr-defined]
                )
    except IntegrityError:
        there = Matter.objects.filter(jurisdiction=jurisdiction, intake_key=intake_key).first()
        if there is None:
            raise
        there.event = Event.objects.filter(record_id=there.pk, move="file").first()  # type: ignore[attr-defined]
        return there, secret
    return matter, secret


def record_filing(matter: Matter, by: User | None) -> Event:
    """Write the first event of a matter."""
    return Event.objects.create(
        jurisdiction_id=matter.jurisdiction_id,
        record_kind="matter",
        record_id=matter.pk,
        at=matter.created_at,
        move="file",
        to_state=matter.state,
        actor=by,
        actor_name=by.name if by else "",
        changes={"channel": str(matter.channel)},
    )
