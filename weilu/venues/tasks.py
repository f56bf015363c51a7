"""What the clock does to bookings."""

from procrastinate.contrib.django import app

from weilu.venues.services import expire_unanswered


@app.periodic(cron="*/10 * * * *")
@app.task(name="venues.expire", queueing_lock="venues.expire")
def expire(timestamp: int) -> None:
    """Close requests that nobody answered in time."""
    expire_unanswered()
