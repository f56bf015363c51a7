"""The client of the benches, in a process of its own: raw sockets, keep-alive, as little work as can be.

It shares the machine with the server it measures, so it knows neither Django nor an HTTP library. Started as
``python -m config.bench_client lifecycle|pages PLAN URL …``; prints one JSON object.
"""

import asyncio
import gc
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

TIMEOUT = 60.0
ERRORS_SHOWN = 5
WARM_UP, MEASURED = 6, 60
CSRF, HOTLINE = "csrftoken", "hotline"


class Unexpected(Exception):
    """An answer that is not what a lifecycle needs."""


class Wire(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.head_end = self.wanted = 0
        self.answer: asyncio.Future[bytes] | None = None
        self.open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if self.answer and not self.answer.done():
            self.answer.set_exception(Unexpected("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.head_end:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end]).lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 : at + 40].split(b"\r", 1)[0]) if at >= 0 else 0
            self.head_end, self.wanted = end, end + 4 + length
        if len(self.buffer) >= self.wanted and self.answer and not self.answer.done():
            self.answer.set_result(bytes(self.buffer))

    def send(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; the future holds head and body of the answer."""
        self.buffer.clear()
        self.head_end = self.wanted = 0
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return self.answer


@dataclass
class Answer:
    """An answer: status, where it leads, its whole text."""

    status: int
    location: str
    text: bytes


@dataclass
class Browser:
    """One client: a connection and its cookies."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None

    async def _connected(self) -> Wire:
        if self.wire is None or not self.wire.open:
            loop = asyncio.get_running_loop()
            _transport, self.wire = await loop.create_connection(Wire, self.host, self.port)
        return self.wire

    def _keep_cookies(self, head: str) -> None:
        for line in head.split("\r\n"):
            if line[:11].lower() == "set-cookie:":
                name, _sep, rest = line[11:].strip().partition("=")
                value, _sep, attributes = rest.partition(";")
                if value in ("", '""') or "max-age=0" in attributes.lower():
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = value

    async def request(self, method: str, path: str, data: dict[str, Any] | None = None) -> Answer:
        """Send one request and return its answer; redirects are not followed."""
        body = urlencode(data).encode() if data else b""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        ]
        if method == "POST":
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
                f"X-CSRFToken: {self.cookies.get(CSRF, '')}",
            ]
        wire = await self._connected()
        async with asyncio.timeout(TIMEOUT):
            whole = await wire.send("\r\n".join([*lines, "", ""]).encode() + body)
        head = whole[: wire.head_end].decode("latin-1")
        self._keep_cookies(head)
        at = head.lower().find("\r\nlocation:")
        location = head[at + 11 :].split("\r\n", 1)[0].strip() if at >= 0 else ""
        return Answer(int(head[9:12]), location, whole)

    async def log_in(self, username: str, password: str) -> None:
        """Log in through the page. Django compares cookie and header: the first token may be our own."""
        self.cookies[CSRF] = secrets.token_hex(16)
        answer = await self.request("POST", "/login/", {"username": username, "password": password})
        if answer.status != 302 or "sessionid" not in self.cookies:
            raise Unexpected(f"log-in of {username} was answered {answer.status}")

    def close(self) -> None:
        if self.wire and self.wire.open:
            self.wire.transport.close()


def _redirected(answer: Answer, what: str) -> str:
    if answer.status != 302 or not answer.location:
        raise Unexpected(f"{what} was answered {answer.status}: {_words(answer.text)}")
    return answer.location


def _words(text: bytes) -> str:
    body = text.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
    at = max(body.find("<h1"), body.find('class="alert'), body.find("problem"), 0)
    return " ".join(body[at : at + 300].split())


async def lifecycle(browser: Browser, clerk: dict[str, Any], plan: dict[str, Any], turn: int) -> None:
    """Raise, dispatch, settle and find one matter; every answer must be the one that a clerk needs.

    Every other matter is looked for by the words of its title and its address, the others by number.

    Raises:
        Unexpected: an answer was another.
    """
    village = clerk["villages"][turn % len(clerk["villages"])]
    text = plan["texts"][(turn * 7 + len(village["code"])) % len(plan["texts"])]
    house = f"{turn % 40 + 1}组{turn % 997 + 1}号"
    filed = {
        "intake_key": uuid4(),
        "module": plan["modules"][turn % len(plan["modules"])],
        "category": plan["categories"][turn % len(plan["categories"])],
        "channel": HOTLINE,
        "subject": text["subject"],
        "detail": text["detail"],
        "place": village["code"],
        "address": house,
        "name": "王小明",
        "phone": "13900001234",
    }
    page = _redirected(await browser.request("POST", "/matters/new/", filed), "filing")
    number = page.rstrip("/").rpartition("/")[2]
    target = f"grid:{village['grids'][turn % 2]}" if turn % 3 == 0 else f"organisation:{clerk['office']}"
    handed = {"to": target, "version": 1, "note": "请尽快到现场看一看"}
    _redirected(await browser.request("POST", f"/matters/{number}/dispatch/", handed), "dispatching")
    settled = {"outcome": text["outcome"], "publish": "on", "public_outcome": text["outcome"], "version": 2}
    _redirected(await browser.request("POST", f"/matters/{number}/settle/", settled), "settling")
    query = f"{text['subject']} {house}" if turn % 2 else number
    found = await browser.request("GET", f"/matters/?tab=all&q={quote(query)}")
    if found.status != 200 or number.encode() not in found.text.partition(b"\r\n\r\n")[2].replace(
        query.encode(), b"", 1
    ):
        raise Unexpected(f"search for “{query}” did not show {number} ({found.status})")


@dataclass
class Tally:
    """What was measured."""

    times: list[float] = field(default_factory=list)
    errors: int = 0

    def failed(self, error: Exception) -> None:
        self.errors += 1
        if self.errors <= ERRORS_SHOWN:
            print(f"error: {type(error).__name__} {error}", file=sys.stderr, flush=True)

    def percentile(self, share: float) -> float:
        """Return a percentile in milliseconds."""
        if not self.times:
            return 0.0
        ordered = sorted(self.times)
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


async def run_lifecycles(plan: dict[str, Any], host: str, port: int, clients: int, seconds: float) -> dict[str, Any]:
    """Let ``clients`` clerks work for ``seconds``; what is not finished by then does not count."""
    tally = Tally()
    browsers = [Browser(host, port) for _ in range(clients)]
    clerks = [plan["clerks"][index % len(plan["clerks"])] for index in range(clients)]
    gate = asyncio.Semaphore(4)

    async def prepare(index: int) -> None:
        async with gate:
            await browsers[index].log_in(clerks[index]["username"], plan["password"])
            await lifecycle(browsers[index], clerks[index], plan, index)

    await asyncio.gather(*[prepare(index) for index in range(clients)])
    print("logged in; the clock starts", file=sys.stderr, flush=True)
    begun = time.perf_counter()
    until = begun + seconds

    async def work(index: int) -> None:
        turn = index * 1009
        while (start := time.perf_counter()) < until:
            turn += 1
            try:
                await lifecycle(browsers[index], clerks[index], plan, turn)
            except (Unexpected, OSError, TimeoutError, ValueError) as error:
                tally.failed(error)
                await asyncio.sleep(0.05)
                continue
            if (end := time.perf_counter()) <= until:
                tally.times.append(end - start)

    await asyncio.gather(*[work(index) for index in range(clients)])
    for browser in browsers:
        browser.close()
    return {
        "lifecycles": len(tally.times), "errors": tally.errors,
        "lifecycles_per_second": round(len(tally.times) / seconds, 1),
        "p50_ms": tally.percentile(0.5), "p95_ms": tally.percentile(0.95),
    }  # fmt: skip


async def _measure(browser: Browser, paths: list[str], warm: bool) -> Tally:
    """Fetch one address many times, or, not ``warm``, each of many once: nothing then comes from a cache."""
    tally = Tally()
    turns = [paths[0]] * (WARM_UP + MEASURED) if warm else paths
    for turn, path in enumerate(turns):
        start = time.perf_counter()
        answer = await browser.request("GET", path)
        taken = time.perf_counter() - start
        if answer.status != 200:
            raise Unexpected(f"{path} was answered {answer.status} {answer.location}")
        if not warm or turn >= WARM_UP:
            tally.times.append(taken)
    return tally


async def run_pages(plan: dict[str, Any], host: str, port: int) -> dict[str, Any]:
    """Fetch each page of the plan again and again, one request at a time."""
    browsers: dict[str, Browser] = {}
    pages: dict[str, dict[str, float | str]] = {}
    for page in plan["pages"]:
        account = page["account"]
        if account not in browsers:
            browsers[account] = Browser(host, port)
            if account:
                await browsers[account].log_in(account, plan["password"])
        try:
            tally = await _measure(browsers[account], page["paths"], page["warm"])
        except (Unexpected, OSError, TimeoutError) as error:
            print(f"{page['name']}: {error}", file=sys.stderr, flush=True)
            pages[page["name"]] = {"error": str(error)}
            continue
        pages[page["name"]] = {"p50_ms": tally.percentile(0.5), "p95_ms": tally.percentile(0.95)}
        print(f"{page['name']}: {pages[page['name']]}", file=sys.stderr, flush=True)
    for browser in browsers.values():
        browser.close()
    return {"pages": pages}


def main(arguments: list[str]) -> None:
    """Run one bench and print what was measured."""
    kind, plan_file, url, *rest = arguments
    plan = json.loads(Path(plan_file).read_text())
    parts = urlsplit(url)
    where = (parts.hostname or "127.0.0.1", parts.port or 80)
    runs: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
        "lifecycle": lambda: run_lifecycles(plan, *where, int(rest[0]), float(rest[1])),
        "pages": lambda: run_pages(plan, *where),
    }
    gc.freeze()
    try:
        print(json.dumps(asyncio.run(runs[kind]()), ensure_ascii=False), flush=True)  # type: ignore[arg-type]
    except (Unexpected, OSError, TimeoutError) as error:
        raise SystemExit(f"the bench could not start: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
