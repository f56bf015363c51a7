"""Names in pinyin, as they are typed to find somebody: no tones, ``v`` for ü, surnames as families read them."""

import importlib.util
import runpy
import unicodedata
from functools import cache
from pathlib import Path

# Surnames that are read otherwise than the character in running text.
_OF_ONE = (
    "单:shan 仇:qiu 区:ou 曾:zeng 解:xie 查:zha 朴:piao 盖:ge 覃:qin 缪:miao 翟:zhai 种:chong 折:she 召:shao 隗:wei "
    "员:yun 黑:he 乐:yue 秘:bi 洗:xian 繁:po 句:gou 阚:kan 卜:bu 薄:bo 佴:nai 祭:zhai 都:du 长:chang 重:chong"
)
_OF_TWO = (
    "尉迟:yu,chi 万俟:mo,qi 长孙:zhang,sun 单于:chan,yu 欧阳:ou,yang 上官:shang,guan 司马:si,ma 诸葛:zhu,ge "
    "令狐:ling,hu 夏侯:xia,hou 皇甫:huang,fu 澹台:tan,tai 宗政:zong,zheng 濮阳:pu,yang 呼延:hu,yan 宇文:yu,wen "
    "慕容:mu,rong 司徒:si,tu 司空:si,kong 东方:dong,fang 独孤:du,gu 南宫:nan,gong 公孙:gong,sun 轩辕:xuan,yuan"
)
SURNAMES = dict(pair.split(":") for pair in _OF_ONE.split())
SURNAMES_OF_TWO = dict(pair.split(":") for pair in _OF_TWO.split())
# What given names are read as, where the first reading in the dictionary is rare in names.
GIVEN = {"长": "chang", "重": "chong", "都": "du", "曾": "zeng"}
LONGEST = 120


@cache
def _readings() -> dict[int, str]:
    """Return pypinyin's dictionary of characters alone: its phrases take 45 MB and a second more and help no name."""
    package = importlib.util.find_spec("pypinyin")
    file = Path(package.origin).with_name("pinyin_dict.py")  # type: ignore[union-attr, arg-type]
    return runpy.run_path(str(file))["pinyin_dict"]


@cache
def _syllable(character: str) -> str:
    """Return the first reading of a character without its tone; what is no Chinese character stays as it is."""
    first = _readings().get(ord(character), character).split(",")[0]
    plain = unicodedata.normalize("NFD", first.lower()).replace("u\u0308", "v")
    return "".join(sign for sign in plain if sign.isalnum() and sign.isascii())


def syllables(name: str) -> list[str]:
    """Return the syllables of a person's name; a name of a minority (``阿依·古丽``) has no surname of ours."""
    text = "".join(name.split())
    head: list[str] = []
    if "·" not in text and (both := SURNAMES_OF_TWO.get(text[:2])):
        head, text = both.split(","), text[2:]
    elif "·" not in text and text[:1] in SURNAMES:
        head, text = [SURNAMES[text[0]]], text[1:]
    return [found for found in [*head, *(GIVEN.get(sign) or _syllable(sign) for sign in text)] if found]


def spell(name: str) -> tuple[str, str]:
    """Return a name in pinyin and its initials: ``("shantianfang", "stf")``."""
    parts = syllables(name)
    return "".join(parts)[:LONGEST], "".join(part[0] for part in parts)[:20]


def fold(text: str) -> str:
    """Return pinyin as somebody types it in the spelling of :func:`spell`: ``Lü Bù`` and ``lyu bu`` give ``lvbu``."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).lower()).replace("u\u0308", "v")
    letters = "".join(sign for sign in plain if sign.isascii() and sign.isalnum())
    return letters.replace("lyu", "lv")
