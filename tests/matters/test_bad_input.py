"""Whatever is sent to the pages of offices, they answer in words: never with a fault, never with a change."""

import pytest

from weilu.matters import services
from weilu.matters.models import Category, Matter
from weilu.orgs.models import Grant
from weilu.orgs.roles import Role
from weilu.records.models import Event

NASTY = [
    "'",
    '"',
    "\\",
    "&|!:*",
    "' OR 1=1 --",
    "%",
    "_",
    "a:*",
    "路灯 & | !",
    "（）",
    "。，！？",
    "😀",
    "👨‍👩‍👧‍👦",
    "\u202e坏了",
    "\ufeff",
    "路" * 100,
    "x" * 100,
    "x" * 5000,
    "ﷺ" * 100,
    "\x00",
    "路灯\x00",
    "\ud7ff",
    "𠮷野家",
    "ＣＸ－２０２６－１",
    "CX-2026-0",
    "-1",
    "٢٠٢٦",
    "CX-٢٠٢٦-٠٠٠٠٠١",
    "9999999",
    "CX-99999999999",
    "<script>",
    "{{ 7 }}",
    "{% debug %}",
    "\r\n",
    "\t",
    "a" * 99 + "'",
]


def bad(client, cases, ask, good) -> list:
    """Return the cases whose answer is not one of ``good``, each with its status."""
    client.raise_request_exception = False
    answers = ((case, ask(case).status_code) for case in cases)
    return [(ascii(case)[:40], status) for case, status in answers if status not in good]


@pytest.mark.parametrize("field", ["q", "place", "category", "tab"])
def test_a_filter_takes_any_text(world, sign_in, field):
    world.matter()
    client = sign_in(world.clerk)
    assert bad(client, NASTY, lambda text: client.get("/matters/", {field: text, "tab": "all"}), (200, 400)) == []
    assert bad(client, NASTY[:12], lambda text: client.get("/matters/export/", {field: text}), (200, 400)) == []


SOME_ID = "01a20410-3523-72db-8049-ccaf0739604c"
CURSORS = [
    "x",
    "~",
    "2026-01-01",
    "2026-01-01~",
    "2026-01-01T00:00:00~x",
    "2026-01-01T00:00:00+00:00~x",
    "\x00~\x00",
    "2026-01-01T00:00:00~01a20410-3523-72db-8049-ccaf0739604c",
    "0001-01-01T00:00:00+14:00~01a20410-3523-72db-8049-ccaf0739604c",
    "9999-12-31T23:59:59-14:00~01a20410-3523-72db-8049-ccaf0739604c",
    "2026-01-01T00:00:00+00:00~" + "9" * 5000,
    "2026-01-01T00:00:00+00:00~01a20410-3523-72db-8049-ccaf0739604c~more",
    "' OR 1=1 --~'",
]


def test_a_forged_cursor_leads_back_to_the_first_page(world, sign_in):
    world.matter()
    client = sign_in(world.clerk)
    assert bad(client, CURSORS, lambda cursor: client.get("/matters/", {"after": cursor}), (200, 302, 400)) == []


NUMBERS = ["x" * 3000, "%F0%9F%98%80", "..", "%2E%2E", "'", "%25", "%FF", "%00", "CX-2026-000001%00"]


@pytest.mark.parametrize(
    ("method", "rest"), [("get", ""), ("get", f"files/{SOME_ID}/"), ("post", "contact/"), ("post", "start/")]
)
def test_a_number_that_nobody_gave_is_not_found(world, sign_in, method, rest):
    client = sign_in(world.clerk)
    assert bad(client, NUMBERS, lambda number: getattr(client, method)(f"/matters/{number}/{rest}"), (404, 400)) == []


VERSIONS = ["", "0", "2", "-1", "1.0", "１", "1e1", "9" * 5000, "\x00", "x", "²"]


