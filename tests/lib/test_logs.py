"""What the server's log holds: faults in full, refused requests in one line."""

import logging

import pytest

from weilu.lib.logs import Brief


@pytest.mark.parametrize(("status", "traceback"), [(403, False), (404, False), (500, True)])
def test_a_refused_request_leaves_no_traceback(status, traceback):
    try:
        raise PermissionError
    except PermissionError as error:
        given = (type(error), error, error.__traceback__)
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "Forbidden: /x", (), given)
    record.status_code = status
    assert Brief().filter(record)
    assert bool(record.exc_info) == traceback


def test_the_servers_log_is_brief():
    from django.conf import settings

    assert settings.LOGGING["handlers"]["console"]["filters"] == ["brief"]
