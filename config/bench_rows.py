"""The rows of the bench's county: generated fast, the same for the same numbers, invented throughout."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

THINGS = [
    ("路灯", "public_works"), ("井盖", "public_works"), ("自来水管", "public_works"), ("下水道", "public_works"),
    ("垃圾桶", "environment"), ("健身器材", "education"), ("村道", "traffic"), ("小桥栏杆", "traffic"),
    ("水渠", "farming"), ("公交站牌", "traffic"), ("宣传栏", "other"), ("小区大门", "urban_rural"),
    ("楼道", "urban_rural"), ("卫生室", "health"), ("农家书屋", "education"), ("蓄水池", "farming"),
    ("停车位", "urban_rural"), ("河沟", "environment"), ("电线", "urban_rural"), ("低保手续", "civil_affairs"),
]  # fmt: skip
TROUBLES = [
    "坏了好几天", "没人管", "夜里很吵", "漏水严重", "被大车压坏", "堵住了", "存在安全隐患", "希望尽快修好",
    "老人孩子不方便", "脏乱差", "被人占用", "长期没有维护", "下雨就积水", "需要重新安装", "问了几次没有答复",
]  # fmt: skip
RARE = "山坡上发现受伤的猫头鹰"
OUTCOMES = ["已派人现场处理，恢复正常。", "已联系施工单位更换，三日内完成。", "已上门说明政策，群众表示满意。"]
YEARS = 3
OPEN_SHARE = 0.03
RARE_EVERY = 20_000
OPEN_STATES = [("raised", 30), ("dispatched", 25), ("under_way", 30), ("asked", 10), ("ordered", 5)]
COLUMNS = [
    "id", "number", "township_id", "village_id", "grid_id", "state", "version", "created_at", "created_by_id",
    "promised_at", "due_at", "clock_left", "module_id", "category_id", "channel", "subject", "detail", "address",
    "reporter_name", "reporter_phone", "reporter_phone_hash", "secret_hash", "intake_key", "handler_id",
    "handler_grid_id", "outcome", "settled_at", "settled_late", "rate_until", "reopen_until", "rating", "rated_at",
    "published", "public_title", "public_outcome",
]  # fmt: skip


@dataclass(frozen=True)
class Text:
    """What a resident may write."""

    subject: str
    detail: str
    category: str


@dataclass
class Village:
    """A village as its matters need it."""

    pk: str
    township: str
    name: str
    grids: list[str]
    office: str
    clerk: str


@dataclass
class Ground:
    """All that rows refer to, as the text that COPY reads."""

    prefix: str
    villages: list[Village]
    modules: list[str]
    categories: dict[str, str]
    titles: dict[str, str]
    branches: list[str]
    contacts: list[tuple[str, str, str]]
    rate_days: int
    reopen_days: int
    counters: dict[int, int] = field(default_factory=dict)


def texts() -> list[Text]:
    """Return the invented texts, all different; the last is rare."""
    found = [
        Text(f"{thing}{trouble}", f"我们这里的{thing}{trouble}，请有关部门来看一看。", category)
        for thing, category in THINGS
        for trouble in TROUBLES
    ]
    return [*found, Text(RARE, "请告诉我们联系哪里。", "environment")]


def uuid7_hex(moment: dt.datetime, bits: int) -> str:
    """Return a UUIDv7 of ``moment`` with 74 bits of chance."""
    millis = int(moment.timestamp() * 1000)
    return f"{millis:012x}7{bits >> 62 & 0xFFF:03x}{0x8 | bits >> 60 & 3:x}{bits & (1 << 60) - 1:015x}"


def _weights(count: int, rng: random.Random) -> list[float]:
    """Return unequal weights: the county town has many times the matters of a far village."""
    return [rng.paretovariate(1.3) for _ in range(count)]


def address_of(row: int) -> tuple[int, int]:
    """Return group and house of a row."""
    return row % 30 + 1, row % 211 + 1


class Rows:
    """A source of matters, oldest first."""

    def __init__(self, ground: Ground, count: int, now: dt.datetime):
        self.ground, self.count, self.now = ground, count, now
        self.rng = random.Random(20260101)
        self.texts = texts()
        self.step = dt.timedelta(days=365 * YEARS) / max(1, count)
        self.start = now - dt.timedelta(days=365 * YEARS) - dt.timedelta(minutes=1)
        weights = _weights(len(ground.villages), self.rng)
        self.villages = self.rng.choices(range(len(ground.villages)), weights, k=4096)
        states, shares = zip(*OPEN_STATES, strict=True)
        self.open_states = self.rng.choices(states, shares, k=997)

    def text_of(self, row: int) -> int:
        """Return the number of the text of a row."""
        return len(self.texts) - 1 if row % RARE_EVERY == RARE_EVERY // 2 else row * 7919 % (len(self.texts) - 1)

    def village_of(self, row: int) -> int:
        """Return the number of the village of a row."""
        return self.villages[row * 2654435761 % 4096]

    def _is_open(self, row: int) -> bool:
        """Three of a hundred are open, most of them new."""
        age = self.count - row
        if age <= self.count * OPEN_SHARE * 0.8:
            return True
        return row % 100 == 0 and row % 5 != 0

    def _settled(self, values: dict[str, Any], created: dt.datetime, row: int, text: Text) -> None:
        settled = min(created + dt.timedelta(hours=8 + row * 31 % 190), self.now - dt.timedelta(seconds=1))
        rate_until = settled + dt.timedelta(days=self.ground.rate_days)
        outcome = OUTCOMES[row % 3]
        values |= {
            "state": "settled", "version": 3, "settled_at": settled, "settled_late": row % 17 == 0, "outcome": outcome,
            "rate_until": rate_until, "reopen_until": settled + dt.timedelta(days=self.ground.reopen_days),
            "published": row % 6 != 0, "public_outcome": outcome if row % 2 else "",
            "public_title": f"随手拍 · {self.ground.titles[text.category]}",
        }  # fmt: skip
        if row % 5 < 3:
            rated_at = min(settled + dt.timedelta(hours=row % 100), self.now)
            values |= {"state": "rated", "version": 4, "rating": 5 - row % 11 // 4, "rated_at": rated_at}
        elif rate_until < self.now:
            values |= {"state": "unrated", "version": 4}

    def _open(self, values: dict[str, Any], created: dt.datetime, row: int) -> None:
        state = self.open_states[row % 997]
        due = max(created, self.now - dt.timedelta(days=20)) + dt.timedelta(days=3 + row % 25)
        values |= {"state": state, "version": 1 if state == "raised" else 2, "due_at": due, "promised_at": due}
        if state == "asked":
            values |= {"due_at": None, "clock_left": "16:00:00"}

    def _hand(self, values: dict[str, Any], village: Village, row: int) -> None:
        if values["state"] == "ordered":
            values["handler_id"] = self.ground.branches[row % len(self.ground.branches)]
        elif values["state"] != "raised" and row % 3:
            values["handler_id"] = village.office
        elif values["state"] != "raised":
            values["handler_grid_id"] = village.grids[row % 2]

    def _number(self, created: dt.datetime) -> str:
        year = created.astimezone(dt.timezone(dt.timedelta(hours=8))).year
        serial = self.ground.counters[year] = self.ground.counters.get(year, 0) + 1
        return f"{self.ground.prefix}-{year}-{serial:06d}"

    def one(self, row: int) -> dict[str, Any]:
        """Return one matter as column and value."""
        village = self.ground.villages[self.village_of(row)]
        text = self.texts[self.text_of(row)]
        created = self.start + self.step * row
        group, house = address_of(row)
        name, phone, phone_hash = self.ground.contacts[row % len(self.ground.contacts)]
        values: dict[str, Any] = {
            "id": uuid7_hex(created, self.rng.getrandbits(74)), "number": self._number(created),
            "township_id": village.township, "village_id": village.pk,
            "grid_id": village.grids[row % 2] if row % 4 else None, "created_at": created,
            "created_by_id": village.clerk if row % 3 == 0 else None, "promised_at": created + dt.timedelta(days=7),
            "module_id": self.ground.modules[row % len(self.ground.modules)],
            "category_id": self.ground.categories[text.category], "channel": ("web", "qr", "hotline")[row % 3],
            "subject": text.subject, "detail": text.detail, "address": f"{group}组{house}号", "reporter_name": name,
            "reporter_phone": phone, "reporter_phone_hash": phone_hash, "secret_hash": phone_hash,
            "intake_key": f"bench-{row:09d}", "published": False, "settled_late": False, "outcome": "",
            "public_title": "", "public_outcome": "",
        }  # fmt: skip
        if self._is_open(row):
            self._open(values, created, row)
        elif row % 40 == 7:
            values |= {"state": "declined", "version": 2}
        else:
            self._settled(values, created, row, text)
        self._hand(values, village, row)
        return values

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.one(row) for row in range(self.count))


def copy_line(values: dict[str, Any], fixed: str) -> str:
    """Return a line for COPY; ``fixed`` ends it with the columns that are the same in all rows."""
    parts = []
    for column in COLUMNS:
        value = values.get(column)
        if value is None:
            parts.append("\\N")
        elif value is True or value is False:
            parts.append("t" if value else "f")
        else:
            parts.append(str(value))
    return "\t".join(parts) + fixed
