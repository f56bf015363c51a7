"""A prepared query gives the rows that its queryset gives, for other values each time."""

import datetime as dt
from uuid import UUID

import pytest
from django.utils import timezone

from weilu.lib.prepared import PreparedQuery
from weilu.orgs.models import Grant, User, grants_on

KEY, DAY = UUID(int=7), dt.date(1900, 1, 1)

pytestmark = pytest.mark.django_db


def test_it_gives_the_rows_of_the_queryset_with_what_is_related(world, django_assert_num_queries):
    grants = PreparedQuery(lambda user, day: grants_on(day).filter(user_id=user), user=KEY, day=DAY)
    today = timezone.localdate()
    for user in User.objects.filter(grants__isnull=False).distinct():
        expected = list(grants_on(today).filter(user_id=user.pk))
        with django_assert_num_queries(1):
            found = grants(user=user.pk, day=today)
            assert [row.place.path for row in found] == [row.place.path for row in expected]
            assert [row.organisation for row in found] == [row.organisation for row in expected]
        assert found == expected
        assert found[0]._state.db == "default"
        assert not found[0]._state.adding


def test_a_value_that_does_not_occur_in_the_query_is_refused(db):
    broken = PreparedQuery(lambda user, day: Grant.objects.filter(user_id=user), user=KEY, day=DAY)
    with pytest.raises(ValueError, match="day"):
        broken(user=KEY, day=DAY)


def test_no_row_is_an_empty_list(db):
    assert PreparedQuery(lambda user: User.objects.filter(pk=user), user=KEY)(user=UUID(int=8)) == []
