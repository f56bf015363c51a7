"""Open the platform for a county: its numbers, modules and categories, as rows that it then edits."""

import re

from django.db import transaction
from pypinyin import Style, lazy_pinyin

from weilu.matters.models import Category, Module
from weilu.orgs.models import Jurisdiction, Level, Place

# The nine modules (source 002), with the icon that a resident's page shows.
MODULES = [
    ("ask", "我要问", "Ask", "政策、办事怎么办", "How something is done, what is my right", "help-circle"),
    (
        "report",
        "随手拍",
        "Snapshot",
        "路灯、垃圾、坑洼，拍下来",
        "A lamp, rubbish, a hole in the road: take a photo",
        "camera",
    ),
    ("appeal", "我要诉", "Appeal", "家里、村里的难事", "What is hard at home or in the village", "message-plus"),
    ("complain", "我要投诉", "Complain", "服务、作风、质量问题", "About service, conduct or quality", "speakerphone"),
    ("suggest", "我建议", "Suggest", "让这里更好的主意", "An idea that makes it better here", "message-circle"),
    ("errand", "帮我办", "Errand", "请人代办、代跑腿", "Somebody to do it for me", "heart-handshake"),
    (
        "service",
        "点服务",
        "Order a service",
        "维修、理发、义诊等服务",
        "Repairs, a haircut, a doctor's round",
        "clipboard-list",
    ),
    (
        "mediate",
        "请调解",
        "Mediation",
        "邻里、家庭、土地纠纷",
        "A dispute with neighbours, in the family, about land",
        "users",
    ),
    ("praise", "我点赞", "Praise", "好人好事、好服务", "A good deed, a good service", "thumb-up"),
]

# Seven usual classes of residents' messages, and what a township adds; days are working days to answer in.
CATEGORIES = [
    ("urban_rural", "城乡建设", "Construction and housing", 7),
    ("traffic", "交通运输", "Roads and transport", 5),
    ("environment", "环境保护", "Environment", 5),
    ("labour", "劳动和社会保障", "Work and social security", 7),
    ("education", "教育文体", "Education, culture, sport", 7),
    ("commerce", "商贸旅游", "Trade and tourism", 7),
    ("health", "卫生计生", "Health", 5),
    ("public_works", "市政设施", "Street lamps, water, drains", 3),
    ("farming", "农业农村", "Farming and countryside", 5),
    ("civil_affairs", "民政救助", "Allowances and care", 5),
    ("disputes", "矛盾纠纷", "Disputes", 5),
    ("other", "其他", "Other", 5),
]


class OpeningError(ValueError):
    """The county cannot be opened; the message says why."""


def initials(name: str) -> str:
    """Return the initials of a place's name in pinyin, without its kind: ``苍溪县`` gives ``CX``."""
    stem = re.sub(r"(自治县|自治州|自治区|市|县|区|省|旗)$", "", name) or name
    return "".join(lazy_pinyin(stem, style=Style.FIRST_LETTER)).upper()[:4]


@transaction.atomic
def open_jurisdiction(code: str, *, prefix: str = "", title: str = "") -> Jurisdiction:
    """Open the platform for the place ``code``; again changes nothing.

    Args:
        prefix: head of its numbers; by default the initials, or the code where they are taken.
        title: of its pages; by default from its name.

    Raises:
        OpeningError: there is no such place, it lies below a county, or the prefix is taken or malformed.
    """
    place = Place.objects.filter(code=code, valid_to=None).first()
    if place is None:
        raise OpeningError(f"There is no place {code}. Import its divisions first: weilu import divisions FOLDER")
    if place.level > Level.COUNTY:
        raise OpeningError(f"{place.name} lies below a county; open the county it belongs to.")
    if there := Jurisdiction.objects.filter(place=place).first():
        return there
    prefix = (prefix or initials(place.name)).upper()
    if not re.fullmatch(r"[A-Z]{1,7}\d?", prefix):
        raise OpeningError(f"The prefix {prefix} must be one to seven letters and at most one digit.")
    if Jurisdiction.objects.filter(prefix=prefix).exists():
        raise OpeningError(f"The prefix {prefix} is taken; choose another with --prefix.")
    jurisdiction = Jurisdiction.objects.create(place=place, prefix=prefix, title=title or f"{place.name} · 围炉")
    Module.objects.bulk_create(
        Module(
            jurisdiction=jurisdiction,
            code=code,
            name=name,
            name_en=name_en,
            hint=hint,
            hint_en=hint_en,
            icon=icon,
            position=position,
        )
        for position, (code, name, name_en, hint, hint_en, icon) in enumerate(MODULES)
    )
    Category.objects.bulk_create(
        Category(jurisdiction=jurisdiction, code=code, name=name, name_en=name_en, days=days, position=position)
        for position, (code, name, name_en, days) in enumerate(CATEGORIES)
    )
    return jurisdiction
