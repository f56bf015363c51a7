"""``weilu bench roster``: how long a roster takes, and how much memory, into a base made for it."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import xlsxwriter
from rich.console import Console

from config.bench_site import BenchError, environment, site

CODE = "510824"
TOWNSHIPS, VILLAGES = 34, 13
SIZES = (20_000, 100_000)
HEAD = [
    "序号",
    "姓名",
    "性别",
    "民族",
    "身份证号码",
    "出生年月",
    "文化程度",
    "所在党支部",
    "入党时间",
    "联系电话",
    "家庭住址",
    "人员类别",
]
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂华建国玉梅春兰秋菊志远晓东海燕文博雨欣"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
console = Console(stderr=True)


def id_number(number: int) -> tuple[str, str]:
    """Return an ID number that no other row has, and its birth month as rosters write it."""
    year, month, day, order = 1940 + number % 65, 1 + number // 65 % 12, 1 + number // 780 % 28, 1 + number // 21_840
    head = f"{CODE}{year}{month:02d}{day:02d}{order:03d}"
    check = "10X98765432"[sum(int(sign) * weight for sign, weight in zip(head, WEIGHTS, strict=True)) % 11]
    return head + check, f"{year}.{month:02d}"


def write_roster(file: Path, rows: int) -> None:
    """Write a roster of Party members as a county might send it: a title, a header, everybody once."""
    rng = random.Random(1921)
    book = xlsxwriter.Workbook(str(file))  # with its texts in one table, as Excel writes them
    sheet = book.add_worksheet("党员花名册")
    sheet.write_string(0, 0, "苍溪县党员花名册")
    sheet.write_row(1, 0, HEAD)
    for number in range(rows):
        identity, born = id_number(number)
        township, village = number % TOWNSHIPS, number // TOWNSHIPS % VILLAGES
        where = f"{township + 1}镇{village + 1}村"
        joined = max(rng.randint(2005, 2025), int(identity[6:10]) + 19)
        name = rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2))))
        sheet.write_row(
            number + 2,
            0,
            [
                number + 1, name, "男" if int(identity[16]) % 2 else "女", "汉族", identity, born,
                rng.choice(("初中", "高中", "大专", "本科")), f"{where}党支部", f"{joined}年7月",
                f"1{3 + number % 7}{number:09d}", f"{where}{1 + number % 9}组", "正式党员",
            ],
        )  # fmt: skip
    book.close()


def _import(file: Path, values: dict[str, str], *more: str) -> dict[str, Any]:
    """Time one import with the command that an office uses; its memory is the most it held."""
    command = [
        sys.executable, "-c", "from config.cli import main; main()", "import", "roster", str(file), "--kind",
        "members", "--place", CODE, "--create-organisations", "--json", *more,
    ]  # fmt: skip
    begun = time.monotonic()
    with subprocess.Popen(command, env=values, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        out = process.stdout.read() if process.stdout else ""
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    taken = round(time.monotonic() - begun, 1)
    counts = json.loads(out.splitlines()[-1]) if out.strip() else {}
    if process.returncode or not counts:
        raise BenchError(f"the import ended with {process.returncode}: {str(counts)[:500]}")
    found = {key: counts[key] for key in ("read", "imported", "updated", "duplicates", "refused")}
    used = round(usage.ru_utime + usage.ru_stime, 1)  # of the command alone, whatever else the machine does
    return {"seconds": taken, "cpu_seconds": used, "peak_mb": usage.ru_maxrss // 1024, **found}


def _measure(rows: int) -> dict[str, Any]:
    """Measure a roster of so many rows in a base of its own: looked at, entered, entered again."""
    with site(0) as at:
        data = at.plan.parent
        file = data / "roster.xlsx"
        console.print(f"[dim]a roster of {rows:,} …[/dim]")
        write_roster(file, rows)
        values = environment(data, 0)
        found: dict[str, Any] = {"rows": rows, "file_mb": round(file.stat().st_size / 1e6, 1)}
        for name, more in (("preview", ["--dry-run"]), ("entered", []), ("again", [])):
            found[name] = _import(file, values, *more)
            console.print(f"{name}: {found[name]}")
    return found


def roster(
    rows: Annotated[list[int] | None, typer.Option(help="People in the roster; may be repeated.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Rosters of Party members, of 20,000 and of 100,000: looked at only, entered, and entered again.

    Each with seconds, seconds of processor and the most memory that the command held.
    """
    try:
        found = [_measure(count) for count in rows or SIZES]
    except BenchError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from error
    if as_json:
        print(json.dumps({"rosters": found}))
