"""House rules that are tests: layers, foreign keys, templates, icons, variables, what may be called where."""

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.template import engines

from weilu.indicators.touching import recorders
from weilu.lib.frontend import ICONS
from weilu.matters import services
from weilu.orgs.models import Level, Organisation, Place
from weilu.people.appointments import appoint, make_post
from weilu.people.honours import award, withdraw
from weilu.people.merging import merge
from weilu.people.models import Membership, Person
from weilu.people.persons import make_person, unmask
from weilu.people.reporting import ask_correction

WEILU = settings.BASE_DIR / "weilu"
LAYERS = ["lib", "orgs", "records", "people", "matters", "venues", "indicators", "portal", "accounts", "api"]


def sources(*folders: str) -> list[Path]:
    roots = [settings.BASE_DIR / folder for folder in folders or ("weilu", "config")]
    return [path for root in roots for path in root.rglob("*.py") if "migrations" not in path.parts]


def test_imports_go_upwards_only():
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def layer(model) -> int:
    return LAYERS.index(model.__module__.split(".")[1])


def test_foreign_keys_go_upwards_only():
    wrong = [
        f"{model.__name__}.{field.name} -> {field.related_model.__name__}"
        for model in apps.get_models()
        if model.__module__.startswith("weilu.")
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model.__module__.startswith("weilu.")
        if layer(field.related_model) > layer(model)
    ]
    assert wrong == []


def test_every_work_table_names_its_jurisdiction():
    # The country's, people's, addresses', definitions'; and itself.
    free = {"Place", "User", "RateCount", "Session", "Folded", "Jurisdiction", "ApiToken", "ImportJob"}
    for model in apps.get_models():
        if model.__module__.startswith("weilu.") and model.__name__ not in free and not model._meta.auto_created:
            names = {field.name for field in model._meta.fields}
            # These belong to an organisation, a place, a venue or an import, and are found through it.
            joined = {"PlaceOutline", "OpeningHours", "DayException", "ImportPart"}
            assert "jurisdiction" in names or model.__name__ in joined, model.__name__


def test_sql_of_our_own_that_writes_counted_rows_says_so():
    """Writes through Django are seen by the backend; the rest has to tell, or figures above the county go wrong."""
    tables = "|".join(model._meta.db_table for model in recorders())
    writing = re.compile(rf"(?:INSERT INTO|UPDATE|DELETE FROM) (?:{tables})\b|insert_from\(")
    told = {"memberships", "persons", "posts"}  # by weilu.people.rosters.entering, which calls them
    assert "rewritten(" in (WEILU / "people/rosters/entering.py").read_text()
    for file in sources("weilu"):
        text = file.read_text()
        assert not writing.search(text) or "rewritten(" in text or file.stem in told, file


def test_only_move_sets_a_state():
    # Editions of boards, rosters and imports are no records: boards.py and steps.py hold their states.
    allowed = {"moves.py", "import_matters.py", "filing.py", "boards.py", "steps.py"}
    setting = re.compile(r"\.state\s*=[^=]|update\([^)]*\bstate=")
    found = [path.name for path in sources("weilu") if "demo" not in path.parts and setting.search(path.read_text())]
    assert set(found) <= allowed


def test_other_apps_never_import_forms_of_an_app_below_but_what_they_share():
    for path in sources("weilu"):
        app = path.relative_to(WEILU).parts[0]
        for name in re.findall(r"^from weilu\.(\w+)\.views import", path.read_text(), re.M):
            assert name == app or (app, name) == ("portal", "matters"), path


# --- templates --------------------------------------------------------------------------------------------------------
TEMPLATES = {
    str(path.relative_to(root)): path
    for root in [WEILU / "templates", *WEILU.glob("*/templates")]
    for path in root.rglob("*.html")
}


def test_every_template_is_used():
    texts = [path.read_text() for path in [*sources(), *TEMPLATES.values()]]
    unused = [name for name in TEMPLATES if not any(f'"{name}"' in text or f"'{name}'" in text for text in texts)]
    assert unused == []


def test_every_template_that_is_named_is_there():
    named = re.compile(r"""["']((?:[a-z]+/)?[a-z0-9_]+\.html)["']""")
    for path in [*sources(), *TEMPLATES.values()]:
        for name in named.findall(path.read_text()):
            assert name in TEMPLATES, f"{path.name} names {name}"


def test_every_template_can_be_read():
    for name in TEMPLATES:
        engines["django"].get_template(name)


