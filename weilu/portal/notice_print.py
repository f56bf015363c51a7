"""Notices as PDF, A4, one page each: typst with fonts of a package, so that no font of the machine counts."""

import datetime as dt
import io
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.urls import reverse
from django.utils.translation import gettext as _
from pylopdf_fonts_zh_cn import sans_path

from weilu.portal.notice_content import Notice

TEMPLATE = Path(__file__).parent / "print" / "notice.typ"
# As the files name themselves; the second for signs that the first lacks.
FONTS = ["Noto Sans SC", "Noto Serif SC"]
LONGEST = 60  # letters of an outcome, so that a notice stays on its page


class PrintError(RuntimeError):
    """The pages could not be set; the message says why."""


@cache
def _fonts() -> typst.Fonts:
    folder = str(Path(sans_path()).parent)
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    if missing := set(FONTS) - set(found.families()):
        raise PrintError(f"fonts are missing: {', '.join(sorted(missing))}")
    return found


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


def set_pages(title: str, pages: Iterable[dict[str, Any]]) -> bytes:
    """Set pages of :func:`page_data` and return the PDF.

    Raises:
        PrintError: a font is not the one that is meant, which typst itself would pass over, or typst stumbled.
    """
    data = {"title": title, "fonts": FONTS, "notices": list(pages)}
    files = {"main.typ": TEMPLATE.read_bytes(), "data.json": json.dumps(data, ensure_ascii=False).encode()}
    try:
        pdf, warnings = typst.compile_with_warnings(files, font_paths=_fonts())  # type: ignore[call-overload]
    except typst.TypstError as error:
        raise PrintError(str(error)) from error
    if warnings:
        raise PrintError("; ".join(str(warning.message) for warning in warnings))
    return pdf
