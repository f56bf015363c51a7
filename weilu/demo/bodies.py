"""Organisations of the demo county."""

from random import Random

from weilu.demo.county import COMMUNITY, TOWN, County, in_town, is_community
from weilu.demo.places import ORDINALS
from weilu.lib.copying import copy_rows
from weilu.orgs.models import Organisation, Place

Kind = Organisation.Kind
DEPARTMENTS = {
    "housing": "住房和城乡建设局",
    "transport": "交通运输局",
    "ecology": "生态环境局",
    "labour": "人力资源和社会保障局",
    "education": "教育局",
    "health": "卫生健康局",
    "farming": "农业农村局",
    "civil": "民政局",
    "market": "市场监督管理局",
    "water": "水利局",
    "police": "公安局",
    "urban": "综合行政执法局",
    "nature": "自然资源局",
    "justice": "司法局",
    "culture": "文化旅游和体育局",
    "economy": "经济商务和信息化局",
    "emergency": "应急管理局",
    "insurance": "医疗保障局",
    "disabled": "残疾人联合会",
    "hotline": "12345热线办",
    "organisation": "县委组织部",
}
TEAMS = ["爱心助老志愿服务队", "便民维修志愿服务队", "绿色家园志愿服务队"]


def found_bodies(county: County, rng: Random) -> None:
    """Make the county's departments, and the bodies of each township, village and community."""
    for number, (code, name) in enumerate(DEPARTMENTS.items()):
        title = name if name.startswith("县") else f"苍溪县{name}"
        county.departments[code] = _body(county, Kind.DEPARTMENT, title, county.place, f"0839-55502{number:02d}")
    for number, township in enumerate(county.townships):
        _found_township(county, township, number)
    for village in county.villages:
        _found_village(county, village, rng)
    groups = (county.offices, county.teams, county.branches)
    bodies = [*county.departments.values(), *county.committees.values()]
    bodies += [body for group in groups for found in group.values() for body in found]
    copy_rows(Organisation, bodies)


def _body(county: County, kind: Kind, name: str, place: Place, phone: str = "") -> Organisation:
    return Organisation(jurisdiction=county.jurisdiction, kind=kind, name=name, place=place, phone=phone)


def _found_township(county: County, township: Place, number: int) -> None:
    stem = township.short_name.removeprefix("苍溪县").removeprefix("苍溪")
    for position, office in enumerate(("综合治理办公室", "便民服务中心")):
        phone = f"0839-5551{number:02d}{position}"
        county.offices[township.pk].append(_body(county, Kind.OFFICE, stem + office, township, phone))
    for team in TEAMS if township.code == TOWN else TEAMS[:1]:
        county.teams[township.pk].append(_body(county, Kind.VOLUNTEERS, stem + team, township))


def _found_village(county: County, village: Place, rng: Random) -> None:
    name = village.name if village.name.endswith("委员会") else f"{village.short_name}管理委员会"
    phone = f"0839-555{rng.randint(2000, 9999)}"
    county.committees[village.pk] = _body(county, Kind.COMMUNITY, name, village, phone)
    count = 1
    if is_community(village) and in_town(village):
        count = 3 if village.code == COMMUNITY else rng.choice((2, 2, 3))
    for number in range(count):
        branch = f"第{ORDINALS[number]}小区党支部" if count > 1 else "党支部"
        county.branches[village.pk].append(_body(county, Kind.BRANCH, village.short_name + branch, village))
