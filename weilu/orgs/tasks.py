"""Jobs of places: imports are worked off."""

from procrastinate.contrib.django import app

from weilu.orgs.imports import jobs


@app.task(name="orgs.work_on_import")
def work_on_import(job_id: str) -> None:
    """Work off one import."""
    jobs.work(job_id)


@app.periodic(cron="* * * * *")
@app.task(name="orgs.resume_imports", queueing_lock="orgs.resume_imports")
def resume_imports(timestamp: int) -> None:
    """Take up again what a worker or a command that fell left behind."""
    jobs.resume()


@app.periodic(cron="41 * * * *")
@app.task(name="orgs.forget_imports", queueing_lock="orgs.forget_imports")
def forget_imports(timestamp: int) -> None:
    """Remove what was refused two weeks ago."""
    jobs.forget_old()
