"""Drafts: found by a signed cookie, kept in the database."""

import datetime as dt
import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from weilu.orgs.models import Jurisdiction
from weilu.portal.models import Draft
from weilu.records.attachments import remove
from weilu.records.models import Attachment

COOKIE = "draft"
LIFE = dt.timedelta(days=1)


def current(request: HttpRequest) -> Draft | None:
    """Return the reader's draft, if their cookie names one that is still kept."""
    text = request.get_signed_cookie(COOKIE, default="", salt="draft")
    try:
        return Draft.objects.select_related("jurisdiction__place").filter(pk=UUID(text)).first()
    except ValueError:
        return None


def begin(jurisdiction: Jurisdiction) -> Draft:
    """Return a new, empty draft."""
    return Draft.objects.create(jurisdiction=jurisdiction, answers="{}")


def remember(response: HttpResponse, draft: Draft, secure: bool) -> HttpResponse:
    """Give the reader's browser the cookie that finds ``draft`` again."""
    response.set_signed_cookie(
        COOKIE,
        str(draft.pk),
        salt="draft",
        max_age=int(LIFE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=secure,
    )
    return response


def answers(draft: Draft | None) -> dict[str, Any]:
    """Return what was answered so far."""
    return json.loads(draft.answers or "{}") if draft else {}


def keep(draft: Draft, **given: Any) -> None:
    """Add answers to the draft."""
    draft.answers = json.dumps(answers(draft) | given, ensure_ascii=False)
    draft.changed_at = timezone.now()
    draft.save(update_fields=["answers", "changed_at"])


def photos(draft: Draft | None) -> list[Attachment]:
    """Return the photos that were added so far."""
    return list(Attachment.objects.filter(record_kind="draft", record_id=draft.pk)) if draft else []


def forget_old() -> int:
    """Delete drafts and their photos' rows a day after the last answer; return how many drafts."""
    old = Draft.objects.filter(changed_at__lt=timezone.now() - LIFE)
    remove(Attachment.objects.filter(record_kind="draft", record_id__in=old.values("pk")))
    return old.delete()[0]
