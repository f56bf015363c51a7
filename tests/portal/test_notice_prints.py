"""All notices of a place as one file: ordered by a clerk, made by the worker, once, and kept for a week."""

import datetime as dt
import io

import pytest
from django.utils import timezone
from pypdf import PdfReader

from tests.conftest import place
from tests.paper import letters_of, pages_of
from weilu.lib.typesetting import TypesettingError
from weilu.orgs.models import Level
from weilu.portal import notice_services
from weilu.portal.models import NoticePrint
from weilu.portal.notice_services import STALLED, Refused, look_after_prints, make, order_print
from weilu.portal.tasks import make_notices

ALL = ["township", "village", "grid", "building", "branch", "body"]
ADDRESS = "https://shequ.example.cn"


@pytest.fixture
def township(world):
    """Two villages, three grids, two buildings; a branch and an office."""
    world.second = place("510824100002", "红军路社区", Level.VILLAGE, world.township)
    for parent, names in ((world.grid, ("1号楼", "2号楼")), (world.second, ("第一网格", "第二网格"))):
        for number, name in enumerate(names, start=1):
            place(f"{parent.code}-0{number}", name, Level(parent.level + 1), parent)
    return world


def order(world, kinds=ALL, by=None, at=None):
    return order_print(at or world.township, kinds, address=ADDRESS, by=by or world.clerk)


def test_the_worker_makes_one_page_for_each_notice(township):
    row = order(township)
    assert row.phase == "waiting"
    assert row.total == 1 + 2 + 3 + 2 + 1 + 1
    make_notices(print_id=str(row.pk))
    row.refresh_from_db()
    assert (row.phase, row.done, row.total) == ("done", 10, 10)
    content = row.path.read_bytes()
    assert row.size == len(content)
    assert len(pages_of(content)) == 10
    assert set("陵江镇金穗社区红军路第一网格公示牌") <= letters_of(content)


def test_only_the_kinds_that_were_ticked_are_printed(township):
    row = order(township, ["grid"])
    make(str(row.pk))
    row.refresh_from_db()
    assert len(pages_of(row.path.read_bytes())) == 3


def test_branches_are_printed_without_the_places_they_stand_at(township):
    row = order(township, ["branch"])
    make(str(row.pk))
    row.refresh_from_db()
    assert len(pages_of(row.path.read_bytes())) == 1


def test_pressing_twice_orders_one_print_and_it_is_made_once(township):
    row = order(township)
    assert order(township) == row
    assert make(str(row.pk))
    assert not make(str(row.pk))
    assert order(township) != row  # the next one, with what is new


def test_a_print_whose_worker_stopped_is_begun_anew(township):
    row = order(township)
    NoticePrint.objects.filter(pk=row.pk).update(phase="collecting", done=4)
    assert not make(str(row.pk))  # somebody is at it
    NoticePrint.objects.filter(pk=row.pk).update(beat_at=timezone.now() - STALLED - dt.timedelta(seconds=1))
    look_after_prints()
    assert make(str(row.pk))
    row.refresh_from_db()
    assert row.phase == "done"


def test_a_place_that_is_set_in_parts_comes_as_one_pdf_in_order(township, monkeypatch):
    row = order(township)
    make(str(row.pk))
    whole = row.path.read_bytes()
    monkeypatch.setattr(notice_services, "PART", 4)
    row = order(township)
    make(str(row.pk))
    row.refresh_from_db()
    joined = row.path.read_bytes()
    assert row.size == len(joined)
    assert words_of(joined) == words_of(whole)
    assert len(pages_of(joined)) == 10
    assert PdfReader(io.BytesIO(joined)).metadata.title == world_name(township)
    assert not list(row.path.parent.glob(f".parts-{row.pk}-*"))


def words_of(pdf: bytes) -> list[str]:
    """What each page says, however its letters are kept."""
    return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def world_name(township) -> str:
    return township.township.name


