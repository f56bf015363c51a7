"""Messages to the reader."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission
from weilu.records.models import Notification
from weilu.records.wording import link, notice


@requires(Permission.SIGNED_IN)
@require_safe
def messages(request: AccountRequest) -> HttpResponse:
    """The latest messages to this account."""
    rows = list(Notification.objects.filter(user=request.user)[:100])
    for row in rows:
        row.words, row.link = notice(row.kind), link(row)  # type: ignore[attr-defined]
    return render(request, "records/messages.html", {"rows": rows})


@requires(Permission.SIGNED_IN)
@require_POST
def read_messages(request: AccountRequest) -> HttpResponse:
    """Mark all of this account's messages as read."""
    Notification.objects.filter(user=request.user, read_at=None).update(read_at=timezone.now())
    return redirect("messages")
