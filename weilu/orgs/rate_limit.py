"""Limits on what may be done without an account, by address.

What writes or guesses is counted in the database, for all web processes together; mere reading in the memory of each
process, so that a page costs no write.
"""

import datetime as dt
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from weilu.lib.client import ip_address
from weilu.orgs.models import RateCount

WINDOW = dt.timedelta(minutes=10)
Limits = tuple[tuple[dt.timedelta, int], ...]


def _window(now: dt.datetime) -> dt.datetime:
    seconds = int(now.timestamp())
    return dt.datetime.fromtimestamp(seconds - seconds % int(WINDOW.total_seconds()), dt.UTC)


def _in_memory(key: str) -> int:
    if cache.add(key, 1, WINDOW.total_seconds()):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two calls
        return 1


def _in_database(key: str, window: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO orgs_ratecount ("key", count, "window") VALUES (%s, 1, %s) '
            'ON CONFLICT ("key") DO UPDATE SET count = orgs_ratecount.count + 1 RETURNING count',
            [key, window],
        )
        return cursor.fetchone()[0]


def over_limit(request: HttpRequest, kind: str) -> bool:
    """Count one more of ``kind`` for the caller's address and tell whether that is too many.

    Args:
        kind: a key of ``settings.RATE_LIMITS``, which gives the number allowed in ten minutes.
    """
    window = _window(timezone.now())
    key = f"{kind}:{ip_address(request)}:{int(window.timestamp())}"
    used = _in_memory(key) if kind == "read" else _in_database(key, window)
    return used > settings.RATE_LIMITS[kind]


def read_too_often(key: str, kind: str) -> bool:
    """Count one more reading by ``key`` in this process, and tell whether that is too many in ten minutes.

    Args:
        key: who reads, such as an account.
        kind: a key of ``settings.RATE_LIMITS``.
    """
    window = int(_window(timezone.now()).timestamp())
    return _in_memory(f"{kind}:{key}:{window}") > settings.RATE_LIMITS[kind]


def _counts(key: str, limits: Limits) -> list[tuple[str, dt.datetime, int]]:
    """Return the key of each count, when its window ends, and how many it allows."""
    seconds = int(timezone.now().timestamp())
    found = []
    for length, allowed in limits:
        span = int(length.total_seconds())
        start = seconds - seconds % span
        found.append((f"{key}:{span}:{start}", dt.datetime.fromtimestamp(start + span, dt.UTC), allowed))
    return found


def tried(key: str, limits: Limits) -> bool:
    """Count one more try of ``key`` in each window and tell whether that is too many in one of them.

    Args:
        key: what is tried, such as the codes of one account; at most 50 characters.
        limits: lengths of windows, each with how many tries it allows.
    """
    over = [_in_database(name, ends) > allowed for name, ends, allowed in _counts(key, limits)]  # each counts
    return any(over)


def forget_try(key: str, limits: Limits) -> None:
    """Take back a try that succeeded: only failures count."""
    names = [name for name, _ends, _allowed in _counts(key, limits)]
    RateCount.objects.filter(key__in=names, count__gt=0).update(count=F("count") - 1)


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer 429, in words."""
    response = render(request, "errors/429.html", status=429)
    response["Retry-After"] = str(int(WINDOW.total_seconds()))
    return response


def limited(kind: str, methods: tuple[str, ...] = ("POST",)) -> Callable:
    """Limit how often a stranger may call a view; accounts are not limited."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def inner(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            counts = request.method in methods and not request.user.is_authenticated
            if counts and over_limit(request, kind):
                return too_many(request)
            return view(request, *args, **kwargs)

        return inner

    return wrap


def forget_old() -> int:
    """Delete counts of windows that are over; return how many."""
    return RateCount.objects.filter(window__lt=timezone.now() - 2 * WINDOW).delete()[0]
