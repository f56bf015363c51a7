"""The plan of the invented city: how many of what stand where, so that each published figure comes out of it.

Codes are of the form of GB/T 2260 and given to nobody; names, people and numbers are invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from weilu.indicators.published import CITY, COUNTY, PLACES, published

CITY_NAME, COUNTY_NAME, COUNTY_COMMUNITY = "围炉市", "夜话县", "夜话社区"
DISTRICTS = (("517002", "灯明区", "DM"), ("517003", "灶前区", "ZQ"), ("517004", "院坝区", "YB"))
STREETS = ("望江", "文昌", "迎宾", "东门", "西坪", "北塔", "南桥", "学府")
TOWNS = ("龙泉", "石桥", "木门", "元坝", "白鹤", "柏林", "双河", "永宁", "东溪", "岳东", "云台", "禅林", "三川")
COMMUNITY_NAMES = [a + b for b in "园桥井溪塘坡湾林泉庭" for a in "春夏秋冬晨暮晴雪松竹梅兰荷菊枫柏"]
VILLAGE_NAMES = [a + b for b in "山河沟坝岭垭湾坪塘桥井林石水田岩" for a in "青白黄红黑大小上下前后左右新老高"]
ESTATE_NAMES = [
    a + b
    for b in ("苑", "府", "家园", "新居")
    for a in ("锦绣", "江南", "书香", "凤凰", "望景", "和顺", "金桂", "阳光")
]
ESTATE_NAMES += [f"{a}公寓" for a in ("嘉陵", "状元", "翡翠", "世纪", "月亮湾", "梨花", "滨江", "百利")]
PROFESSIONS = ("综合", "法律", "文教", "医疗")
TEAMS = (*PROFESSIONS, "助老", "环保", "便民")
VILLAGES = 249


def spread(total: int, among: int) -> list[int]:
    """Divide ``total`` as evenly as whole numbers allow."""
    base, rest = divmod(total, among) if among else (0, 0)
    return [base + (index < rest) for index in range(among)]


def is_one_of(index: int, wanted: int, among: int) -> bool:
    """Tell whether ``index`` is one of ``wanted`` chosen evenly from ``among``."""
    return (index + 1) * wanted // among != index * wanted // among


@dataclass(frozen=True)
class Estate:
    """A housing estate: its branch, and whether it has an owners' committee and a property firm, led by whom.

    Attributes:
        number: counted through the city.
        grid: code of the grid that it lies on.
        owners, firm: ``red``, ``other`` or nothing.
    """

    number: int
    community: "Community"
    name: str
    grid: str
    owners: str
    firm: str

    @property
    def full(self) -> str:
        return f"{self.community.name}{self.name}"

    @property
    def branch(self) -> str:
        return f"{self.full}小区党支部"


@dataclass
class Community:
    """A community of the city."""

    number: int
    code: str
    name: str
    grids: list[str]
    workers: int
    grid_workers: int
    estates: list[Estate] = field(default_factory=list)

    @property
    def committee(self) -> str:
        return f"{self.name}居民委员会"


@dataclass
class District:
    """A district of the city: a county, with an office of its own."""

    index: int
    code: str
    name: str
    prefix: str
    communities: list[Community] = field(default_factory=list)

    @property
    def estates(self) -> Iterator[Estate]:
        return (estate for community in self.communities for estate in community.estates)


@dataclass
class Village:
    """A village of the county."""

    code: str
    name: str
    cadres: int
    members: int


@dataclass(frozen=True)
class Plan:
    """All places and numbers at a scale: 1 is the size published, 100 a hundredth of it."""

    scale: int = 1

    @cached_property
    def numbers(self) -> dict[str, int]:
        """What is expected of each figure."""
        return {fact.figure: fact.at(self.scale) for fact in published()}

    def share(self, number: int) -> int:
        """Return a number that nobody published, at this scale."""
        return max(1, round(number / self.scale))

    @cached_property
    def districts(self) -> list[District]:
        count = self.numbers["F17"]
        found = [District(index, *row) for index, row in enumerate(DISTRICTS[: min(len(DISTRICTS), count)])]
        grids = [self.numbers["F04"], *spread(self.numbers["F19"] - self.numbers["F04"], count - 1)]
        workers = spread(self.numbers["F09"], count)
        for number in range(count):
            district = found[number % len(found)]
            street, serial = divmod(len(district.communities), len(STREETS))
            code = f"{district.code}{street + 1:03d}{serial + 1:03d}"
            codes = [f"{code}-{grid:02d}" for grid in range(1, grids[number] + 1)]
            walking = self.numbers["F08"] if code == PLACES["community"] else len(codes)
            name = f"{COMMUNITY_NAMES[number]}社区"
            district.communities.append(Community(number, code, name, codes, workers[number], walking))
        self._build_estates(found)
        return found

    def _build_estates(self, districts: list[District]) -> None:
        communities = sorted((each for row in districts for each in row.communities), key=lambda each: each.number)
        total, own = self.numbers["F10"], self.numbers["F05"] - self.grid_branches
        number = 0
        for community, count in zip(communities, [own, *spread(total - own, len(communities) - 1)], strict=True):
            for index in range(count):
                name, grid = ESTATE_NAMES[index], community.grids[index % len(community.grids)]
                owners = self._colour(number, "F11", total, 6)
                firm = self._colour(total - 1 - number, "F12", total, 8)
                community.estates.append(Estate(number, community, name, grid, owners, firm))
                number += 1

    def _colour(self, number: int, figure: str, total: int, every: int) -> str:
        if is_one_of(number, self.numbers[figure], total):
            return "red"
        return "other" if number % every == 1 else ""

    @property
    def grid_branches(self) -> int:
        """Branches of the one community that stand on grids; its others, at least one, serve estates."""
        return min(self.numbers["F04"], self.numbers["F05"] - 1)

    @cached_property
    def communities(self) -> list[Community]:
        return [each for district in self.districts for each in district.communities]

    @property
    def one(self) -> Community:
        """The community whose own figures are published."""
        return self.districts[0].communities[0]

    @cached_property
    def estates(self) -> list[Estate]:
        return sorted((each for row in self.districts for each in row.estates), key=lambda each: each.number)

    @cached_property
    def reported(self) -> list[int]:
        """How many employed members reported to each estate."""
        return spread(self.numbers["F14"], len(self.estates))

    # Volunteer teams: name, speciality, place, estate that they serve.

    @cached_property
    def teams(self) -> list[list[tuple[str, str, str, str]]]:
        """The volunteer teams of each district."""
        found: list[list[tuple[str, str, str, str]]] = [[] for _each in self.districts]
        one = self.one
        for number in range(1, self.numbers["F07"] + 1):
            found[0].append((f"{one.name}青年志愿服务第{number}队", "青年", one.code, ""))
        estate = next(each for each in self.estates if each.grid == PLACES["estate"])
        for speciality in PROFESSIONS[: self.numbers["F16"]]:
            found[1].append((f"{estate.full}{speciality}志愿服务队", speciality, estate.grid, estate.name))
        left = self.numbers["F20"] - self.numbers["F07"] - self.numbers["F16"]
        for community, count in zip(self.communities, spread(left, len(self.communities)), strict=True):
            row = found[next(each.index for each in self.districts if community in each.communities)]
            for number in range(count):
                speciality = TEAMS[number % len(TEAMS)]
                row.append((f"{community.name}{speciality}志愿服务第{number + 1}队", speciality, community.code, ""))
        return found

    # The county.

    @cached_property
    def villages(self) -> list[Village]:
        count = self.share(VILLAGES)
        cadres, members = spread(self.numbers["F41"], count), spread(self.numbers["F42"], count)
        return [
            Village(self._village_code(number), f"{VILLAGE_NAMES[number]}村", cadres[number], members[number])
            for number in range(count)
        ]

    @staticmethod
    def _village_code(number: int) -> str:
        town, serial = number % len(TOWNS), number // len(TOWNS)
        return f"{COUNTY}{100 + town}{201 + serial}"

    @property
    def county_community(self) -> str:
        """Code of the county's own community, whose members are not rural."""
        return f"{COUNTY}100001"


__all__ = ["CITY", "CITY_NAME", "COUNTY", "COUNTY_NAME", "Community", "District", "Estate", "Plan", "Village", "spread"]
