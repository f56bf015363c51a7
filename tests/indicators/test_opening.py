"""A figure opens into its rows: page by page, as far as the reader may see, at every level."""

import datetime as dt
import io

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from weilu.indicators.catalogue import catalogue
from weilu.indicators.folding import fold
from weilu.indicators.live import narrowed, rows_of, seen_by
from weilu.indicators.opening import SHOWN, measured, open_rows, sees_all
from weilu.indicators.reading import UnknownBreakdown, read, ways
from weilu.lib.indicators import Measure
from weilu.lib.period import Period
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.workflow import State
from weilu.orgs.models import Place, User
from weilu.orgs.roles import Role

YEAR = Period.of(str(timezone.localdate().year))


@pytest.fixture
def work(world):
    for place in (world.village, world.village, world.grid, world.other_village, world.far_village, world.county):
        matter = world.matter(at=place)
        if place != world.grid:
            services.settle(
                matter, by=world.county_clerk if place != world.far_village else world.far_clerk, version=1,
                outcome="好了", public_outcome="已修好。",
            )  # fmt: skip
    services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    return world


def observer_of(world, place):
    """Somebody who reads all of a city or province."""
    from weilu.orgs.models import Grant

    user = User.objects.create(username=f"observer-{place.code}", name="省级观察员")
    Grant.objects.create(user=user, role=Role.OBSERVER, place=place, jurisdiction=world.jurisdiction)
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("code", list(catalogue()))
def test_for_every_role_the_rows_are_those_that_it_may_open(work, code):
    indicator = catalogue()[code]
    for name in ("county_clerk", "clerk", "handler", "member", "grid_worker", "observer", "administrator", "far_clerk"):
        user = User.objects.get(username=name)
        for place in (work.county.parent, work.county, work.township, work.village):
            rows = rows_of(indicator, place, YEAR)
            seen = set(seen_by(indicator, rows, user).values_list("pk", flat=True))
            opened = open_rows(indicator, place, YEAR, user)
            assert {row.pk for row in opened.rows} == seen, (name, place)
            assert opened.hidden == rows.count() - len(seen)
            if sees_all(indicator, place, user):
                assert len(seen) == rows.count()


@pytest.mark.parametrize("code", list(catalogue()))
def test_above_the_county_every_group_opens_into_its_rows(work, code):
    fold()
    work.matter(at=work.far_village)  # not folded yet
    indicator = catalogue()[code]
    province = work.county.parent.parent
    reader = observer_of(work, province)
    for place in (province, work.county.parent):
        for by in ("", *ways(indicator, place)):
            reading = read(indicator, place, YEAR, by)
            for part in reading.parts if by else [reading.whole]:
                key = part.key if by else ""
                opened = open_rows(indicator, place, YEAR, reader, by=by, key=key)
                rows = rows_of(indicator, place, YEAR)
                wanted = narrowed(indicator, rows, by, key) if by else rows
                assert opened.total == wanted.count() == part.rows
                seen = set(seen_by(indicator, wanted, reader).values_list("pk", flat=True))
                assert {row.pk for row in opened.rows} == seen


def test_pages_go_on_from_county_to_county_and_miss_none(work):
    fold()
    indicator = catalogue()["matters.raised"]
    reader = observer_of(work, work.county.parent)
    for place in (work.village, work.far_village):
        matter = work.matter(at=place)
        columns = {field.attname: getattr(matter, field.attname) for field in Matter._meta.concrete_fields}
        Matter.objects.bulk_create(
            Matter(**{**columns, "id": Matter().id, "number": f"{n}-{place.code}", "intake_key": f"{n}-{place.code}"})
            for n in range(70)
        )
    found = []
    for page in (1, 2):
        opened = open_rows(indicator, work.county.parent, YEAR, reader, page=page)
        found += [row.pk for row in opened.rows]
        assert opened.first == (page - 1) * SHOWN
    assert opened.total == len(found) == len(set(found)) == Matter.objects.count()
    assert opened.more == 0


def test_a_page_of_a_county_takes_as_many_queries_however_many_rows_there_are(work, django_assert_max_num_queries):
    user = User.objects.get(pk=work.county_clerk.pk)
    assert user.grants_now
    place = Place.objects.get(pk=work.county.pk)
    with django_assert_max_num_queries(2):
        open_rows(catalogue()["matters.raised"], place, YEAR, user)


SHARES = [code for code, indicator in catalogue().items() if indicator.measure is Measure.SHARE]


