"""What the clock does for residents' pages, and the notices that are made to print."""

from procrastinate.contrib.django import app

from weilu.portal.drafts import forget_old
from weilu.portal.notice_services import look_after_prints, make


@app.periodic(cron="17 * * * *")
@app.task(name="portal.forget_drafts", queueing_lock="portal.forget_drafts")
def forget_drafts(timestamp: int) -> None:
    """Delete what was begun and not sent."""
    forget_old()


@app.task(name="portal.make_notices")
def make_notices(print_id: str) -> None:
    """Make the notices of a place into one file."""
    make(print_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="portal.look_after_prints", queueing_lock="portal.look_after_prints")
def look_after(timestamp: int) -> None:
    """Begin anew prints that a worker left, forget old ones."""
    look_after_prints()
