"""What stands in one cell: dates in every spelling, numbers that lost digits, names in full width."""

import datetime as dt
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext as _
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as BadNumber

from weilu.lib.import_result import Refusal
from weilu.people.persons import ID_NUMBER, PersonProblem, tidy_id_number, tidy_phone
from weilu.people.rosters.books import ERRORS, UNKEPT, Cell, text_of
from weilu.people.rosters.kinds import BODY_KINDS, BODY_WORDS, fold_heading

EARLIEST = dt.date(1880, 1, 1)
# What Excel keeps of a number: fifteen digits.
MOST_DIGITS = 10**15
MASKED = re.compile(r"[\dXx]*\*{2,}[\dXx]*")
# 1985.03, 1985-3, 1985年3月, 1985/3/12, 1985年3月12日, with or without a time behind it.
PARTED = re.compile(
    r"(\d{4})\s*[.\-/年]\s*(\d{1,2})(?:\s*[.\-/月]\s*(\d{1,2})?)?\s*日?(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
WHOLE = re.compile(r"(\d{4})(\d{2})(\d{2})?")
YEAR = re.compile(r"((?:18|19|20)\d{2})年?")
# Numbers as they should stand in a cell, in most rosters all of them.
PLAIN_PHONE = re.compile(r"1[3-9][0-9]{9}")
OLD_KIND = re.compile(r"\d{15}")
SHORTENED = re.compile(r"\d(?:\.\d+)?E\+?1[4-8]", re.I)
BESIDE_NAME = re.compile(r"\s*\((?:女|男|兼|(?:预备|正式)(?:党员)?|[^()]{1,8}族)\)$")
NOT_GIVEN = {"无", "/", "\\", "-", "--", "—", "——", "不详", "暂无", "空", "未知", "*"}
MALE, FEMALE = {"男", "男性", "m", "male", "1"}, {"女", "女性", "f", "female", "2"}


class Day(NamedTuple):
    """A date, and whether its day is known or only its month."""

    date: dt.date
    day_known: bool


def plain(cell: Cell) -> str:
    """Return a cell as text in half width, on one line; what only says that nothing is known is nothing.

    Raises:
        ValueError: it holds the error of a formula, or a formula without a result; the message says which.
    """
    if not cell and cell != 0:
        return ""
    return _plain(cell if isinstance(cell, str) else text_of(cell))


@lru_cache(20_000)
def _plain(cell: str) -> str:
    text = text_of(cell)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = " ".join(text.split())
    if text == UNKEPT:
        raise ValueError(
            _("The result of the formula was not kept. Open the file in Excel or WPS and save it, or write the value.")
        )
    if text.startswith("#") and text.upper() in ERRORS:
        raise ValueError(_("The cell holds the error of a formula: %(text)s") % {"text": text})
    return "" if text in NOT_GIVEN else text


def bracketed(text: str) -> str:
    """Return a Chinese text with the brackets of Chinese: ``副书记（挂职）``."""
    return text.replace("(", "（").replace(")", "）") if re.search(r"[㐀-鿿]", text) else text


@lru_cache(4096)
def name_of(text: str) -> str:
    """Return a person's name without layout: blanks between characters, (女) or a people in brackets behind it."""
    bare = BESIDE_NAME.sub("", text).replace("•", "·").replace("．", "·")
    if re.fullmatch(r"[㐀-鿿\U00020000-\U0003ffff· ]+", bare):
        bare = bare.replace(" ", "")
    return bare


def date_of(column: str, cell: Cell, today: dt.date, *, year_is_enough: bool = False) -> Day | None:
    """Read a date: ``1985.03``, ``198503``, ``1985年3月``, ``1985-03-12`` or a real one.

    Args:
        year_is_enough: whether ``1985年`` will do, as for a body that was founded then.

    Raises:
        Refusal: it is none, lies in the future, or lost the zero of October.
    """
    if isinstance(cell, dt.datetime):
        found = Day(cell.date(), True)
    elif isinstance(cell, dt.date):
        found = Day(cell, True)
    else:
        if isinstance(cell, float) and not cell.is_integer() and re.fullmatch(r"\d{4}\.1", repr(cell)):
            raise Refusal(
                column,
                _(
                    "%(text)s may be January or October: Excel drops the last zero of a number. "
                    "Write %(year)s.01 or %(year)s年10月 as text."
                )
                % {"text": repr(cell), "year": int(cell)},
            )
        text = plain(cell)
        if not text:
            return None
        found = _read(column, text, year_is_enough)
    if not EARLIEST <= found.date <= today:
        raise Refusal(column, _("%(text)s cannot be: it lies before 1880 or in the future.") % {"text": found.date})
    return found


def _read(column: str, text: str, year_is_enough: bool) -> Day:
    if match := YEAR.fullmatch(text):
        if year_is_enough:
            return Day(dt.date(int(match[1]), 1, 1), False)
        raise Refusal(
            column, _("“%(text)s” names no month. Write it too: %(year)s.03.") % {"text": text, "year": match[1]}
        )
    if found := _day(text):
        return found
    raise Refusal(column, _("“%(text)s” is no date. Write 1985.03, 1985年3月 or 1985-03-12.") % {"text": text[:40]})


@lru_cache(8192)
def _day(text: str) -> Day | None:
    if match := PARTED.fullmatch(text) or WHOLE.fullmatch(text):
        year, month, day = (int(part) if part else 0 for part in match.groups())
        try:
            return Day(dt.date(year, month, day or 1), bool(day))
        except ValueError:
            pass
    return None


def id_number_of(cell: Cell) -> str:
    """Read an ID number (GB 11643).

    Raises:
        Refusal: it is none, or a number that has lost its last digits: nobody can know them.
    """
    if isinstance(cell, str) and ID_NUMBER.fullmatch(cell):
        text = cell
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        if cell >= MOST_DIGITS:
            raise Refusal("id_number", lost_digits())
        text = str(int(cell)) if float(cell).is_integer() else str(cell)
    else:
        text = plain(cell).lstrip("'’‘")
    if not text or MASKED.fullmatch(text):
        return ""
    if SHORTENED.fullmatch(text):
        raise Refusal("id_number", lost_digits())
    if OLD_KIND.fullmatch(text):
        raise Refusal("id_number", _("This is an ID number of the old kind with 15 digits. Give the one with 18."))
    try:
        return tidy_id_number(text)
    except PersonProblem as problem:
        raise Refusal("id_number", problem.message) from problem


def lost_digits() -> str:
    """Say that a number was kept as a number, and what is gone with that."""
    return _(
        "The cell holds a number, and Excel keeps only 15 digits of one: the last are lost. "
        "Format the column as text and type the ID number again."
    )


def phone_numbers(text: str) -> list[str]:
    """Return the telephone numbers in a text, of mobiles and of houses."""
    return re.findall(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\d{7,8})(?!\d)", text)


def phone_of(cell: Cell) -> str:
    """Read a telephone number; of several the first mobile number.

    Raises:
        Refusal: it is none.
    """
    if isinstance(cell, str) and PLAIN_PHONE.fullmatch(cell):
        return cell
    text = plain(cell)
    if not text or MASKED.fullmatch(text):
        return ""
    try:
        return tidy_phone(text)
    except PersonProblem as problem:
        several = re.findall(r"(?<!\d)1[3-9]\d{9}(?!\d)", text)
        if several and re.fullmatch(r"[\d\s/,;、，；\-]+", text):
            return several[0]
        raise Refusal("phone", problem.message) from problem


def sex_of(cell: Cell) -> str:
    """Read a sex.

    Raises:
        Refusal: it is neither of the two.
    """
    text = plain(cell).lower()
    if not text:
        return ""
    if text in MALE or text in FEMALE:
        return "male" if text in MALE else "female"
    raise Refusal("sex", _("“%(text)s” is neither 男 nor 女.") % {"text": text[:20]})


def credit_code_of(cell: Cell) -> str:
    """Read a unified social credit code (GB 32100).

    Raises:
        Refusal: it is none.
    """
    if isinstance(cell, float) and cell >= MOST_DIGITS:
        raise Refusal(
            "credit_code",
            _("The cell holds a number, and Excel keeps only 15 digits of one: the last are lost. "
              "Format the column as text and type the credit code again."),
        )  # fmt: skip
    text = plain(cell)
    if not text:
        return ""
    try:
        return uscc.validate(text)
    except BadNumber as error:
        raise Refusal(
            "credit_code",
            _("%(code)s is no unified social credit code (GB 32100): 18 signs, of which the last checks the others.")
            % {"code": text[:40]},
        ) from error


def body_kind_of(cell: Cell) -> str:
    """Read what kind of body it is.

    Raises:
        Refusal: offices have no such word, or we do not know it.
    """
    text = plain(cell)
    if found := BODY_KINDS.get(fold_heading(text)):
        return found
    if not text:
        raise Refusal("kind", _("The kind is missing."))
    known = "、".join(words[0] for words in BODY_WORDS.values())
    raise Refusal("kind", _("“%(text)s” is no kind of body. Known: %(known)s.") % {"text": text[:40], "known": known})
