"""The places of the invented city, as files of divisions that the importer reads."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from weilu.demo.published.plan import CITY, CITY_NAME, COUNTY, COUNTY_COMMUNITY, COUNTY_NAME, STREETS, TOWNS, Plan
from weilu.lib.import_result import ImportProblem
from weilu.orgs import import_divisions

Row = tuple[str, str, str]


def import_places(plan: Plan, folder: Path) -> None:
    """Write the files of the plan's divisions and grids, and import them."""
    _write(folder / "cities.csv", "provinceCode", [(CITY, CITY_NAME, CITY[:2])])
    _write(folder / "areas.csv", "cityCode", _counties(plan))
    _write(folder / "townships.csv", "areaCode", _townships(plan))
    _write(folder / "villages.csv", "townshipCode", _villages(plan))
    _write(folder / "grids.csv", "villageCode", _grids(plan))
    result = import_divisions.run(folder, console=Console(quiet=True))
    if result.refused:
        raise ImportProblem(f"{result.refused} places were refused, the first: {result.errors[0]}")


def _write(file: Path, parent: str, rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["code", "name", parent])
        writer.writerows(rows)


def _counties(plan: Plan) -> Iterator[Row]:
    for district in plan.districts:
        yield district.code, district.name, CITY
    yield COUNTY, COUNTY_NAME, CITY


def _townships(plan: Plan) -> Iterator[Row]:
    for district in plan.districts:
        for code in dict.fromkeys(community.code[:9] for community in district.communities):
            yield code, f"{STREETS[int(code[-3:]) - 1]}街道办事处", district.code
    for code in dict.fromkeys([plan.county_community[:9], *(village.code[:9] for village in plan.villages)]):
        yield code, f"{TOWNS[int(code[-3:]) - 100]}镇", COUNTY


def _villages(plan: Plan) -> Iterator[Row]:
    for community in plan.communities:
        yield community.code, community.committee, community.code[:9]
    yield plan.county_community, f"{COUNTY_COMMUNITY}居民委员会", plan.county_community[:9]
    for village in plan.villages:
        yield village.code, f"{village.name}村民委员会".replace("村村民", "村民"), village.code[:9]


def _grids(plan: Plan) -> Iterator[Row]:
    for community in plan.communities:
        for number, code in enumerate(community.grids, start=1):
            yield code, f"第{number}网格", community.code
    for village in plan.villages:  # villages have grids too, which are no community's
        yield f"{village.code}-01", "第1网格", village.code