def test_a_version_that_was_not_seen_changes_nothing(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    to = f"organisation:{world.office.pk}"
    address = f"/matters/{matter.number}/dispatch/"
    assert bad(client, VERSIONS, lambda version: client.post(address, {"to": to, "version": version}), (409, 400)) == []
    matter.refresh_from_db()
    assert (matter.state, matter.version) == ("raised", 1)


def test_a_missing_version_changes_nothing(world, sign_in):
    matter = world.matter()
    answer = sign_in(world.clerk).post(f"/matters/{matter.number}/decline/", {"note": "不归我们"})
    assert answer.status_code == 409
    assert Event.objects.filter(record_id=matter.pk).count() == 1


@pytest.mark.parametrize("verb", ["decline", "progress", "ask", "return"])
def test_a_text_that_cannot_be_kept_is_said_and_nothing_changes(world, sign_in, verb):
    matter = world.matter()
    if verb != "decline":
        matter = services.dispatch(matter, to=world.office, by=world.clerk, version=1)
    client = sign_in(world.clerk)
    address = f"/matters/{matter.number}/{verb}/"
    texts = ["\x00", "好\x00", "x" * 5000, "", "  ", "\u3000"]
    asked = {"version": matter.version}
    assert bad(client, texts, lambda text: client.post(address, asked | {"note": text}), (422, 400)) == []
    assert Matter.objects.get(pk=matter.pk).version == matter.version


TARGETS = [
    "",
    "x",
    "organisation:",
    "organisation:x",
    "grid:\x00",
    "organisation:\x00",
    ":",
    "user:1",
    "grid:" + "9" * 5000,
]


def test_a_target_that_is_none_is_said(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    one, several = f"/matters/{matter.number}/dispatch/", "/matters/bulk/"
    assert bad(client, TARGETS, lambda to: client.post(one, {"version": 1, "to": to}), (422, 400)) == []
    ticked = f"{matter.number}:1"
    assert bad(client, TARGETS, lambda to: client.post(several, {"matter": ticked, "to": to}), (422, 400)) == []
    assert Matter.objects.get(pk=matter.pk).state == "raised"


def test_a_place_is_no_target_unless_it_is_a_grid(world, sign_in):
    matter = world.matter()
    answer = sign_in(world.clerk).post(
        f"/matters/{matter.number}/dispatch/", {"version": 1, "to": f"grid:{world.village.pk}"}
    )
    assert answer.status_code == 409
    assert Matter.objects.get(pk=matter.pk).state == "raised"


def test_it_is_not_transferred_out_of_the_county(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    address, places = f"/matters/{matter.number}/transfer/", ["", "x", "\x00", "510823100201", "5108"]
    data = {"version": 1, "note": "归你们"}
    assert bad(client, places, lambda place: client.post(address, data | {"place": place}), (422, 400)) == []
    assert Matter.objects.get(pk=matter.pk).village == world.village


def test_it_is_not_merged_into_what_is_not_there(world, sign_in):
    world.matter(at=world.far_village)
    matter = world.matter()
    client = sign_in(world.clerk)
    numbers = ["", "x", "\x00", "' OR 1=1", "JG-2026-000001", matter.number, "x" * 5000]
    address = f"/matters/{matter.number}/merge/"
    assert bad(client, numbers, lambda into: client.post(address, {"version": 1, "into": into}), (400, 409, 422)) == []
    assert Matter.objects.get(pk=matter.pk).state == "raised"


def test_a_tick_that_means_nothing_hands_nothing_over(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    number = matter.number
    ticks = ["", ":", "x:1", number, f"{number}:", f"{number}:-1", f"{number}:２", "\x00:1"]
    to = f"organisation:{world.office.pk}"
    ask = lambda tick: client.post("/matters/bulk/", {"matter": tick, "to": to})  # noqa: E731
    assert bad(client, ticks, ask, (200, 302, 400, 422)) == []
    assert Matter.objects.get(pk=matter.pk).state == "raised"


def test_a_tick_with_a_version_of_5000_digits_hands_nothing_over(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    data = {"matter": f"{matter.number}:" + "9" * 5000, "to": f"organisation:{world.office.pk}"}
    assert bad(client, [data], lambda given: client.post("/matters/bulk/", given), (200, 302, 400, 422)) == []


def test_a_note_with_a_nul_does_not_break_the_bulk(world, sign_in):
    matter = world.matter()
    data = {"matter": f"{matter.number}:1", "to": f"organisation:{world.office.pk}", "note": "好\x00"}
    assert sign_in(world.clerk).post("/matters/bulk/", data).status_code in (200, 400, 422)


def test_an_unknown_category_does_not_break_the_bulk(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    data = {"matter": f"{matter.number}:1", "to": f"organisation:{world.office.pk}"}
    ask = lambda category: client.post("/matters/bulk/", data | {"category": category})  # noqa: E731
    assert bad(client, ["x", "\x00", SOME_ID], ask, (200, 400, 422)) == []


def test_the_bulk_gives_no_category_of_another_county(world, sign_in):
    matter = world.matter()
    far = Category.objects.get(jurisdiction=world.far_jurisdiction, code="traffic")
    data = {"matter": f"{matter.number}:1", "to": f"organisation:{world.office.pk}", "category": far.pk}
    sign_in(world.clerk).post("/matters/bulk/", data)
    assert Matter.objects.get(pk=matter.pk).category.jurisdiction_id == world.jurisdiction.pk


def intake(world, **given):
    return {
        "intake_key": "01a20410-3523-72db-8049-ccaf0739604c",
        "channel": "hotline",
        "subject": "井盖丢了",
        "module": world.matter().module_id,
        "category": Category.objects.get(jurisdiction=world.jurisdiction, code="other").pk,
        "place": world.village.code,
    } | given


WRONG = [
    ("subject", "x" * 121),
    ("subject", "\x00"),
    ("detail", "x" * 4001),
    ("place", "510823100201"),
    ("place", "\x00"),
    ("module", "x"),
    ("category", "\x00"),
    ("channel", "web"),
    ("intake_key", "x"),
    ("phone", "abc"),
    ("phone", "1"),
    ("name", "x" * 41),
    ("address", "\x00"),
]


def test_an_intake_with_a_wrong_field_is_shown_again(world, sign_in):
    client = sign_in(world.clerk)
    data = intake(world)
    assert bad(client, WRONG, lambda pair: client.post("/matters/new/", data | dict([pair])), (400, 422)) == []
    assert "井盖丢了" in client.post("/matters/new/", data | {"phone": "1"}).content.decode()
    assert Matter.objects.count() == 1


def test_an_intake_sent_twice_is_one_matter(world, sign_in):
    client = sign_in(world.clerk)
    data = intake(world)
    for _again in range(2):
        assert client.post("/matters/new/", data).status_code == 302
    assert Matter.objects.filter(subject="井盖丢了").count() == 1


def test_a_clerk_of_two_counties_records_in_either(world, sign_in):
    Grant.objects.create(
        user=world.county_clerk, role=Role.COUNTY_CLERK, place=world.far_county, jurisdiction=world.far_jurisdiction
    )
    client = sign_in(world.county_clerk)
    for place in (world.village, world.far_village):
        answer = client.post("/matters/new/", intake(world, place=place.code, intake_key=str(place.pk)))
        assert answer.status_code in (302, 422), place


def test_a_json_body_is_no_form(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    for address in (f"/matters/{matter.number}/decline/", "/matters/bulk/", "/matters/new/"):
        answer = client.post(address, '{"note": "x", "version": 1}', content_type="application/json")
        assert answer.status_code in (200, 302, 409, 422), address
    assert Matter.objects.get(pk=matter.pk).version == 1


def test_a_damaged_multipart_body_is_refused(world, sign_in):
    matter = world.matter()
    client = sign_in(world.clerk)
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"):
        answer = client.post(f"/matters/{matter.number}/decline/", b"--y\r\nbroken", content_type=content_type)
        assert answer.status_code in (400, 409, 422), content_type
    assert Matter.objects.get(pk=matter.pk).version == 1


def test_pages_answer_a_head_request(world, sign_in):
    client = sign_in(world.clerk)
    matter = world.matter()
    for address in ("/matters/", f"/matters/{matter.number}/", "/desk/", "/messages/", "/matters/new/"):
        assert client.head(address).status_code == 200, address