@pytest.mark.parametrize("code", SHARES)
def test_a_share_opens_into_what_counts_and_what_does_not(work, code):
    """County and below from the records, above it county by county; both add up to the figure."""
    settled = Matter.objects.exclude(settled_at=None)
    settled.filter(pk=settled[:1].get().pk).update(settled_late=True, state=State.RATED, rating=2)
    settled.filter(pk=settled.exclude(settled_late=True)[:1].get().pk).update(state=State.RATED, rating=5)
    fold()
    indicator = catalogue()[code]
    reader = observer_of(work, work.county.parent)
    for place in (work.county.parent, work.county, work.township):
        for by in ("", "category"):
            reading = read(indicator, place, YEAR, by)
            for part in reading.parts if by else [reading.whole]:
                yes, no = (
                    open_rows(indicator, place, YEAR, reader, by=by, key=part.key if by else "", part=each)
                    for each in ("yes", "no")
                )
                assert (yes.total, no.total) == (part.numerator, part.denominator - part.numerator) == yes.parts
                assert (len(yes.rows), len(no.rows)) == (yes.total, no.total)
                names = {str(indicator.part_names[0]): yes, str(indicator.part_names[1]): no}
                for name, opened in names.items():
                    assert {measured(indicator, row) for row in opened.rows} <= {name}


def test_the_page_of_a_share_says_of_each_row_whether_it_counts(work, sign_in):
    late = Matter.objects.filter(county=work.county, settled_at__isnull=False).first()
    Matter.objects.filter(pk=late.pk).update(settled_late=True)
    client = sign_in(work.county_clerk)
    figure = client.get(f"/figures/matters.in_time/?place={work.county.code}&by=category").text
    assert "&amp;part=yes" in figure
    page = client.get(f"/figures/matters.in_time/rows/?place={work.county.code}&part=no").text
    assert late.number in page
    assert "超期 1" in page
    assert "按期 3" in page
    assert page.count("<tr><td") == 1
    book = client.get(f"/figures/matters.in_time/rows/?place={work.county.code}&part=no&format=xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert [row[-1] for row in sheet if row[0] == late.number] == ["超期"]


def test_the_rows_of_an_average_say_what_each_gives_to_it(work, sign_in):
    matter = Matter.objects.filter(county=work.county, settled_at__isnull=False).first()
    Matter.objects.filter(pk=matter.pk).update(created_at=matter.settled_at - dt.timedelta(days=3, hours=12))
    page = sign_in(work.county_clerk).get(f"/figures/matters.days/rows/?place={work.county.code}").text
    assert '<td class="nobr">3.5</td>' in page


@pytest.mark.parametrize(("code", "part"), [("matters.in_time", "maybe"), ("matters.settled", "yes")])
def test_what_is_no_part_of_a_share_is_said_and_not_ignored(work, sign_in, code, part):
    client = sign_in(work.county_clerk)
    assert client.get(f"/figures/{code}/rows/?part={part}").status_code == 404
    answer = client.get(f"/api/v1/figures/{code}/rows?part={part}")
    assert answer.status_code == 422
    assert "yes" in answer.json()["detail"]


def test_the_api_opens_the_parts_of_a_share(work, sign_in):
    found = sign_in(work.county_clerk).get("/api/v1/figures/matters.in_time/rows?part=yes").json()
    assert found["parts"] == {"yes": found["total"], "no": 0}
    assert {row["values"]["measured"] for row in found["rows"]} == {"按期"}


def test_above_the_county_a_month_opens_as_far_as_the_period_goes(work):
    """Ninety days cut a month: its rows are those that the figure counts, as in a county."""
    today = timezone.localdate()
    first = today.replace(day=1) - dt.timedelta(days=1)
    for day in (first.replace(day=2), first.replace(day=20)):
        moment = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
        Matter.objects.filter(pk=work.matter(at=work.village).pk).update(created_at=moment)
    fold()
    indicator, city = catalogue()["matters.raised"], work.county.parent
    reader = observer_of(work, city)
    cut = Period.days(first.replace(day=15), today)
    part = next(each for each in read(indicator, city, cut, "month").parts if each.key == f"{first:%Y-%m}")
    assert open_rows(indicator, city, cut, reader, by="month", key=part.key).total == part.rows == 1
    with pytest.raises(UnknownBreakdown):
        open_rows(indicator, city, YEAR, reader, by="month", key=str(today.year))


def test_what_somebody_wrote_is_text_on_the_page_of_rows(work, sign_in):
    work.matter(at=work.village, subject="<script>alert(1)</script>&")
    page = sign_in(work.county_clerk).get(f"/figures/matters.raised/rows/?place={work.county.code}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in page
