"""A board: computed from the records, open to objections, published, sealed; corrections stand beside it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.conftest import place
from weilu.indicators import boards
from weilu.indicators.board_views import quarter_before
from weilu.indicators.boards import BoardError
from weilu.indicators.models import Board, Edition, EditionRow
from weilu.lib.period import BEIJING, Period
from weilu.matters.models import Matter
from weilu.matters.workflow import State
from weilu.orgs.models import Level

MAY = dt.datetime(2025, 5, 5, 10, tzinfo=BEIJING)
QUARTER = Period.of("2025Q2")
MEASURES = [
    {"code": "matters.in_time", "weight": 2, "more": True},
    {"code": "matters.days", "weight": 1, "more": False},
]


def settled(world, at, late=False, days=2):
    matter = world.matter(at=at)
    Matter.objects.filter(pk=matter.pk).update(
        state=State.SETTLED, created_at=MAY - dt.timedelta(days=days), settled_at=MAY, settled_late=late, due_at=None
    )
    return matter


@pytest.fixture
def board(world):
    """Two townships: one settles all in time and slowly, the other half of it."""
    settled(world, world.village, days=6)
    settled(world, world.other_village, late=True)
    settled(world, world.other_village)
    return Board.objects.create(
        jurisdiction=world.jurisdiction, place=world.county, title="办理质效榜", level=Level.TOWNSHIP, measures=MEASURES
    )


@pytest.fixture
def shown(world, board):
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    return boards.show(edition, by=world.administrator)


def published(world, edition):
    Edition.objects.filter(pk=edition.pk).update(object_until=timezone.localdate() - dt.timedelta(days=1))
    return boards.publish(edition, by=world.administrator)


def standing(edition):
    return [(row.rank, row.place.name, row.score) for row in edition.rows.select_related("place")]


def test_places_stand_by_weighted_points_with_the_values_that_gave_them(world, board):
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    # In time: 100 % beats 50 %. Days: 2 beats 6. Points 100 and 50 each; weights 2 and 1.
    assert standing(edition) == [(1, "陵江镇", pytest.approx(83.3333)), (2, "云峰镇", pytest.approx(66.6667))]
    values = edition.rows.get(rank=2).values
    assert [(each["value"], each["rank"]) for each in values] == [(50.0, 2), (2, 1)]


def test_places_that_are_level_share_a_rank(world, board):
    Matter.objects.all().delete()
    settled(world, world.village)
    settled(world, world.other_village)
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    assert [rank for rank, _name, _score in standing(edition)] == [1, 1]


def test_a_place_without_a_value_gets_no_points(world, board):
    Matter.objects.filter(township=world.other_township).delete()
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    assert standing(edition)[-1] == (2, "云峰镇", 0)


def test_an_edition_is_made_once_for_a_period(world, board):
    first = boards.start_edition(board, period=QUARTER, by=world.administrator)
    assert boards.start_edition(board, period=QUARTER, by=world.administrator) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Edition.objects.create(board=board, period="2025Q2", jurisdiction=board.jurisdiction)


def test_a_period_that_has_not_begun_has_no_board(world, board):
    with pytest.raises(BoardError, match="2199"):
        boards.start_edition(board, period=Period.of("2199"), by=world.administrator)


def test_only_who_keeps_the_board_makes_its_steps(world, board):
    for user in (world.clerk, world.observer, world.far_clerk, world.handler):
        with pytest.raises(BoardError):
            boards.start_edition(board, period=QUARTER, by=user)


def test_a_ranked_place_objects_and_the_board_is_not_published_before_the_answer(world, shown):
    objection = boards.object_to(shown, place=world.township, by=world.clerk, text="五月有一件算错了")
    Edition.objects.filter(pk=shown.pk).update(object_until=timezone.localdate() - dt.timedelta(days=1))
    with pytest.raises(BoardError, match="1"):
        boards.publish(shown, by=world.administrator)
    boards.answer(objection, by=world.administrator, text="已核对，无误")
    assert boards.publish(shown, by=world.administrator).state == Edition.State.PUBLISHED


def test_an_objection_is_answered_once(world, shown):
    objection = boards.object_to(shown, place=world.township, by=world.clerk, text="算错了")
    boards.answer(objection, by=world.administrator, text="没有")
    with pytest.raises(BoardError):
        boards.answer(objection, by=world.administrator, text="有")
    objection.refresh_from_db()
    assert objection.answer == "没有"


def test_nobody_objects_for_a_place_that_is_not_theirs(world, shown):
    for user in (world.stranger, world.far_clerk, world.observer):
        with pytest.raises(BoardError):
            boards.object_to(shown, place=world.township, by=user, text="算错了")


def test_nobody_objects_when_the_time_is_over_or_without_words(world, shown):
    with pytest.raises(BoardError):
        boards.object_to(shown, place=world.township, by=world.clerk, text="  ")
    Edition.objects.filter(pk=shown.pk).update(object_until=timezone.localdate() - dt.timedelta(days=1))
    with pytest.raises(BoardError):
        boards.object_to(shown, place=world.township, by=world.clerk, text="算错了")


def test_a_board_is_not_published_while_objections_are_possible(world, shown):
    with pytest.raises(BoardError):
        boards.publish(shown, by=world.administrator)


def test_what_was_published_stays_and_corrections_stand_beside_it(world, shown):
    edition = published(world, shown)
    before = standing(edition)
    Matter.objects.filter(township=world.other_township).update(settled_late=False)
    found = boards.correct(edition, by=world.administrator, reason="一件误记为超期")
    assert [(row.place.name, row.code, row.was, row.now) for row in found] == [("云峰镇", "matters.in_time", 50, 100)]
    assert standing(edition) == before
    assert boards.correct(edition, by=world.administrator, reason="再看一次") == []
    with pytest.raises(BoardError):
        boards.compute(edition, by=world.administrator)


def test_the_seal_tells_of_a_row_that_was_changed(world, shown, client):
    edition = published(world, shown)
    assert edition.seal == boards.seal_of(edition)
    EditionRow.objects.filter(edition=edition, rank=2).update(rank=1)
    assert edition.seal != boards.seal_of(edition)
    assert "封存校验不符" in client.get(f"/published/{edition.pk}/").text


def test_the_board_keeps_the_rule_it_was_computed_by(world, board, shown):
    Board.objects.filter(pk=board.pk).update(measures=[{"code": "matters.raised", "weight": 1, "more": True}])
    edition = published(world, shown)
    assert edition.measures == MEASURES


@pytest.mark.parametrize(
    "measures",
    [
        [],
        [{"code": "no.such", "weight": 1, "more": True}],
        [{"code": "matters.days", "weight": 0, "more": True}],
        [{"code": "matters.days", "weight": 1, "more": True}, {"code": "matters.days", "weight": 1, "more": False}],
    ],
)
def test_a_rule_that_cannot_be_computed_is_refused(measures):
    with pytest.raises(BoardError):
        boards.check_measures(measures, Level.TOWNSHIP)


def test_everybody_reads_a_published_board_and_nobody_else_a_draft(world, board, client, sign_in):
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    assert client.get(f"/published/{edition.pk}/").status_code == 404
    assert sign_in(world.clerk).get(f"/editions/{edition.pk}/").status_code == 404
    assert sign_in(world.administrator).get(f"/editions/{edition.pk}/").status_code == 200
    client.logout()
    published(world, boards.show(edition, by=world.administrator))
    page = client.get(f"/published/{edition.pk}/").text
    assert page.index("陵江镇") < page.index("云峰镇")
    assert "办理质效榜" in client.get("/published/").text
    assert 'href="/published/"' in client.get(f"/results/?county={world.county.code}").text


def test_small_numbers_about_people_are_not_public(world, board, client, sign_in):
    Board.objects.filter(pk=board.pk).update(measures=[{"code": "orders.members", "weight": 1, "more": True}])
    Matter.objects.filter(township=world.township).update(taken_by=world.member)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    edition = published(world, boards.show(edition, by=world.administrator))
    assert edition.rows.get(rank=1).values[0]["value"] == 1
    page = client.get(f"/published/{edition.pk}/").text
    assert "人数少，不公布" in page
    assert "第 1 名" not in page  # a rank tells the number where few are possible
    assert page.index("云峰镇") < page.index("陵江镇")
    assert "人数少，不公布" not in sign_in(world.administrator).get(f"/editions/{edition.pk}/").text


def test_a_correction_tells_no_small_number_about_people(world, board, client):
    Board.objects.filter(pk=board.pk).update(measures=[{"code": "orders.members", "weight": 1, "more": True}])
    Matter.objects.filter(township=world.township).update(taken_by=world.member)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    edition = published(world, boards.show(edition, by=world.administrator))
    Matter.objects.filter(township=world.township).update(taken_by=None)
    boards.correct(edition, by=world.administrator, reason="误记")
    assert client.get(f"/published/{edition.pk}/").text.count("人数少，不公布") == 2


def test_a_board_is_not_for_any_days(world, board):
    with pytest.raises(BoardError):
        boards.start_edition(board, period=Period.of("2025-01-15..2025-04-14"), by=world.administrator)


def test_an_administrator_makes_a_board_and_brings_it_to_the_public_in_the_browser(world, sign_in, client):
    settled(world, world.village)
    client = sign_in(world.administrator)
    form = {
        "title": "季度榜", "level": 4, "least": 0, "code1": "matters.in_time", "weight1": 1, "better1": "more",
    }  # fmt: skip
    assert client.post("/boards/new/", form).status_code == 302
    board = Board.objects.get()
    answer = client.post(f"/boards/{board.pk}/editions/", {"period": "2025Q2"})
    edition = board.editions.get()
    assert answer["Location"] == f"/editions/{edition.pk}/"
    client.post(f"/editions/{edition.pk}/show/")
    sign_in(world.clerk)
    assert "提出异议" in client.get(f"/editions/{edition.pk}/").text
    client.post(f"/editions/{edition.pk}/object/", {"place": world.township.code, "text": "少算一件"})
    sign_in(world.administrator)
    client.post(f"/editions/{edition.pk}/answer/", {"objection": edition.objections.get().pk, "text": "已补录"})
    Edition.objects.update(object_until=timezone.localdate() - dt.timedelta(days=1))
    client.post(f"/editions/{edition.pk}/publish/")
    edition.refresh_from_db()
    assert edition.state == Edition.State.PUBLISHED


def test_a_board_ranks_what_lies_below_and_its_period_is_chosen_from_a_list(world, board, sign_in):
    client = sign_in(world.administrator)
    new = client.get("/boards/new/").text
    levels = new.partition('name="level"')[2].partition("</select>")[0]
    assert 'value="4"' in levels
    assert 'value="3"' not in levels
    listed = client.get("/boards/").text.partition('name="period"')[2].partition("</select>")[0]
    last = quarter_before(timezone.localdate())
    assert listed.index(f'value="{last}"') < listed.index(f'value="{timezone.localdate().year}"')


def test_a_bad_board_is_refused_with_what_was_typed(world, sign_in):
    client = sign_in(world.administrator)
    answer = client.post("/boards/new/", {"title": "季度榜", "level": 4, "code1": ""})
    assert answer.status_code == 422
    assert "季度榜" in answer.text
    assert client.post("/boards/new/", {"title": "榜", "level": 3, "code1": "matters.days"}).status_code == 422
    assert not Board.objects.exists()


def test_places_with_too_few_records_are_shown_and_not_ranked(world, board, sign_in):
    Board.objects.filter(pk=board.pk).update(least=2)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    # 云峰镇 has two matters, 陵江镇 one: all in time, and nothing to judge.
    assert standing(edition) == [(1, "云峰镇", 100), (None, "陵江镇", 0)]
    assert [(each["value"], each["rank"]) for each in edition.rows.get(rank=None).values] == [(100, None), (6, None)]
    page = sign_in(world.administrator).get(f"/editions/{edition.pk}/").text
    assert "记录不足" in page
    assert "少于 2 条" in page


def test_numbers_of_matters_rank_a_place_whatever_it_has(world, board):
    measures = [{"code": "matters.settled", "weight": 1, "more": True}]
    Board.objects.filter(pk=board.pk).update(least=50, measures=measures)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    assert [rank for rank, _name, _score in standing(edition)] == [1, 2]


def test_a_published_edition_keeps_its_title_and_the_seal_holds_it(world, board, shown, client):
    edition = published(world, shown)
    boards.change(board, title="新榜", measures=MEASURES[:1], least=5, by=world.administrator)
    page = client.get(f"/published/{edition.pk}/").text
    assert "办理质效榜" in page
    assert "新榜" not in page
    assert "封存校验不符" not in page
    Edition.objects.filter(pk=edition.pk).update(title="新榜")
    assert "封存校验不符" in client.get(f"/published/{edition.pk}/").text


def test_a_board_is_changed_in_the_browser_for_editions_to_come(world, board, sign_in):
    client = sign_in(world.administrator)
    assert "办理质效榜" in client.get(f"/boards/{board.pk}/").text
    form = {"title": "月度榜", "least": 3, "code1": "matters.days", "weight1": 4, "better1": "less"}
    assert client.post(f"/boards/{board.pk}/", form).status_code == 302
    board.refresh_from_db()
    assert (board.title, board.level, board.least) == ("月度榜", Level.TOWNSHIP, 3)
    assert board.measures == [{"code": "matters.days", "weight": 4, "more": False}]
    refused = client.post(f"/boards/{board.pk}/", {**form, "title": "", "weight1": 99})
    assert refused.status_code == 422
    assert "99" in refused.text
    for stranger in (world.clerk, world.far_clerk):
        assert sign_in(stranger).post(f"/boards/{board.pk}/", form).status_code in (403, 404)


def test_a_board_is_removed_until_an_edition_was_shown(world, board, sign_in):
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    boards.show(edition, by=world.administrator)
    client = sign_in(world.administrator)
    answer = client.post(f"/boards/{board.pk}/remove/", follow=True)
    assert "保留" in answer.text
    assert Board.objects.filter(pk=board.pk).exists()
    draft = Board.objects.create(
        jurisdiction=world.jurisdiction, place=world.county, title="试一试", level=Level.TOWNSHIP, measures=MEASURES
    )
    boards.start_edition(draft, period=QUARTER, by=world.administrator)
    client.post(f"/boards/{draft.pk}/remove/")
    assert not Board.objects.filter(pk=draft.pk).exists()


def test_words_that_are_too_long_are_refused_and_kept_on_the_page(world, shown, sign_in):
    client = sign_in(world.clerk)
    long = "错" * 501
    answer = client.post(f"/editions/{shown.pk}/object/", {"place": world.township.code, "text": long})
    assert answer.status_code == 422
    assert "501" in answer.text
    assert long in answer.text
    assert not shown.objections.exists()


def test_an_objection_pressed_twice_is_one(world, shown):
    first = boards.object_to(shown, place=world.township, by=world.clerk, text="算错了")
    assert boards.object_to(shown, place=world.township, by=world.clerk, text="算错了 ") == first
    boards.answer(first, by=world.administrator, text="没有")
    assert boards.object_to(shown, place=world.township, by=world.clerk, text="算错了") != first


def test_an_objection_that_is_not_there_cannot_be_answered(world, shown, sign_in):
    client = sign_in(world.administrator)
    for objection in ("zzz", "", "01a227a7-bc2b-730d-b28a-a7443801f976"):
        answer = client.post(f"/editions/{shown.pk}/answer/", {"objection": objection, "text": "好"})
        assert answer.status_code == 404


def test_only_values_that_the_reader_may_open_are_links(world, shown, sign_in):
    page = sign_in(world.clerk).get(f"/editions/{shown.pk}/").text
    assert f"?place={world.township.code}&" in page.replace("&amp;", "&")
    assert f"?place={world.other_township.code}&" not in page.replace("&amp;", "&")


def test_a_place_where_nothing_was_recorded_has_a_count_of_nought(world, board):
    Board.objects.filter(pk=board.pk).update(measures=[{"code": "matters.settled", "weight": 1, "more": False}])
    Matter.objects.filter(township=world.township).delete()
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    assert standing(edition)[0] == (1, "陵江镇", 100)
    assert edition.rows.get(rank=1).values[0]["value"] == 0


def test_a_period_that_is_not_over_is_not_published(world, board, shown):
    today = timezone.localdate()
    Edition.objects.filter(pk=shown.pk).update(period=str(today.year))
    with pytest.raises(BoardError, match=f"{today.year}"):
        published(world, shown)


def test_what_was_computed_before_the_period_was_over_is_computed_again(world, shown):
    Edition.objects.filter(pk=shown.pk).update(computed_at=MAY)
    with pytest.raises(BoardError):
        published(world, shown)
    boards.compute(shown, by=world.administrator)
    assert published(world, shown).state == Edition.State.PUBLISHED


@pytest.mark.parametrize("weight", [1, 2, 3])
def test_who_is_level_is_level_whatever_is_lost_in_rounding(world, board, weight):
    """Of three places two are level at 66.666… points: both are second, not by the order of their codes."""
    Matter.objects.all().delete()
    third = place("510824198", "白桥镇", Level.TOWNSHIP, world.county)
    for at, late in ((world.township, False), (world.other_township, True), (third, True)):
        matter = world.matter(at=at)
        Matter.objects.filter(pk=matter.pk).update(
            state=State.SETTLED, created_at=MAY, settled_at=MAY, settled_late=late, due_at=None
        )
    measures = [{**each, "weight": weight if each["code"] == "matters.in_time" else 1} for each in MEASURES]
    Board.objects.filter(pk=board.pk).update(measures=measures)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    assert [rank for rank, _name, _score in standing(edition)] == [1, 2, 2]


def test_an_edition_that_was_shown_keeps_its_rule_when_it_is_computed_again(world, board, shown):
    boards.change(
        board, title="别的榜", measures=[{"code": "matters.raised", "weight": 1, "more": True}], least=0,
        by=world.administrator,
    )  # fmt: skip
    before, until = standing(shown), shown.object_until
    edition = boards.compute(shown, by=world.administrator)
    assert (edition.measures, edition.title, standing(edition)) == (MEASURES, "办理质效榜", before)
    assert edition.object_until == until, "nothing changed: the days are those that were given"


def test_what_changed_since_it_was_shown_can_be_objected_to(world, board, shown, sign_in):
    Edition.objects.filter(pk=shown.pk).update(object_until=timezone.localdate() - dt.timedelta(days=1))
    Matter.objects.filter(township=world.other_township).update(settled_late=False)
    page = sign_in(world.administrator).post(f"/editions/{shown.pk}/compute/", follow=True).text
    edition = Edition.objects.get(pk=shown.pk)
    assert edition.object_until == timezone.localdate() + dt.timedelta(days=boards.OBJECTION_DAYS)
    assert f"异议期顺延到{edition.object_until}" in page
    with pytest.raises(BoardError):
        boards.publish(edition, by=world.administrator)


def test_who_does_not_keep_the_board_sees_no_draft_and_no_button(world, board, sign_in):
    edition = boards.start_edition(board, period=QUARTER, by=world.administrator)
    keeper, clerk = (sign_in(each).get("/boards/").text for each in (world.administrator, world.clerk))
    assert f"/editions/{edition.pk}/" in keeper
    assert "计算或打开" in keeper
    assert f"/editions/{edition.pk}/" not in clerk
    assert "计算或打开" not in clerk
    boards.show(edition, by=world.administrator)
    assert f"/editions/{edition.pk}/" in sign_in(world.clerk).get("/boards/").text


def test_the_public_can_count_the_points_again(world, shown, client):
    page = client.get(f"/published/{published(world, shown).pk}/").text
    assert "基数2 · 50.0分" in page
    assert "基数1 · 100.0分" in page


def test_services_of_few_members_tell_the_public_nothing_either(world, board, client):
    """One service is one member: beside a number that is kept back it would say it."""
    measures = [{"code": code, "weight": 1, "more": True} for code in ("orders.members", "orders.services")]
    Board.objects.filter(pk=board.pk).update(measures=measures)
    Matter.objects.filter(township=world.township).update(taken_by=world.member)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    edition = published(world, boards.show(edition, by=world.administrator))
    assert client.get(f"/published/{edition.pk}/").text.count("人数少，不公布") == 2


def test_who_keeps_the_board_is_told_what_the_public_will_not_see(world, board, sign_in):
    Board.objects.filter(pk=board.pk).update(measures=[{"code": "orders.members", "weight": 1, "more": True}])
    Matter.objects.filter(township=world.township).update(taken_by=world.member)
    edition = boards.start_edition(Board.objects.get(), period=QUARTER, by=world.administrator)
    page = sign_in(world.administrator).get(f"/editions/{edition.pk}/").text
    assert "2个地方中有1个人数太少" in page
    assert "条的不参加排名" not in page, "it has no shares and no averages"


def test_a_correction_that_corrects_nothing_says_so(world, shown, sign_in):
    edition = published(world, shown)
    page = sign_in(world.administrator).post(f"/editions/{edition.pk}/correct/", {"text": "复核"}, follow=True).text
    assert "记录与公布的一致" in page
