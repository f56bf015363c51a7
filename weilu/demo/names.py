"""Invented names and telephone numbers."""

from random import Random

# Surnames and how many of a thousand people bear them, roughly as in eastern Sichuan.
SURNAMES = {
    "李": 82, "王": 78, "张": 74, "刘": 56, "陈": 52, "杨": 44, "赵": 38, "罗": 34, "何": 32, "周": 30, "黄": 28, "吴": 26,
    "唐": 24, "马": 22, "邓": 22, "向": 20, "任": 18, "侯": 18, "徐": 17, "胡": 17, "郑": 15, "谢": 15, "冯": 14, "蒲": 14,
    "许": 13, "朱": 13, "孙": 12, "曾": 12, "彭": 12, "肖": 11, "母": 11, "梁": 11, "贾": 10, "袁": 10, "蒋": 10, "韩": 9,
    "文": 9, "苟": 9, "伏": 8, "仲": 8, "寇": 8, "龚": 8, "严": 7, "熊": 7, "魏": 7, "董": 6, "权": 6, "欧阳": 3,
}  # fmt: skip
MEN = ["仕", "兴", "正", "开", "绍", "光", "映", "大", "仁", "朝", "登", "显", "克", "定", "万", "先", "应", "祖", "茂", "启"]
MEN_LAST = ["全", "贵", "元", "林", "安", "平", "坤", "礼", "松", "田", "和", "才", "福", "顺", "银", "满", "均", "模", "槐"]
WOMEN = ["秀", "素", "桂", "玉", "春", "菊", "兴", "琼", "淑", "碧", "文", "晓", "雪", "凤", "彩", "小", "仕", "蓉", "清"]
WOMEN_LAST = ["芬", "兰", "容", "珍", "碧", "莲", "蓉", "梅", "琼", "英", "香", "惠", "清", "华", "珊", "茹", "娥", "芝"]


class Names:
    """Gives invented names and telephone numbers; no number twice."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.surnames, self.weights = list(SURNAMES), list(SURNAMES.values())
        self.phones = iter(rng.sample(range(10_000), 10_000))

    def name(self) -> str:
        """Return a name of two characters or more, such as no register holds on purpose."""
        [surname] = self.rng.choices(self.surnames, self.weights)
        first, last = (MEN, MEN_LAST) if self.rng.random() < 0.58 else (WOMEN, WOMEN_LAST)
        end = self.rng.choice(last)
        begin = self.rng.choice([char for char in first if char not in (end, surname)])
        return surname + (begin + end if self.rng.random() < 0.93 else end)

    def phone(self) -> str:
        """Return a number of valid form that belongs to no subscriber we know of: 1990000 and four digits."""
        return f"1990000{next(self.phones):04d}"

    def residents(self, count: int) -> list[tuple[str, str]]:
        """Return names and numbers of people who raise matters; they are nobody's roster."""
        numbers = self.rng.sample(range(10_000, 100_000), count)
        return [(self.name(), f"199000{number:05d}") for number in numbers]
