"""Telephone numbers, ID numbers and mail addresses in a text, in the spellings that people use."""

import re
import unicodedata
from collections.abc import Iterator

# Written without a gap, or a mail address. Seventeen figures and a check, or the fifteen of older ID numbers.
PLAIN = re.compile(r"(?<!\d)((?:(?:00)?86)?1[3-9]\d{9}|\d{17}[\dXx]|\d{15})(?!\d)|[\w.+-]+@[\w-]+\.\w+")

# Written in groups. Only the usual ones count: dates and lists of numbers are groups of figures as well.
GAP = r"[ \t\-‐‒–—−·.]+"
CHECK = r"[Xx](?![A-Za-z])"
GROUP = re.compile(rf"\d+(?:{CHECK})?|{CHECK}")
IN_GROUPS = re.compile(rf"\d+(?:{GAP}(?:\d+(?:{CHECK})?|{CHECK}))+")
TELEPHONE = re.compile(r"1[3-9]\d{9}")
BORN = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
ID_NUMBER = re.compile(rf"[1-8]\d{{5}}(?:(?:18|19|20)\d\d{BORN}\d{{3}}[\dXx]|\d\d{BORN}\d{{3}})")
USUAL = {
    TELEPHONE: {(3, 4, 4), (4, 3, 4), (3, 8), (7, 4)},
    ID_NUMBER: {
        (6, 8, 4), (6, 8, 3, 1), (6, 12), (14, 4), (14, 3, 1), (17, 1), (6, 4, 4, 4), (6, 4, 2, 2, 4), (6, 6, 6),
        (6, 4, 2, 2, 3, 1), (3, 3, 8, 4), (3, 3, 4, 4, 4), (2, 2, 2, 8, 4), (2, 2, 2, 4, 2, 2, 4), (4, 4, 4, 4, 2),
        (6, 6, 3), (6, 9), (12, 3), (6, 2, 2, 2, 3),
    },
}  # fmt: skip
MOST_GROUPS = max(len(lengths) for usual in USUAL.values() for lengths in usual)


def _joined(text: str) -> Iterator[str]:
    """Yield what stands in groups of figures, without the gaps, where the groups are usual ones."""
    for run in IN_GROUPS.finditer(text):
        groups = GROUP.findall(run.group())
        for first in range(len(groups)):
            for last in range(first + 2, min(first + MOST_GROUPS, len(groups)) + 1):
                lengths = tuple(len(group) for group in groups[first:last])
                number = "".join(groups[first:last])
                if any(lengths in usual and shape.fullmatch(number) for shape, usual in USUAL.items()):
                    yield number


def personal_in(text: str) -> str:
    """Return the first thing in ``text`` that looks like a telephone number, an ID number or a mail address, or ""."""
    plain = unicodedata.normalize("NFKC", text)
    found = PLAIN.search(plain)
    return found.group() if found else next(_joined(plain), "")
