"""Jobs of people: rosters are read and entered by the worker."""

from procrastinate.contrib.django import app

from weilu.people.rosters import jobs


@app.task(name="people.work_on_roster")
def work_on_roster(roster_id: str) -> None:
    """Read or enter one roster."""
    jobs.work(roster_id)


@app.periodic(cron="* * * * *")
@app.task(name="people.resume_rosters", queueing_lock="people.resume_rosters")
def resume_rosters(timestamp: int) -> None:
    """Take up again what a worker that fell left behind."""
    jobs.resume()


@app.periodic(cron="23 * * * *")
@app.task(name="people.forget_rosters", queueing_lock="people.forget_rosters")
def forget_rosters(timestamp: int) -> None:
    """Remove the files of rosters that nobody entered."""
    jobs.forget_old()
