"""Names of places: as they are written in full, and as people say them."""

import re
import unicodedata

from weilu.orgs.models import Level

# 委员会 and its shorter forms, with the slips that official lists hold: 委员, 委会会, 委员会会.
_BOARD = r"(?:委员会?|委会|委)会?$"
_COMMUNITY = re.compile(r"(?<=社区)(?:居民|村民|居|村)?(?:管理)?" + _BOARD)
_BANNER_VILLAGE = re.compile(r"(?<=嘎查)(?:村民|牧民|村|牧)?" + _BOARD)
_VILLAGE = re.compile(r"(?:村民|村牧民|农牧民|牧民|村|牧)" + _BOARD)
_RESIDENTS = re.compile(r"(?:居民居|居民|居|家属|家)(?:管理)?" + _BOARD)
# A note behind the committee: 朱坊村委会(朱家坊), 柳树埫居委会(社区).
_NOTE = re.compile(r"(?<=会)(?:\([^()]*\))+$")
_WHOLE = ("村", "社区", "生活区", "嘎查")


def full_name(text: str) -> str:
    """Return a name as it is kept: half width where there is a choice (NFKC), no control characters, blanks trimmed."""
    if text.isalnum() and text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    if plain.isalnum():
        return plain
    return " ".join("".join(char if char.isprintable() else " " for char in plain).split())


def short_name(name: str, level: int) -> str:
    """Return the name without its committee: ``白观村村民委员会`` gives ``白观村``, ``文昌居委会`` gives ``文昌社区``.

    Villages without a word for what they are get 村, residents' committees 社区. What is no committee of a village or
    community keeps its name.

    Args:
        name: the full name, see :func:`full_name`.
        level: of :class:`weilu.orgs.models.Level`.
    """
    if level == Level.TOWNSHIP:
        return re.sub(r"(?<=.街道)办事处$", "", name)
    if level == Level.VILLAGE:
        return _short_village(name)
    return name


def _short_village(name: str) -> str:
    if name.endswith(_WHOLE):
        return name
    bare = _NOTE.sub("", name)
    for pattern in (_COMMUNITY, _BANNER_VILLAGE):
        if (stem := pattern.sub("", bare)) != bare:
            return stem
    for pattern, kind in ((_VILLAGE, "村"), (_RESIDENTS, "社区")):
        stem = pattern.sub("", bare)
        if stem and stem != bare:
            stem = _short_village(stem)  # some lists say it twice: 西张口村委会村民委员会
            return stem if stem.endswith(_WHOLE) else stem + kind
    return name
