"""Jobs of figures, worked off by procrastinate."""

from procrastinate.contrib.django import app

from weilu.indicators.folding import fold


@app.periodic(cron="* * * * * */10")
@app.task(name="indicators.fold", queueing_lock="indicators.fold", lock="indicators.fold")
def fold_cells(timestamp: int) -> None:
    """Fold what was written into the cells that readings above the county start from."""
    fold()
