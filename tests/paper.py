"""What a PDF shows, as far as a test needs it: pages, fonts, text. No library of ours reads PDF."""

import re
import zlib


def _streams(pdf: bytes) -> list[bytes]:
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        try:
            found.append(zlib.decompressobj().decompress(match.group(1)))
        except zlib.error:
            found.append(match.group(1))
    return found


def fonts_of(pdf: bytes) -> set[str]:
    """Return the fonts that a PDF embeds, without the tag of the subset."""
    texts = [pdf, *_streams(pdf)]
    return {name.decode() for text in texts for name in re.findall(rb"/BaseFont\s*/[A-Z]{6}\+([\w-]+)", text)}


def pages_of(pdf: bytes) -> list[tuple[float, float]]:
    """Return width and height of each page, in points."""
    found = []
    for text in [pdf, *_streams(pdf)]:
        for page in re.findall(rb"/Type\s*/Page\b(?!s).*?/MediaBox\s*\[([^\]]*)\]", text, re.S):
            _left, _bottom, width, height = map(float, page.split())
            found.append((width, height))
    return found


def letters_of(pdf: bytes) -> set[str]:
    """Return the letters that a PDF can show, from the tables that map its glyphs to Unicode (ToUnicode)."""
    found: set[str] = set()
    for text in _streams(pdf):
        if b"beginbfchar" in text:
            for code in re.findall(rb"<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]+)>", text):
                found |= set(bytes.fromhex(code.decode()).decode("utf-16-be"))
    return found
