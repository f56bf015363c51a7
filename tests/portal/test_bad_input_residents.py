"""Whatever strangers send, the residents' pages answer in words and keep nothing they should not."""

import pytest

from weilu.matters.models import Matter


def bad(client, cases, ask, good) -> list:
    """Return the cases whose answer is not one of ``good``, each with its status."""
    client.raise_request_exception = False
    answers = ((case, ask(case).status_code) for case in cases)
    return [(ascii(case)[:40], status) for case, status in answers if status not in good]


IDS = {"ids": lambda text: ascii(text)[:20]}


@pytest.fixture
def resident(world, client):
    client.cookies["county"] = world.county.code
    return client


@pytest.mark.parametrize("address", ["/notice/{}/", "/notice/{}/qr.svg", "/at/{}/"])
def test_a_place_that_is_none_is_not_found(world, resident, address):
    codes = ["x", "'", "%FF", "x" * 2000, "5108", "51", "%00", "510824100001%00"]
    assert bad(resident, codes, lambda code: resident.get(address.format(code)), (400, 404)) == []


@pytest.mark.parametrize("field", ["place", "category", "days", "county"])
def test_the_public_page_takes_any_filter(world, resident, field):
    values = ["x", "'", "😀", "x" * 3000, "510823", "\x00"]
    assert bad(resident, values, lambda value: resident.get("/results/", {field: value}), (200, 400, 404)) == []


def test_the_first_step_takes_any_module_from_its_address(world, resident):
    values = ["\x00", "x", "'", "<b>", "x" * 3000]
    assert bad(resident, values, lambda value: resident.get("/raise/", {"module": value}), (200, 400)) == []


STEP_1 = {"module": "report", "subject": "路灯坏了", "detail": ""}


def test_a_wrong_first_step_is_shown_again_with_what_was_typed(world, resident):
    wrong = [
        ("subject", ""),
        ("subject", "路"),
        ("subject", "路" * 121),
        ("module", ""),
        ("module", "x"),
        ("detail", "x" * 4001),
    ]
    for field, value in wrong:
        answer = resident.post("/raise/", STEP_1 | {"detail": "西门外第二根"} | {field: value})
        assert answer.status_code == 422, (field, value)
        text = answer.content.decode()
        assert 'role="alert"' in text
        assert ("西门外第二根" in text) or field == "detail"
        assert ("路灯坏了" in text) or field == "subject"
    nul = [("subject", "路\x00灯"), ("module", "\x00"), ("detail", "\x00")]
    assert bad(resident, nul, lambda pair: resident.post("/raise/", STEP_1 | dict([pair])), (400, 422)) == []


def test_a_wrong_place_is_asked_for_again(world, resident):
    resident.post("/raise/", STEP_1)
    answer = resident.post("/raise/where/", {"place": "x", "address": "桥头"})
    assert answer.status_code == 422
    assert "桥头" in answer.content.decode()
    places = ["'", "510823100201", "5108", "", "\x00"]
    assert bad(resident, places, lambda place: resident.post("/raise/where/", {"place": place}), (400, 422)) == []


def test_an_unknown_township_shows_all_townships(world, resident):
    resident.post("/raise/", STEP_1)
    assert "陵江镇" in resident.get("/raise/where/", {"township": "510823100"}).content.decode()
    codes = ["x", "'", "\x00"]
    assert bad(resident, codes, lambda code: resident.get("/raise/where/", {"township": code}), (200, 400)) == []


def test_a_position_off_the_earth_is_no_position(world, resident):
    resident.post("/raise/", STEP_1)
    pairs = [
        ("nan", "nan"),
        ("inf", "1"),
        ("91", "0"),
        ("x", "y"),
        ("", ""),
        ("1e400", "0"),
        ("31", "\x00"),
        ("٣١", "105"),
    ]
    ask = lambda pair: resident.get("/raise/where/", dict(zip(("lat", "lng"), pair, strict=True)))  # noqa: E731
    assert bad(resident, pairs, ask, (200, 400)) == []


def test_an_address_with_a_nul_does_not_break_the_last_step(world, resident):
    resident.post("/raise/", STEP_1)
    resident.post("/raise/where/", {"place": world.village.code, "address": "桥\x00头"})
    resident.raise_request_exception = False
    assert resident.post("/raise/send/", {}).status_code in (302, 400, 422)


