"""What the clock does for residents' pages."""

from procrastinate.contrib.django import app

from weilu.portal.drafts import forget_old


@app.periodic(cron="17 * * * *")
@app.task(name="portal.forget_drafts", queueing_lock="portal.forget_drafts")
def forget_drafts(timestamp: int) -> None:
    """Delete what was begun and not sent."""
    forget_old()
