"""Jobs of accounts."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from weilu.accounts.models import Invitation


@app.task(name="accounts.mail_invitation", retry=RetryStrategy(max_attempts=9, exponential_wait=3))
def mail_invitation(invitation_id: str) -> None:
    """Mail the link of an invitation, once, if it can still be used. The link is made here and kept nowhere."""
    from weilu.accounts.invitations import link_of  # which queues this job

    with transaction.atomic():
        row = Invitation.objects.select_for_update(of=["self"]).select_related("user").get(pk=invitation_id)
        if row.mailed_at or not row.user.email or not row.open_at(timezone.now()):
            return
        with translation.override(settings.LANGUAGE_CODE):
            subject = _("Your account in Weilu")
            words = {"name": row.user.name, "account": row.user.username, "link": link_of(row)}
            body = _(
                "%(name)s, you have the account %(account)s in Weilu. Set its password here, once, within seven "
                "days:\n\n%(link)s\n"
            )
            EmailMessage(subject, body % words, to=[row.user.email]).send()
        row.mailed_at = timezone.now()
        row.save(update_fields=["mailed_at"])
