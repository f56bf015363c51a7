"""Which rows of a sheet are people, which open a group, and which are remarks: nobody is passed over in silence."""

import re
import unicodedata
from typing import TYPE_CHECKING

from weilu.people.rosters.books import UNKEPT, Cell
from weilu.people.rosters.kinds import BODY_KINDS, fold_heading, known_as

if TYPE_CHECKING:
    from weilu.people.rosters.reading import Roster

LONGEST_GROUP = 60
# 四级正干部（181人）; 一、城关镇（共12名）
_NUMBER = r"(?:[一二三四五六七八九十百]+、|[（(][一二三四五六七八九十]+[)）])"
NUMBERED = re.compile(rf"^{_NUMBER}\s*")
COUNTED = re.compile(rf"^(?:{_NUMBER}|\d+[、.])?\s*(.+?)\s*[（(]\s*(?:共|合计)?\s*(\d+)\s*[人名个位户]?\s*[)）]$")
# Labels that stand below the last row or between, as no name does: with a colon behind them, or a seal.
LABEL = re.compile(
    r"^(?:(?:注|说明|备注|填表|制表|审核|审批|填报|单位|负责人|联系人|日期|时间|示例|例如?)[^:]{0,14}:|.{0,14}\((?:盖章|公章|签字|签章)\)"
    r"|第\d+页|共\d+页|以下空白|以下无正文|\d{4}年\d{1,2}月(?:\d{1,2}日)?$|年月日$)"
)
PLAIN_NAME = re.compile(r"[㐀-鿿]{2,4}")
# What may stand without one, in rows that name nobody.
SIGNED = re.compile(
    r"^(?:填表|制表|审核|审批|填报|编制)(?:人|单位|日期|时间|说明|意见)|^(?:注|说明|备注|填表说明)(?:$|[一1][、.])"
)
SUM = re.compile(r"^(?:合计|总计|小计|共计)(?:$|[:\d(共])|^共\d+[人名个位户](?:$|[,;。])")
COUNT = re.compile(r"^[共计]*\d+(?:\.0)?[人名个位户]?$")
SAMPLE = re.compile(r"^(?:示例|样例|例|例如|范例)\d*$")
# What a text in the column of names is when it stands alone in its row and is no name.
RANKED = re.compile(r"级|职|干部|调研员|科员")
BODY_LIKE = re.compile(
    r"(?:支部|总支|党委|党组|镇|乡|街道|村|社区|委员会|居委会|村委会|局|办|办公室|中心|[站所队组部院校]|网格|单位|公司|协会|人员)$"
)

Filled = list[tuple[int, str]]


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKC", "".join(text.split()))


class Sieve:
    """Sorts the rows of one roster."""

    def __init__(self, roster: "Roster"):
        self.kind, self.mapping = roster.kind, roster.mapping
        self.name_at = roster.at("name")
        self.folded = [fold_heading(text) for text in roster.headings]
        self.wide = roster.book.wide(roster.sheet)

    def is_plain(self, cells: list[Cell]) -> bool:
        """Tell whether a row is somebody beyond doubt, without looking at all of its cells: a Chinese name, and
        something else that we keep. Of other rows nothing is said."""
        name = cells[self.name_at] if self.name_at is not None and self.name_at < len(cells) else ""
        if not isinstance(name, str) or not PLAIN_NAME.fullmatch(name) or LABEL.match(name) or SUM.match(name):
            return False
        if fold_heading(name) == self.folded[self.name_at] or known_as(self.kind, name):  # type: ignore[index]
            return False
        index, first = next((index, cell) for index, cell in enumerate(cells) if cell != "")
        if index not in self.mapping and isinstance(first, str) and SAMPLE.match(_bare(first)):
            return False
        return any(
            isinstance(cells[at], str) and cells[at] != name and cells[at].strip()
            for at in self.mapping
            if at < len(cells)
        )

    def is_remark(self, number: int, filled: Filled) -> bool:
        """Tell whether a row is a remark, a sum, a signature or the header once more: what names nobody."""
        if self._is_header(filled):
            return True
        if self._names_somebody(filled):
            return False
        index, text = filled[0]
        first = _bare(text)
        if LABEL.match(first) or SIGNED.match(first) or SUM.match(first) or SAMPLE.match(first):
            return True
        if len(filled) > 1 or text == UNKEPT:
            return False
        if index not in self.mapping:
            behind = self.name_at is not None and index > self.name_at
            return behind or first.isdecimal() or len(first) > LONGEST_GROUP
        return (number, index) in self.wide and len(first) > LONGEST_GROUP

    def _names_somebody(self, filled: Filled) -> bool:
        """Tell whether a name stands there with something else that we keep: a person, entered or refused."""
        texts = dict(filled)
        name = _bare(texts.get(self.name_at, "")) if self.name_at is not None else ""
        if not name or LABEL.match(name) or COUNT.match(name):
            return False
        others = [text for index, text in filled if index in self.mapping and index != self.name_at]
        if SUM.match(name) and all(COUNT.match(_bare(text)) for text in others):
            return False
        index, text = filled[0]
        if index not in self.mapping and SAMPLE.match(_bare(text)):
            return False
        return bool(others)

    def _is_header(self, filled: Filled) -> bool:
        """Tell whether a row repeats the header, as on each printed page."""
        return all(
            index < len(self.folded)
            and (
                fold_heading(text) == self.folded[index]
                or (index in self.mapping and known_as(self.kind, text) == self.mapping[index])
            )
            for index, text in filled
        )

    def group(self, number: int, filled: Filled) -> tuple[str, int] | None:
        """Return the group that a row opens, and how many it announces: a text that stands alone in its row.

        What stands alone below the heading of a branch, a number or a remark is a person without a name, not a group.
        """
        index, text = filled[0]
        if text == UNKEPT or any(other != text for _index, other in filled):
            return None
        if found := COUNTED.match(text):
            return found.group(1), int(found.group(2))
        if (
            len(filled) > 2
            or (number, index) in self.wide
            or NUMBERED.match(text)
            or (self.kind.becomes == "body" and fold_heading(text) in BODY_KINDS)
            or self._alone(index, text)
        ):
            return NUMBERED.sub("", text), 0
        return None

    def _alone(self, index: int, text: str) -> bool:
        if index not in self.mapping:
            return self.name_at is None or index < self.name_at
        if index != self.name_at or self.kind.becomes == "body" or len(text) > LONGEST_GROUP:
            return False
        return len(text) > 3 and bool(RANKED.search(text) or BODY_LIKE.search(text))