def icons_named() -> set[str]:
    found = set()
    for path in TEMPLATES.values():
        found |= set(re.findall(r"""\{%\s*icon\s+["']([^"']+)["']""", path.read_text()))
    for path in sources("weilu"):
        found |= set(re.findall(r"""\bicon\(["']([^"']+)["']""", path.read_text()))
    return found


def test_every_icon_that_is_named_is_in_the_sprite():
    from weilu.matters.setup import MODULES

    assert icons_named() | {module[-1] for module in MODULES} <= set(ICONS)


def test_templates_hold_no_style_no_script_and_no_foreign_address():
    for name, path in TEMPLATES.items():
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), name
        assert not re.search(r"""(src|href)=["']https?://""", text), name
        assert "|safe" not in text or name == "_form_fields.html", name


def test_every_form_that_posts_carries_its_token():
    for name, path in TEMPLATES.items():
        for form in re.findall(r"(?s)<form[^>]*method=\"post\"[^>]*>(.*?)</form>", path.read_text()):
            assert "csrf_token" in form, name


def test_every_field_of_a_template_has_a_label():
    for name, path in TEMPLATES.items():
        text = path.read_text()
        for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", text):
            if 'type="hidden"' in tag or "aria-label" in tag:
                continue
            own = re.search(r'\bid="([^"{]+)"', tag)
            if own:
                assert f'for="{own.group(1)}"' in text, (name, tag)


class Undefined(Exception):
    pass


# What a template says it may lack, by a default; and what was typed, which is there only after a mistake.
MAY_LACK = {
    name for path in TEMPLATES.values() for name in re.findall(r"(?:\{\{\s*|=)([\w.]+)\|default", path.read_text())
}


class Loud(str):
    """What stands for an undefined variable: to print it is a fault."""

    __slots__ = ()

    def __contains__(self, item):
        return True

    def __mod__(self, name):
        if str(name) in MAY_LACK or str(name).startswith("typed."):
            return ""
        raise Undefined(name)


@pytest.fixture
def loud_templates():
    engine = engines["django"].engine
    before, engine.string_if_invalid = engine.string_if_invalid, Loud("%s")
    yield
    engine.string_if_invalid = before


def journey(world):
    """One matter in each state, a message for everybody."""
    for step in (
        lambda m: services.dispatch(m, to=world.office, by=world.clerk, version=1),
        lambda m: services.dispatch(m, to=world.branch, by=world.clerk, version=1),
        lambda m: services.dispatch(m, to=world.grid, by=world.clerk, version=1),
        lambda m: services.ask(m, by=world.clerk, version=1, note="哪里？"),
        lambda m: services.decline(m, by=world.clerk, version=1, note="不归我们"),
        lambda m: services.settle(m, by=world.clerk, version=1, outcome="好了", public_outcome="修好了"),
        lambda m: services.rate(services.settle(m, by=world.clerk, version=1, outcome="好了"), rating=5, comment="快"),
        lambda m: services.merge(m, into=world.matter(), by=world.clerk, version=1),
    ):
        yield step(world.matter(at=world.grid, contact=services.Contact("田七", "13800001111")))


WORK_PAGES = [
    "/desk/",
    "/matters/",
    "/matters/?tab=all",
    "/matters/?tab=late&q=x&place=510824100&category=other",
    "/messages/",
    "/account/",
    "/places/",
    "/places/510824100001/",
    "/tree/",
    "/tree/?open=510824100001",
    "/organisations/?kind=branch",
    "/people/",
    "/people/?q=lf&kind=member&place=510824100",
    "/people/?q=nobody",
    "/honours/",
    "/honours/?level=4&year=2025&of=people&place=510824100&q=x",
    "/account/me/",
]
MORE = {
    "clerk": [
        "/coverage/",
        "/coverage/cross-posts/",
        "/matters/new/",
        "/desk/mine/",
        "/people/new/",
        "/people/duplicates/",
        "/honours/new/",
    ],
    "member": ["/desk/orders/", "/desk/mine/"],
    "administrator": [
        "/accounts/",
        "/accounts/new/",
        "/accounts/clerk/",
        "/settings/",
        "/settings/category/other/",
        "/settings/module/report/",
    ],
}