def test_a_wrong_contact_is_shown_again_and_nothing_is_filed(world, resident):
    resident.post("/raise/", STEP_1)
    resident.post("/raise/where/", {"place": world.village.code})
    wrong = [
        ("phone", "abc"),
        ("phone", "1" * 31),
        ("phone", "\x00"),
        ("email", "x"),
        ("email", "a@b@c"),
        ("email", "\x00@x.cn"),
        ("email", "a@x.cn\nBcc: b@x.cn"),
        ("name", "名" * 41),
        ("name", "\x00"),
    ]
    data = {"name": "田七", "phone": "13800001111", "email": ""}
    assert bad(resident, wrong, lambda pair: resident.post("/raise/send/", data | dict([pair])), (400, 422)) == []
    assert "田七" in resident.post("/raise/send/", data | {"phone": "abc"}).content.decode()
    assert not Matter.objects.exists()


def test_a_wrong_number_or_secret_opens_nothing(world, resident):
    world.matter()
    numbers = ["", "\x00", "x", "CX-2026-000001", "'", "x" * 25, "ＣＸ－２０２６－０００００１"]
    secrets = ["", "\x00", "x", "22222222", "x" * 21, "'; --"]
    pairs = [{"number": number, "secret": secret} for number in numbers for secret in secrets]
    assert bad(resident, pairs, lambda pair: resident.post("/follow/", pair), (400, 422)) == []
    assert "follow" not in resident.session


def test_a_number_with_a_nul_in_the_address_is_not_found(world, resident):
    matter = world.matter()
    session = resident.session
    session["follow"] = [str(matter.pk)]
    session.save()
    assert resident.get(f"/follow/{matter.number}/").status_code == 200
    resident.raise_request_exception = False
    assert resident.get(f"/follow/{matter.number}%00/").status_code in (400, 404)


def test_a_forged_draft_cookie_is_no_draft(world, resident):
    for cookie in ["x", "x:y:z", "", "01a20410-3523-72db-8049-ccaf0739604c:x:y", "\\000"]:
        resident.cookies["draft"] = cookie
        assert resident.get("/raise/").status_code == 200
        assert resident.get("/raise/send/").status_code == 302


TARGETS = [
    "//evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "\\\\evil.example",
    "/\\evil.example",
    "///evil.example",
    "",
    "/ok/?a=1",
    "http:///evil.example",
    " //evil.example",
    "queue",
    "a.b",
]


@pytest.mark.parametrize("address", ["/language/", "/type-size/"])
def test_a_word_that_is_no_address_leads_home(world, resident, address):
    assert bad(resident, ["nonsense", "\x00"], lambda word: resident.post(address, {"next": word}), (302, 400)) == []


@pytest.mark.parametrize("address", ["/language/", "/type-size/"])
def test_language_and_type_size_lead_back_here_and_nowhere_else(world, resident, address):
    for target in TARGETS:
        answer = resident.post(address, {"next": target, "language": "en"})
        assert answer.status_code == 302
        place = answer["Location"]
        assert place.startswith("/") or "evil" not in place
        assert not place.startswith(("//", "/\\"))


def test_an_unknown_language_is_not_kept(world, resident):
    assert "django_language" not in resident.post("/language/", {"language": "xx", "next": "/"}).cookies
    resident.cookies["django_language"] = "xx"
    assert resident.get("/").headers["Content-Language"] == "zh-hans"


def test_public_pages_answer_a_head_request(world, resident):
    pages = ["/", "/results/", "/raise/", "/follow/", "/login/", "/healthz", "/notice/510824100001/"]
    assert bad(resident, pages, resident.head, (200, 503)) == []


def test_json_and_damaged_bodies_are_no_forms(world, resident):
    for address in ("/raise/", "/follow/", "/login/"):
        answer = resident.post(address, "{}", content_type="application/json")
        assert answer.status_code in (200, 422), address
        answer = resident.post(address, b"--y\r\nbroken", content_type="multipart/form-data; boundary=x")
        assert answer.status_code in (200, 400, 422), address


def test_too_many_fields_and_too_large_a_body_are_refused(world, resident):
    assert resident.post("/follow/", {f"f{n}": "x" for n in range(1001)}).status_code == 400
    assert (
        resident.post(
            "/follow/", {"number": "x" * 2_600_000}, content_type="application/x-www-form-urlencoded"
        ).status_code
        == 400
    )
