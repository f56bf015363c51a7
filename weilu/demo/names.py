"""Invented names and telephone numbers."""

from random import Random

# Surnames and how many of a thousand people bear them, roughly as in eastern Sichuan.
_SURNAMES = (
    "李82 王78 张74 刘56 陈52 杨44 赵38 罗34 何32 周30 黄28 吴26 唐24 马22 邓22 向20 "
    "任18 侯18 徐17 胡17 郑15 谢15 冯14 蒲14 许13 朱13 孙12 曾12 彭12 肖11 母11 梁11 "
    "贾10 袁10 蒋10 韩9 文9 苟9 伏8 仲8 寇8 龚8 严7 熊7 魏7 董6 权6 欧阳3 "
)
SURNAMES = {row.rstrip("0123456789"): int(row.lstrip(row.rstrip("0123456789"))) for row in _SURNAMES.split()}
MEN = "仕兴正开绍光映大仁朝登显克定万先应祖茂启"
MEN_LAST = "全贵元林安平坤礼松田和才福顺银满均模槐"
WOMEN = "秀素桂玉春菊兴琼淑碧文晓雪凤彩小仕蓉清"
WOMEN_LAST = "芬兰容珍碧莲蓉梅琼英香惠清华珊茹娥芝"


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
