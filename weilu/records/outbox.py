"""Messages to people: rows of the transaction that caused them; the worker sends what leaves the house."""

from collections.abc import Iterable
from typing import Any, Protocol

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from weilu.orgs.models import User
from weilu.records.models import Notification, OutgoingMail
from weilu.records.tasks import send_mail


class Subject(Protocol):
    """What a message may be about: a record of work, or something else with a page."""

    @property
    def pk(self) -> Any: ...
    @property
    def jurisdiction_id(self) -> Any: ...
    @property
    def record_kind(self) -> str: ...
    @property
    def number(self) -> str: ...
    def get_absolute_url(self) -> str: ...


def mail(record: Subject, to: str, subject: str, body: str) -> None:
    """Queue an e-mail; it is sent after the transaction commits, and tried again until it is through."""
    row = OutgoingMail.objects.create(jurisdiction_id=record.jurisdiction_id, to=to, subject=subject[:200], body=body)
    send_mail.defer(mail_id=str(row.pk))


def notify(users: Iterable[User], record: Subject, kind: str, subject: str) -> None:
    """Tell ``users`` in the app what happened to ``record``, and by e-mail those who gave an address.

    Args:
        kind: what happened; :data:`weilu.records.wording.NOTICES` holds the words for it.
        subject: the record's own title; no personal data.
    """
    from weilu.records.wording import address, notice  # the words need the translations loaded

    people = {user.pk: user for user in users}.values()
    Notification.objects.bulk_create(
        Notification(
            jurisdiction_id=record.jurisdiction_id,
            user=user,
            kind=kind,
            record_kind=record.record_kind,
            record_id=record.pk,
            record_number=record.number,
            subject=subject[:120],
        )
        for user in people
    )
    with translation.override(settings.LANGUAGE_CODE):
        for user in people:
            if user.email:
                words = {"what": notice(kind), "subject": subject, "number": record.number}
                with_number, without = _("%(what)s: %(subject)s (%(number)s)"), _("%(what)s: %(subject)s")
                body = (with_number if record.number else without) % words
                link = f"{settings.SITE_URL}{address(kind, record.get_absolute_url())}"
                mail(record, user.email, f"{notice(kind)} {record.number}".strip(), f"{body}\n\n{link}\n")
