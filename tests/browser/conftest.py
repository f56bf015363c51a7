"""A real browser against a real server: Chromium as the machine has it, nothing downloaded."""

import os
import shutil
from pathlib import Path

import pytest

# Playwright's synchronous interface runs a loop in the test's own thread; the ORM is used from no other.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
CHROMIUM = os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), "")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave browser tests out where there is no Chromium; the summary says so, loudly."""
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in mine:
        item.add_marker("browser")
    if CHROMIUM or not mine:
        return
    items[:] = [item for item in items if item not in mine]
    config.hook.pytest_deselected(items=mine)
    config.stash[pytest_left_out] = len(mine)


pytest_left_out = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    count = config.stash.get(pytest_left_out, 0) or (
        0 if CHROMIUM else len(terminalreporter.stats.get("deselected", []))
    )
    if not CHROMIUM:
        words = f"{count or 'ALL'} BROWSER TESTS WERE LEFT OUT: no Chromium on this machine (apt-get install chromium)"
        terminalreporter.write_sep("!", words, red=True, bold=True)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict:
    return {"executable_path": CHROMIUM, "args": QUIET}


@pytest.fixture(scope="session")
def browser_context_args() -> dict:
    return {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": {"width": 390, "height": 844}}


@pytest.fixture
def site(real_world, live_server):
    """The cast in committed rows, one county only, and a server that shows it."""
    real_world.far_jurisdiction_gone = _close_far_county()
    real_world.url = live_server.url
    return real_world


def _close_far_county() -> bool:
    """Residents of a platform with one county are not asked which."""
    from weilu.matters.models import Category, Module
    from weilu.orgs.models import Grant, Jurisdiction, Organisation

    Grant.objects.filter(jurisdiction__prefix="JG").delete()
    Organisation.objects.filter(jurisdiction__prefix="JG").delete()
    for model in (Category, Module):
        model.objects.filter(jurisdiction__prefix="JG").delete()
    Jurisdiction.objects.filter(prefix="JG").delete()
    return True


@pytest.fixture
def log_in(site):
    """Log a page in through the form."""
    from tests.conftest import PASSWORD

    def as_(page, name: str):
        page.goto(f"{site.url}/login/")
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.click("main button.btn-primary")
        page.wait_for_url("**/desk/")
        return page

    return as_


@pytest.fixture
def faults_of():
    """What axe finds wrong on a page, by the rules of WCAG 2.2 AA."""

    def look(page) -> list[str]:
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "rules => axe.run(document, {runOnly: rules}).then(r => r.violations.map(v => v.id + ': ' + "
            "v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary).join(' | ')))",
            RULES,
        )
        return [f"{page.url}: {fault}" for fault in found]

    return look
