"""The bodies of the invented city, as rows of the roster of bodies."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from weilu.demo.published.plan import COUNTY, COUNTY_COMMUNITY, TOWNS, Community, District, Plan
from weilu.demo.published.sheets import Line, enter

HEADINGS = ["名称", "类别", "所在村（社区）", "上级组织", "专业", "服务小区", "成立时间"]
SINCE, LATER = "2012-03-01", "2018-05-01"
BUREAUS = tuple(f"夜话县{name}" for name in ("住房和城乡建设局", "农业农村局", "交通运输局", "水利局"))


def enter_bodies(plan: Plan, district: District, folder: Path) -> None:
    """Enter the bodies of a district: committees, branches, groups, owners' committees, firms, teams."""
    rows = (row for community in district.communities for row in _community(plan, community))
    teams = (
        [name, "志愿服务队", place, "", what, estate, LATER] for name, what, place, estate in plan.teams[district.index]
    )
    enter(folder / "bodies.xlsx", "organisations", district.code, HEADINGS, chain(rows, teams))


def _community(plan: Plan, community: Community) -> Iterator[Line]:
    committee = f"{community.name}党委"
    yield [community.committee, "社区居委会", community.code, "", "", "", SINCE]
    yield [committee, "党委", community.code, "", "", "", SINCE]
    branches: list[tuple[str, str]] = []
    if community is plan.one:
        for number, grid in enumerate(community.grids[: plan.grid_branches], start=1):
            branches.append((f"{community.name}第{number}网格党支部", grid))
            yield [branches[-1][0], "网格党支部", grid, committee, "", "", LATER]
    for estate in community.estates:
        branches.append((estate.branch, estate.grid))
        yield [estate.branch, "小区党支部", estate.grid, committee, "", estate.name, LATER]
        if estate.owners:
            yield [f"{estate.full}业主委员会", "业委会", estate.grid, "", "", estate.name, LATER]
        if estate.firm:
            yield [f"{estate.full}物业服务中心", "物业公司", estate.grid, "", "", estate.name, LATER]
    if community is plan.one:
        for number in range(plan.numbers["F06"]):
            branch, grid = branches[number % len(branches)]
            yield [f"{community.name}第{number + 1}楼栋党小组", "党小组", grid, branch, "", "", LATER]


def enter_county_bodies(plan: Plan, folder: Path) -> None:
    """Enter the bodies of the county: bureaus, township offices, two committees of each village."""
    enter(folder / "bodies.xlsx", "organisations", COUNTY, HEADINGS, _county(plan))


def _county(plan: Plan) -> Iterator[Line]:
    for bureau in BUREAUS:
        yield [bureau, "县级部门", COUNTY, "", "", "", SINCE]
    for code in dict.fromkeys(village.code[:9] for village in plan.villages):
        yield [f"{TOWNS[int(code[-3:]) - 100]}镇综合治理办公室", "乡镇办公室", code, "", "", "", SINCE]
    yield [f"{COUNTY_COMMUNITY}居民委员会", "社区居委会", plan.county_community, "", "", "", SINCE]
    yield [f"{COUNTY_COMMUNITY}党支部", "党支部", plan.county_community, "", "", "", SINCE]
    for village in plan.villages:
        yield [f"{village.name}村民委员会", "村委会", village.code, "", "", "", SINCE]
        yield [f"{village.name}党支部", "村党支部", village.code, "", "", "", SINCE]
