"""Notices as PDF: A4, one page each, large enough to be read from two steps away."""

import datetime as dt
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import segno
from django.urls import reverse
from django.utils.translation import gettext as _

from weilu.lib.typesetting import set_pages, set_pages_apart
from weilu.portal.notice_content import Notice

TEMPLATE = Path(__file__).parent / "print" / "notice.typ"
LONGEST = 60  # letters of an outcome, so that a notice stays on its page


def qr_svg(link: str) -> bytes:
    """Return the QR code of an address (ISO/IEC 18004, error correction M) as SVG."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", scale=6, border=2, xmldecl=False)
    return out.getvalue()


def link_of(notice: Notice, address: str) -> str:
    """Return where the QR code leads: raising a matter at the notice's place.

    Args:
        address: of the site, without a slash at its end.
    """
    return f"{address}{reverse('raise_at', args=[notice.code])}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _day(day: dt.date) -> str:
    return f"{day:%Y-%m-%d}"


def page_data(notice: Notice, address: str) -> dict[str, Any]:
    """Return what the template prints of one notice."""
    link = link_of(notice, address)
    return {
        "above": notice.above,
        "title": notice.title,
        "banner": _("Public notice") + " · " + notice.kind_name,
        "duties": notice.duties,
        "hotline": notice.hotline,
        "people": [{"role": row.role, "name": row.name, "phone": row.phone} for row in notice.people],
        "settled": [
            {"day": _day(row.day), "title": _short(row.title), "outcome": _short(row.outcome)} for row in notice.settled
        ],
        "link": link,
        "qr": qr_svg(link).decode(),
        "words": {
            "who": _("Who is responsible"),
            "what": _("What we do"),
            "nobody": _("Scan the code, or call the telephone for residents.")
            if notice.hotline
            else _("Scan the code, or ask at the village or community."),
            "scan": _("Scan to tell us"),
            "how": _("No account. You get a number and see each step."),
            "lately": _("Settled here lately"),
            "hotline": _("Telephone for residents"),
        },
    }


def set_one(title: str, page: dict[str, Any]) -> bytes:
    """Return the PDF of one notice.

    Raises:
        TypesettingError: see :func:`weilu.lib.typesetting.set_pages`.
    """
    return set_pages(TEMPLATE, {"title": title, "notices": [page]})


def set_many(title: str, pages: Iterable[dict[str, Any]]) -> bytes:
    """Return the PDF of many notices, set in a process of its own.

    Raises:
        TypesettingError: see :func:`weilu.lib.typesetting.set_pages_apart`.
    """
    return set_pages_apart(TEMPLATE, {"title": title, "notices": list(pages)})