def known(world) -> list[str]:
    """Somebody of whom all is known and an account's own record, with another and a merged one; their pages."""
    given = {"by": None, "home": world.grid, "name": "李芳", "birth_date": dt.date(1985, 3, 21)}
    person, double, third = (make_person(**given, work=world.department) for _number in range(3))
    Person.objects.filter(pk=person.pk).update(user=world.member)
    person.refresh_from_db()
    far = Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="branch", name="机关党支部", place=world.county
    )
    Membership.objects.create(person=person, organisation=far, kind="member")
    Membership.objects.create(person=double, organisation=far, kind="member", valid_to=dt.date(2021, 1, 1))
    appoint(make_post(far, title="书记", by=None), person=person, by=None, since=dt.date(2020, 1, 1))
    honour = award(person, title="先进", level=4, body="县委", document="1号", awarded_on=dt.date(2025, 7, 1), by=None)
    award(world.branch, title="先进", level=1, body="中央", document="2号", awarded_on=dt.date(2025, 7, 1), by=None)
    withdraw(honour, reason="有误", by=None)
    merge(third, into=person, by=None)
    ask_correction(person, text="错了", by=world.member)
    unmask(person, reason="核对", by=world.clerk)
    pages = [f"/people/{row.pk}/" for row in (person, double, third)]
    return [*pages, f"{pages[2]}?as-it-was", f"{pages[0]}edit/", f"{pages[1]}merge/?into={person.pk}"]


@pytest.mark.parametrize("who", ["clerk", "member", "administrator", "observer", "grid_worker"])
def test_pages_of_offices_use_no_undefined_variable(world, sign_in, loud_templates, who):
    matters = list(journey(world))
    client = sign_in(world.users[who])
    body = f"/organisations/{world.branch.pk}/"
    for page in [*known(world), *WORK_PAGES, *MORE.get(who, []), body, f"{body}?part=honours"]:
        client.get(page, follow=True)
    for matter in matters:
        client.get(f"/matters/{matter.number}/")
    if who == "clerk":
        person = Person.objects.exclude(user=None).get()
        for name in ("edit", "numbers", "report", "correct"):
            client.post(f"/people/{person.pk}/{name}/", {})
        client.post(f"/people/{person.pk}/numbers/", {"reason": "核对"})
        client.post("/people/new/", {})
        client.post(f"/honours/new/?person={person.pk}", {})
        raised = world.matter()
        client.post(f"/matters/{raised.number}/decline/", {"version": 1, "note": ""})
        client.post(f"/matters/{raised.number}/decline/", {"version": 7, "note": "晚了"})
        client.post(f"/matters/{raised.number}/contact/")
        client.post(f"/matters/{raised.number}/contact/", {"reason": "核对"})
        client.post("/matters/new/", {})
        ticked = f"{raised.number}:1"
        client.post("/matters/bulk/", {"matter": ticked})
        client.post("/matters/bulk/", {"matter": ticked, "to": ""})
        client.post("/matters/bulk/", {"matter": ticked, "to": f"organisation:{world.office.pk}"})


def test_pages_of_residents_use_no_undefined_variable(world, client, loud_templates):
    Place.objects.filter(level=Level.VILLAGE).update(latitude=31.7, longitude=105.9)
    matters = list(journey(world))
    client.get("/")
    client.cookies["county"] = world.county.code
    for page in [
        "/",
        "/results/",
        f"/results/?place={world.village.code}&category=public_works&days=365",
        "/follow/",
        "/follow/?number=CX-1",
        "/raise/",
        "/login/",
        f"/notice/{world.village.code}/",
        "/nothing-here/",
    ]:
        client.get(page)
    client.post("/follow/", {"number": "", "secret": "x"})
    client.post("/login/", {"username": "clerk", "password": "x"})
    client.post("/raise/", {"subject": ""})
    client.post("/raise/", {"module": "report", "subject": "路灯坏了", "detail": "很黑"})
    for page in ["/raise/where/", "/raise/where/?township=510824100", "/raise/where/?lat=31.7&lng=105.9", "/raise/"]:
        client.get(page)
    client.post("/raise/where/", {"place": ""})
    client.post("/raise/where/", {"place": world.village.code})
    client.get("/raise/send/")
    client.post("/raise/send/", {"phone": "x"})
    client.post("/raise/send/", {})
    client.get("/raise/done/")
    session = client.session
    session["follow"] = [str(matter.pk) for matter in matters]
    session.save()
    client.get("/follow/")
    for matter in matters:
        client.get(f"/follow/{matter.number}/")
        client.post(f"/follow/{matter.number}/rate/", {"rating": "9"})
        client.post(f"/follow/{matter.number}/answer/", {"note": ""})