def test_parts_that_cannot_be_joined_end_in_a_message(township, monkeypatch):
    monkeypatch.setattr(notice_services, "PART", 4)
    monkeypatch.setattr(notice_services, "set_many", lambda title, pages: b"no pdf")
    row = order(township)
    make(str(row.pk))
    row.refresh_from_db()
    assert row.phase == "failed"
    assert not row.path.exists()


def test_the_file_bears_the_day_in_beijing(township, sign_in):
    row = order(township, ["grid"])
    make(str(row.pk))
    NoticePrint.objects.update(created_at=dt.datetime(2026, 5, 1, 17, 0, tzinfo=dt.UTC))
    answer = sign_in(township.clerk).get(f"/desk/notices/prints/{row.pk}/file.pdf")
    assert "20260502.pdf" in answer["Content-Disposition"]


def test_pages_that_cannot_be_set_end_in_a_message_and_no_file(township, monkeypatch, caplog):
    def fails(title, pages):
        raise TypesettingError("unknown font family: noto snas")

    monkeypatch.setattr(notice_services, "set_many", fails)
    row = order(township)
    make(str(row.pk))
    row.refresh_from_db()
    assert row.phase == "failed"
    assert "noto snas" in row.message
    assert not row.path.exists()


def test_too_much_or_nothing_is_refused(township, monkeypatch):
    with pytest.raises(Refused):
        order(township, [])
    with pytest.raises(Refused):
        order(township, ["building"], at=township.second)
    monkeypatch.setattr(notice_services, "MOST_PAGES", 9)
    with pytest.raises(Refused, match="10"):
        order(township)
    assert NoticePrint.objects.count() == 0


def test_one_account_has_three_prints_under_way_at_most(township):
    for kind in ("grid", "village", "building"):
        order(township, [kind])
    with pytest.raises(Refused):
        order(township, ["branch"])
    assert order(township, ["branch"], by=township.county_clerk).phase == "waiting"


def test_prints_and_their_files_are_forgotten_after_a_week(township):
    row = order(township, ["grid"])
    make(str(row.pk))
    look_after_prints()
    assert row.path.exists()
    NoticePrint.objects.update(created_at=timezone.now() - dt.timedelta(days=8))
    look_after_prints()
    assert not row.path.exists()
    assert NoticePrint.objects.count() == 0


# --- in the browser ---------------------------------------------------------------------------------------------------
def test_a_clerk_orders_looks_and_downloads(township, sign_in):
    page = sign_in(township.clerk)
    shown = page.get("/desk/notices/").content.decode()
    assert 'value="building"' in shown
    answer = page.post("/desk/notices/prints/", {"place": township.township.code, "kind": ["grid", "village"]})
    waiting = page.get(answer.url)
    assert waiting["Refresh"]
    assert "<progress" in waiting.content.decode()
    assert page.get(f"{answer.url}file.pdf").status_code == 404
    make(str(NoticePrint.objects.get().pk))
    ready = page.get(answer.url)
    assert "Refresh" not in ready
    file = page.get(f"{answer.url}file.pdf")
    assert file["Content-Type"] == "application/pdf"
    assert len(pages_of(b"".join(file.streaming_content))) == 5


def test_a_print_is_there_for_those_who_keep_the_place(township, sign_in):
    row = order(township, ["grid"])
    make(str(row.pk))
    for who, status in (("clerk", 200), ("county_clerk", 200), ("village_clerk", 404), ("stranger", 404)):
        assert sign_in(township.users[who]).get(f"/desk/notices/prints/{row.pk}/file.pdf").status_code == status, who


def test_nobody_orders_prints_of_a_place_that_they_do_not_keep(township, sign_in):
    given = {"place": township.township.code, "kind": ["grid"]}
    for who in ("village_clerk", "stranger", "far_clerk"):
        assert sign_in(township.users[who]).post("/desk/notices/prints/", given).status_code == 404
    assert sign_in(township.member).post("/desk/notices/prints/", given).status_code == 403
    assert NoticePrint.objects.count() == 0
