"""The verbs that write what notices show, and make them into files to print."""

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from weilu.lib.typesetting import TypesettingError, join_apart
from weilu.orgs.models import Jurisdiction, Organisation, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.people.models import Membership, Post
from weilu.portal.models import NoticePrint, NoticeText
from weilu.portal.notice_content import Plan, notices_of, plan
from weilu.portal.notice_print import page_data, set_many

logger = logging.getLogger(__name__)

MOST_PAGES = 6_000
MOST_UNDER_WAY = 3  # of one account
KEPT = dt.timedelta(days=7)
# A worker that has given no sign of life for so long has stopped; another begins anew.
STALLED = dt.timedelta(minutes=5)
STEP = 20  # notices between two signs of life
PART = 600  # pages set at once, which takes about 400 MB; the parts are joined afterwards

Phase = NoticePrint.Phase


class Refused(ValueError):
    """It cannot be done; the message says why, in the reader's language."""


@transaction.atomic
def set_duties(jurisdiction: Jurisdiction, duties: dict[str, str], *, by: User) -> None:
    """Set what those on each kind of notice do, in the county's words.

    Raises:
        Refused: ``by`` does not administer the county.
    """
    if not any(jurisdiction.place.path.startswith(grant.place.path) for grant in by.grants_for(Permission.MANAGE)):
        raise Refused(_("Your account may not do this here."))
    for kind, text in duties.items():
        NoticeText.objects.update_or_create(jurisdiction=jurisdiction, kind=kind, defaults={"duties": text})


@transaction.atomic
def set_public_phone(key: str, phone: str, *, by: User) -> None:
    """Set the telephone for everybody of a post or membership; an empty one takes it off the notice.

    Args:
        key: ``post:…`` or ``membership:…``, see :class:`weilu.portal.notice_content.Responsible`.

    Raises:
        Refused: there is no such post or membership in a body that ``by`` keeps.
    """
    kind, _sep, pk = key.partition(":")
    bodies = Organisation.objects.filter(organisations_in_scope(by, Permission.KEEP))
    rows = {"post": Post.objects.all(), "membership": Membership.objects.all()}.get(kind)
    if rows is None or not rows.filter(pk=pk, organisation__in=bodies).update(public_phone=phone):
        raise Refused(_("Your account may not do this here."))


# --- prints -----------------------------------------------------------------------------------------------------------
def order_print(place: Place, kinds: list[str], *, address: str, by: User) -> NoticePrint:
    """Have the notices of a place and all in it made into one file; the worker does it.

    Args:
        kinds: of :class:`NoticeText.Kind`.
        address: of the site as residents reach it, which the QR codes carry.

    Returns:
        the print; the one that is under way, if the same was ordered already.

    Raises:
        Refused: there is nothing to print, too much, or three are under way for ``by``.
    """
    kinds = sorted(set(kinds))
    jurisdiction = Jurisdiction.of(place)
    there = NoticePrint.objects.filter(place=place, kinds=kinds, address=address, phase__in=NoticePrint.UNDER_WAY)
    if found := there.first():
        return found
    count = plan(place, kinds).count
    if jurisdiction is None or not count:
        raise Refused(_("There is no notice of this kind here."))
    if count > MOST_PAGES:
        raise Refused(_("These are %(n)s pages. Print a smaller place at a time.") % {"n": count})
    if NoticePrint.objects.filter(created_by=by, phase__in=NoticePrint.UNDER_WAY).count() >= MOST_UNDER_WAY:
        raise Refused(_("Three prints of yours are under way. Wait until one is ready."))
    try:
        with transaction.atomic():
            row = NoticePrint.objects.create(
                jurisdiction=jurisdiction, place=place, kinds=kinds, address=address, total=count, created_by=by
            )
            _defer(row)
    except IntegrityError:  # the same moment, another press
        return there.get()
    return row


def _defer(row: NoticePrint) -> None:
    from weilu.portal.tasks import make_notices  # the task calls this module

    make_notices.defer(print_id=str(row.pk))


def _beat(row: NoticePrint, **columns: object) -> None:
    NoticePrint.objects.filter(pk=row.pk).update(beat_at=timezone.now(), **columns)


def make(print_id: str) -> bool:
    """Make a print that waits, or one whose worker has stopped; tell whether there was something to do."""
    now = timezone.now()
    mine = NoticePrint.objects.filter(pk=print_id)
    waiting = mine.filter(phase=Phase.WAITING)
    left = mine.filter(phase__in=[Phase.COLLECTING, Phase.SETTING], beat_at__lt=now - STALLED)
    if not (waiting | left).update(phase=Phase.COLLECTING, beat_at=now, done=0):
        return False
    row = mine.select_related("place__parent__parent__parent", "jurisdiction__place").get()
    try:
        with translation.override(settings.LANGUAGE_CODE):
            _make(row)
    except TypesettingError as error:
        logger.exception("notices could not be set")
        _beat(row, phase=Phase.FAILED, message=str(error)[:200])
    except OSError:
        logger.exception("notices could not be kept")
        message = _("The file could not be kept: the server's disk may be full.")
        _beat(row, phase=Phase.FAILED, message=message[:200])
    return True


def _make(row: NoticePrint) -> None:
    found = plan(row.place, row.kinds)
    _beat(row, total=found.count)
    row.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=row.path.parent, prefix=f".parts-{row.pk}-") as folder:
        parts = list(_parts(row, found, Path(folder)))
        if len(parts) > 1:
            whole = Path(folder) / "whole.pdf"
            join_apart(parts, whole, row.place.name)
            parts = [whole]
        size = parts[0].stat().st_size
        parts[0].replace(row.path)
    _beat(row, phase=Phase.DONE, size=size)


def _parts(row: NoticePrint, found: Plan, folder: Path) -> Iterator[Path]:
    """Set the notices of a plan, so many at a time that the memory holds them; yield the files."""
    pages: list[dict[str, Any]] = []
    for number, notice in enumerate(notices_of(found, row.jurisdiction), start=1):
        pages.append(page_data(notice, row.address))
        last = number == found.count
        if number % STEP == 0 or last:
            _beat(row, done=number, **({"phase": Phase.SETTING} if last else {}))
        if len(pages) == PART or last:
            part = folder / f"{number:06d}.pdf"
            part.write_bytes(set_many(row.place.name, pages))
            yield part
            pages = []


def look_after_prints() -> None:
    """Begin anew what a worker left, and forget prints and their files after a week."""
    now = timezone.now()
    for row in NoticePrint.objects.filter(phase__in=NoticePrint.UNDER_WAY, beat_at__lt=now - STALLED):
        _defer(row)
    for row in NoticePrint.objects.filter(created_at__lt=now - KEPT):
        row.path.unlink(missing_ok=True)
        row.delete()
