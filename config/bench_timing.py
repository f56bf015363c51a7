"""How the bench times what it does: after a warm-up, often enough, and no longer than it is worth."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

RUNS, WARM, WITHIN = 20, 8, 30.0
_often = RUNS


def time_so_often(runs: int) -> None:
    """Say how often everything is timed from now on; fewer runs than usual have a shorter warm-up too."""
    global _often
    _often = runs


def timed(call: Callable[[], Any], *, warm: int = WARM, within: float | None = None) -> dict[str, Any]:
    """Time a call and return its median and 95th percentile in milliseconds.

    Args:
        warm: calls before, so that statements are prepared and pages in memory.
        within: seconds after which it is enough, with three runs at least; by default all runs are made.
    """
    for _ in range(min(warm, _often)):
        call()
    taken: list[float] = []
    begun = time.perf_counter()
    while len(taken) < _often:
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
        if within and len(taken) >= 3 and time.perf_counter() - begun > within:
            break
    return {"p50_ms": round(median(taken), 1), "p95_ms": round(percentile(taken, 0.95), 1), "runs": len(taken)}


def percentile(values: list[float], share: float) -> float:
    """Return the value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def seconds_of(call: Callable[[], Any]) -> float:
    """Return how many seconds a call takes."""
    begun = time.perf_counter()
    call()
    return round(time.perf_counter() - begun, 2)


def machine(version: str) -> dict[str, Any]:
    """Return what the measurements were made on.

    Args:
        version: of PostgreSQL.
    """
    memory = next(
        int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**20, 1),
        "postgresql": version,
        "load_before": round(os.getloadavg()[0], 1),
    }
