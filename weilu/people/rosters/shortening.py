"""Names as offices shorten them: 居委会 for 居民委员会, 审计局 for 苍溪县审计局, 第2网格 for 第二网格."""

import re
import unicodedata

DIGITS = "零一二三四五六七八九"
# In this order: what stands on the left is what the right is short for, or the same in other words.
SAME = (
    (re.compile(r"^(?:中共|中国共产党)(.+?)(?<!支部)(?<!居民)(?<!村民)委员会$"), r"\1党委"),
    (re.compile(r"^(?:中共|中国共产党)"), ""),
    (re.compile(r"(?:党?总支部?委员会|党?总支委员?会?|党?总支部)$"), "党总支"),
    (re.compile(r"(?:党?支部委员会|党?支委会?|党支部|支部)$"), "支部"),
    (re.compile(r"居民委员会$"), "居委会"),
    (re.compile(r"村?村民委员会$"), "村委会"),
    (re.compile(r"村村委会$"), "村委会"),
)
ORDINAL = re.compile(r"第?([0-9]{1,2}|[一二三四五六七八九十]{1,3})(?=(?:小区|联合|机关)?(?:党?支部|党?小组|网格|总支))")


def fold(name: str) -> str:
    """Return a name as it is compared: half width, without blanks."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def spellings(name: str) -> set[str]:
    """Return how the name may stand in the database: with brackets of either width."""
    half = fold(name)
    return {name, half, half.replace("(", "（").replace(")", "）")}


def in_words(number: int) -> str:
    """Return a number below a hundred as Chinese writes it: 2 is 二, 12 is 十二."""
    tens, ones = divmod(number, 10)
    head = "" if not tens else "十" if tens == 1 else DIGITS[tens] + "十"
    return (head + (DIGITS[ones] if ones or not tens else "")) or DIGITS[0]


def _ordinal(match: re.Match[str]) -> str:
    number = match[1]
    return "第" + (in_words(int(number)) if number.isdigit() else number)


def shortened(name: str, county: tuple[str, ...] = ()) -> str:
    """Return one form for all the ways in which offices shorten a name.

    Args:
        county: names of the county, which may stand before it or be left out.
    """
    text = fold(name)
    for pattern, put in SAME[:2]:
        text = pattern.sub(put, text)
    for head in (*county, "县"):
        if text.startswith(head) and len(text) > len(head) + 2:
            text = text.removeprefix(head)
            break
    for pattern, put in SAME[2:]:
        text = pattern.sub(put, text)
    return ORDINAL.sub(_ordinal, text)
