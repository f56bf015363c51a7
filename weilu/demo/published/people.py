"""The people of the invented city, as rows of the rosters that offices keep."""

from collections.abc import Callable, Iterator
from pathlib import Path

from weilu.demo.published import persons
from weilu.demo.published.bodies import BUREAUS
from weilu.demo.published.persons import Somebody, somebody
from weilu.demo.published.plan import COUNTY, COUNTY_COMMUNITY, District, Plan, Village, spread
from weilu.demo.published.sheets import Line, enter

PARTY = ["姓名", "所在党支部", "身份证号", "入党时间", "转入时间"]
POSTS = ["姓名", "单位", "职务", "身份证号", "任职时间"]
SINCE, TERM = "2020-07-01", "2021-03-01"
CHAIR = "主任"
CREW = ("保洁班长", "维修班长", "安保班长")
Enter = Callable[[Plan, District, Path], None]


def enter_workers(plan: Plan, district: District, folder: Path) -> None:
    """Enter the community workers of a district."""

    def rows() -> Iterator[Line]:
        number = persons.WORKERS
        for community in district.communities:
            for _each in range(community.workers):
                who = somebody(district.code, number)
                yield [who.name, community.name, who.id_number, "2020-09-01"]
                number += 1

    headings = ["姓名", "所在社区", "身份证号", "入职时间"]
    enter(folder / "workers.xlsx", "community-workers", district.code, headings, rows())


def enter_grid_workers(plan: Plan, district: District, folder: Path) -> None:
    """Enter the grid workers of a district."""

    def rows() -> Iterator[Line]:
        number = persons.GRID_WORKERS
        for community in district.communities:
            for at in range(community.grid_workers):
                who = somebody(district.code, number)
                yield [who.name, community.grids[at % len(community.grids)], who.id_number, "2021-04-01"]
                number += 1

    headings = ["姓名", "网格编码", "身份证号", "上岗时间"]
    enter(folder / "grid-workers.xlsx", "grid-workers", district.code, headings, rows())


def enter_volunteers(plan: Plan, district: District, folder: Path, *, count: int) -> None:
    """Enter ``count`` volunteers of a district, divided among its teams."""
    teams = plan.teams[district.index]

    def rows() -> Iterator[Line]:
        number = persons.VOLUNTEERS
        for (team, *_rest), share in zip(teams, spread(count, len(teams)), strict=True):
            for _each in range(share):
                who = somebody(district.code, number)
                yield [who.name, team, who.id_number, "2021-05-04"]
                number += 1

    enter(
        folder / "volunteers.xlsx", "volunteers", district.code, ["姓名", "志愿服务队", "身份证号", "加入时间"], rows()
    )  # fmt: skip


def enter_reported(plan: Plan, district: District, folder: Path) -> None:
    """Enter the employed members who reported to the estates of a district, in January 2022."""

    def rows() -> Iterator[Line]:
        number = persons.REPORTED
        for estate in district.estates:
            for _each in range(plan.reported[estate.number]):
                who = somebody(district.code, number)
                yield [who.name, estate.branch, who.id_number, who.joined, f"2022-01-{4 + number % 20:02d}"]
                number += 1

    headings = ["姓名", "报到党支部", "身份证号", "入党时间", "报到时间"]
    enter(folder / "reported.xlsx", "reported", district.code, headings, rows())


# Who leads owners' committees and property firms, and which of them are members of the Party.


def _leaders(district: District) -> Iterator[tuple[Somebody, str, str, str, bool]]:
    """Yield those in posts: who, branch of the estate, body, post, whether a member."""
    for number, estate in enumerate(district.estates):
        owners, firm = f"{estate.full}业主委员会", f"{estate.full}物业服务中心"
        if estate.owners:
            chair = somebody(district.code, persons.CHAIRS + number)
            yield chair, estate.branch, owners, CHAIR, estate.owners == "red"
        if estate.firm:
            head = somebody(district.code, persons.HEADS + number)
            yield head, estate.branch, firm, "项目主任", estate.firm == "red" or number % 2 == 0
            member = somebody(district.code, persons.STAFF + number)
            joined = estate.firm == "red" or number % 2 == 1
            yield member, estate.branch, firm, CREW[number % 3], joined


def enter_members(plan: Plan, district: District, folder: Path) -> None:
    """Enter those members of the estates' branches who hold a post beside."""
    rows = (
        [who.name, branch, who.id_number, who.joined, SINCE]
        for who, branch, _body, _post, member in _leaders(district)
        if member
    )
    enter(folder / "members.xlsx", "members", district.code, PARTY, rows)


def enter_posts(plan: Plan, district: District, folder: Path) -> None:
    """Enter the chairs of owners' committees; and heads and crews of firms, who work there."""
    for file, kind, chairs in (("chairs.xlsx", "village-cadres", True), ("firms.xlsx", "cadres", False)):
        rows = (
            [who.name, body, post, who.id_number, TERM]
            for who, _branch, body, post, _member in _leaders(district)
            if (post == CHAIR) is chairs
        )
        enter(folder / file, kind, district.code, POSTS, rows)


# The county.


def _first(villages: list[Village]) -> list[int]:
    """Return the number of the first person of each village."""
    found, number = [], persons.MEMBERS
    for village in villages:
        found.append(number)
        number += max(village.members, village.cadres)
    return found


def enter_rural_members(plan: Plan, folder: Path) -> None:
    """Enter the members of the villages' branches, those in posts first; and some of a community, who are not rural."""

    def rows() -> Iterator[Line]:
        for village, first in zip(plan.villages, _first(plan.villages), strict=True):
            for number in range(first, first + village.members):
                who = somebody(COUNTY, number)
                yield [who.name, f"{village.name}党支部", who.id_number, who.joined, SINCE]
        for number in range(persons.OTHERS, persons.OTHERS + plan.share(300)):
            who = somebody(COUNTY, number)
            yield [who.name, f"{COUNTY_COMMUNITY}党支部", who.id_number, who.joined, SINCE]

    enter(folder / "members.xlsx", "members", COUNTY, PARTY, rows())


def enter_heads(plan: Plan, folder: Path) -> None:
    """Enter the heads of the county's bureaus."""
    people = [somebody(COUNTY, persons.BUREAUS + number) for number in range(len(BUREAUS))]
    rows = ([who.name, bureau, "局长", who.id_number, TERM] for who, bureau in zip(people, BUREAUS, strict=True))
    enter(folder / "heads.xlsx", "cadres", COUNTY, POSTS, rows)


def enter_village_cadres(plan: Plan, folder: Path) -> None:
    """Enter the two committees of each village; who leads both holds two posts and counts once."""

    def rows() -> Iterator[Line]:
        for village, first in zip(plan.villages, _first(plan.villages), strict=True):
            committee, branch = f"{village.name}村民委员会", f"{village.name}党支部"
            for at in range(village.cadres):
                who = somebody(COUNTY, first + at)
                posts = [(branch, "书记"), (committee, "主任")] if at == 0 else [_ordinary(at, committee, branch)]
                for body, post in posts:
                    yield [who.name, body, post, who.id_number, TERM]

    enter(folder / "village-cadres.xlsx", "village-cadres", COUNTY, POSTS, rows())


def _ordinary(at: int, committee: str, branch: str) -> tuple[str, str]:
    if at == 1:
        return branch, "副书记"
    return (committee, "委员") if at % 2 else (branch, "委员")
