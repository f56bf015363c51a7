"""Jobs of the kernel, worked off by procrastinate from the same database."""

import logging

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from weilu.orgs.rate_limit import forget_old
from weilu.orgs.sharding import key_of
from weilu.records.models import OutgoingMail

logger = logging.getLogger(__name__)


@app.task(name="records.send_mail", retry=RetryStrategy(max_attempts=9, exponential_wait=3))
def send_mail(mail_id: str) -> None:
    """Send one queued e-mail, once: its row is locked while it is sent and marked in the same transaction."""
    with transaction.atomic():
        queued = OutgoingMail.objects.get(pk=mail_id)
        row = OutgoingMail.objects.select_for_update().get(**key_of(queued))
        if row.sent_at is None:
            EmailMessage(row.subject, row.body, to=[row.to]).send()
            row.sent_at = timezone.now()
            row.save(update_fields=["sent_at"])


@app.periodic(cron="*/10 * * * *")
@app.task(name="records.tidy", queueing_lock="records.tidy")
def tidy(timestamp: int) -> None:
    """Forget counts of callers' addresses whose time is over."""
    forget_old()
