"""What everybody may read: results without anything personal, health, limits, language, type size."""

import pytest
from django.conf import settings as live
from django.db import connection

from weilu.matters import services

PERSONAL = ["王奶奶家的下水道", "三单元二楼东户", "欧阳明月", "13812345678", "ming@example.org", "已上门给王奶奶修好"]


@pytest.fixture
def settled(world):
    matter = world.matter(
        subject=PERSONAL[0], detail=PERSONAL[1], address="幸福路九号", contact=services.Contact(*PERSONAL[2:5])
    )
    done = services.settle(matter, by=world.clerk, version=1, outcome=PERSONAL[5], public_outcome="疏通了管道。")
    return services.rate(done, rating=5, comment="欧阳明月说谢谢")


def test_public_pages_show_what_was_done_and_nothing_personal(world, client, settled):
    client.cookies["county"] = world.county.code
    pages = ["/", "/results/", f"/results/?place={world.township.code}&days=365", f"/notice/{world.village.code}/"]
    for page in pages:
        text = client.get(page).content.decode()
        for personal in [*PERSONAL, "幸福路九号", "说谢谢", settled.number]:
            assert personal not in text, (page, personal)
    text = client.get("/results/").content.decode()
    assert "疏通了管道。" in text
    assert settled.public_title in text


def test_a_result_that_is_not_public_is_not_shown_or_counted(world, client):
    client.cookies["county"] = world.county.code
    services.settle(world.matter(), by=world.clerk, version=1, outcome="好了", publish=False, public_outcome="秘而不宣")
    answer = client.get("/results/")
    assert "秘而不宣" not in answer.content.decode()
    assert answer.context["total"] is None


def test_results_are_of_the_county_that_was_chosen(world, client, settled):
    answer = client.get("/results/", {"county": world.far_county.code})
    assert answer.context["total"] is None
    assert client.get("/results/", {"county": world.far_county.code, "place": world.village.code}).status_code == 404


def test_results_of_a_place_are_the_rows_behind_the_figure(world, client, settled):
    client.cookies["county"] = world.county.code
    services.settle(world.matter(at=world.other_village), by=world.county_clerk, version=1, outcome="好了")
    for place, count in ((world.county, 2), (world.township, 1), (world.village, 1), (world.other_township, 1)):
        answer = client.get("/results/", {"place": place.code})
        assert answer.context["total"].settled == count == len(answer.context["latest"])


def test_a_notice_names_the_bodies_in_charge_and_its_code_leads_to_the_form(world, client):
    page = client.get(f"/notice/{world.village.code}/").content.decode()
    assert world.branch.name in page
    code = client.get(f"/notice/{world.village.code}/qr.svg")
    assert code["Content-Type"] == "image/svg+xml"
    assert b"<svg" in code.content
    assert client.get(f"/notice/{world.grid.code}/").status_code == 200


LIMITED = [
    ("/follow/", "follow", "post"),
    ("/raise/", "file", "post"),
    ("/results/", "read", "get"),
    ("/", "read", "get"),
]


@pytest.mark.parametrize(("address", "kind", "method"), LIMITED)
def test_a_stranger_who_asks_too_often_is_told_when_to_come_again(world, client, settings, address, kind, method):
    settings.RATE_LIMITS = live.RATE_LIMITS | {kind: 3}
    client.cookies["county"] = world.county.code
    answers = [getattr(client, method)(address) for _n in range(5)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 3 + [True] * 2
    assert int(answers[-1]["Retry-After"]) > 0
    elsewhere = getattr(client, method)(address, REMOTE_ADDR="203.0.113.9")
    assert elsewhere.status_code != 429


def test_an_account_is_not_limited(world, sign_in, settings):
    settings.RATE_LIMITS = dict.fromkeys(live.RATE_LIMITS, 1)
    client = sign_in(world.clerk)
    client.cookies["county"] = world.county.code
    assert {client.get("/results/").status_code for _n in range(4)} == {200}


def test_an_address_that_a_stranger_made_up_does_not_lift_the_limit(world, client, settings):
    settings.RATE_LIMITS = live.RATE_LIMITS | {"follow": 2}
    answers = [client.post("/follow/", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}").status_code for n in range(4)]
    assert answers[-1] == 429


def test_behind_a_proxy_of_ours_each_caller_counts_alone(world, client, settings):
    settings.RATE_LIMITS = live.RATE_LIMITS | {"follow": 1}
    settings.TRUSTED_PROXIES = 1
    for n in range(4):
        assert client.post("/follow/", HTTP_X_FORWARDED_FOR=f"1.2.3.4, 203.0.113.{n}").status_code != 429


def test_the_language_stays(world, client):
    client.cookies["county"] = world.county.code
    assert 'lang="zh-CN"' in client.get("/").content.decode()
    assert 'lang="zh-CN"' in client.get("/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    answer = client.post("/language/", {"language": "en", "next": "/results/?days=90"})
    assert answer["Location"] == "/results/?days=90"
    assert '<html lang="en"' in client.get("/").content.decode()


def test_large_type_is_switched_on_and_off(world, client):
    client.cookies["county"] = world.county.code
    for large in (True, False, True):
        client.post("/type-size/", {"next": "/"})
        assert ('class="large"' in client.get("/").content.decode()) is large


def heartbeat(seconds_ago: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))",
            [seconds_ago],
        )


def test_it_is_healthy_with_a_worker_and_not_without(db, client):
    answer = client.get("/healthz")
    assert answer.status_code == 503
    body = answer.json()
    assert set(body) == {"status", "database", "worker", "migrations"}
    assert (body["status"], body["database"], body["migrations"]) == ("failing", "ok", "ok")
    assert body["worker"] != "ok"
    heartbeat(1)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert set(answer.json().values()) == {"ok"}
    heartbeat(3600)
    assert client.get("/healthz").status_code == 503


def test_pages_carry_the_headers_that_keep_them_safe(world, client):
    client.cookies["county"] = world.county.code
    answer = client.get("/")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    text = answer.content.decode()
    assert " style=" not in text
    assert "onclick=" not in text


def test_a_form_from_elsewhere_is_refused_in_words(world):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    answer = client.post("/follow/", {"number": "x"})
    assert answer.status_code == 403
    assert "<h1>" in answer.content.decode()
