"""What residents raise in the demo county: invented topics with their words, seasons and handlers."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from weilu.demo.county import is_community
from weilu.orgs.models import Level, Place

DATA = Path(__file__).parent / "data"


# What a text must hold to come in by a module; the other modules take any.
MODULE_WORDS = {
    "ask": re.compile("怎么|吗|请问|哪|什么|能不能|是真的|手续|想问"),
    "suggest": re.compile("建议|希望|能不能"),
    "praise": re.compile("点赞|感谢|真负责|放得好"),
}


@dataclass(frozen=True)
class Topic:
    """One kind of thing that residents raise; texts of one position belong together."""

    code: str
    category: str
    modules: list[str]
    where: str
    hands: list[str]
    subjects: list[str]
    details: list[str]
    outcomes: list[str]
    public: list[str]
    weight: float = 1
    peak: tuple[int, ...] = ()
    off: float = 0.25
    picture: str = ""
    progress: tuple[str, ...] = ()
    question: tuple[str, ...] = ()
    first_only: bool = False

    def weight_in(self, month: int, town: bool) -> float:
        """How often it comes up in a month, in the town or in the country."""
        if self.where not in ("any", "town" if town else "rural"):
            return 0
        season = 1 if not self.peak else 1.8 if month in self.peak else self.off
        return self.weight * season


def draw_module(rng: Random, topic: Topic, variant: int) -> str:
    """Return a module by which residents raise this in these words."""
    text = topic.subjects[variant] + topic.details[variant % len(topic.details)]
    fitting = [name for name in topic.modules if name not in MODULE_WORDS or MODULE_WORDS[name].search(text)]
    plain = {"建议": "suggest", "请问": "ask"}
    said = [name for word, name in plain.items() if word in topic.subjects[variant] and name in fitting]
    return rng.choice(said or fitting or topic.modules)


@cache
def topics() -> dict[str, Topic]:
    """Return all topics by their code."""
    found = {}
    for file in sorted((DATA / "topics").glob("*.toml")):
        for row in tomllib.loads(file.read_text(encoding="utf-8"))["topic"]:
            found[row["code"]] = Topic(**row)
    return found


@cache
def wording() -> dict[str, Any]:
    """Return what is said whatever the matter is about."""
    return tomllib.loads((DATA / "wording.toml").read_text(encoding="utf-8"))


@cache
def _weights(month: int, town: bool) -> list[float]:
    return [topic.weight_in(month, town) for topic in topics().values()]


def draw_topic(rng: Random, month: int, town: bool) -> Topic:
    """Return a topic that fits the season and the place."""
    return rng.choices(list(topics().values()), _weights(month, town))[0]


ROADS = ["滨江路", "解放路", "建设街", "文化路", "育才巷", "桥头街", "环城路", "东风巷", "新华街", "北门街", "江南大道"]
ESTATES = ["江岸花园", "梨苑小区", "滨江小区", "北门安置小区", "金穗苑", "嘉陵雅居", "文焕家园", "育才公寓", "东城新居"]
TOWN_MARKS = ["菜市场门口", "文化广场", "老车站旁边", "桥头", "卫生院对面", "农贸市场后门", "滨江步道入口"]
RURAL_MARKS = ["村委会门口", "老粮站旁边", "堰塘边", "村小学下面", "垭口", "幸福桥桥头", "晒坝边"]
SHOPS = ["一家烧烤店", "一家夜宵摊", "一家火锅店", "一家面馆", "一家生鲜超市", "一家零食店"]
SCHOOLS = ["城东小学", "镇中心小学", "实验幼儿园", "江南小学", "第二中学"]
CROPS = ["猕猴桃", "雪梨", "川明参", "柑橘", "黄花菜"]
ELDERS = ["我母亲", "我父亲", "我婆婆", "隔壁孤老", "我岳母", "我爷爷"]
TIMES = ["晚上十一点", "凌晨一点", "半夜十二点", "早上五点"]


def draw_slots(rng: Random, place: Place) -> dict[str, str]:
    """Return what fills the gaps of a topic's texts, the same in all texts of one matter."""
    town = is_community(place) or place.level < Level.VILLAGE
    pick, whole = rng.choice, rng.randint
    road, number, group = pick(ROADS), whole(1, 180), f"{pick('一二三四五六七八')}组"
    mark = pick(TOWN_MARKS if town else RURAL_MARKS)
    spots = [f"{road}{number}号门口", f"{road}{mark}", mark] if town else [f"{group}路口", f"{group}{mark}", mark]
    return {
        "road": road, "number": str(number), "group": group, "landmark": mark, "spot": pick(spots),
        "estate": pick(ESTATES), "building": str(whole(1, 18)), "floor": str(whole(3, 9)), "shop": pick(SHOPS),
        "school": pick(SCHOOLS), "crop": pick(CROPS), "elder": pick(ELDERS), "time": pick(TIMES),
        "age": str(whole(71, 91)), "age40": str(whole(42, 56)), "days": str(whole(3, 12)), "count": str(whole(2, 9)),
        "few": pick("两三四五"), "people": str(whole(6, 35)), "money": str(whole(6, 90) * 100),
        "meters": str(whole(8, 120)), "area": str(whole(12, 160)), "cubic": str(whole(15, 180)),
        "mu": pick("一二三四五六八"), "route": f"{whole(1, 6)}路公交", "place": place.short_name,
    }  # fmt: skip


def draw_address(rng: Random, place: Place, slots: dict[str, str]) -> str:
    """Return where exactly, as residents write it; often nothing."""
    if rng.random() < 0.25:
        return ""
    if not (is_community(place) or place.level < Level.VILLAGE):
        return f"{slots['group']}{slots['landmark']}"
    home = f"{slots['estate']}{slots['building']}栋"
    return rng.choice([f"{slots['road']}{slots['number']}号", home, f"{slots['road']}{slots['landmark']}"])
