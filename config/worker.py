"""The worker, started by the supervisor: it sends mail, keeps the clocks and tidies.

It does what ``procrastinate worker`` does, without that command's greeting in the terminal of ``weilu serve``.
"""

import os
import sys

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

CONCURRENCY = 2


def run() -> int:
    """Work until a signal says stop.

    Returns:
        1 when the database does not answer, else 0.
    """
    django.setup()
    from procrastinate.contrib.django import app
    from procrastinate.exceptions import ConnectorException

    with app.replace_connector(app.connector.get_worker_connector()) as worker:  # type: ignore[attr-defined]
        try:
            worker.run_worker(concurrency=CONCURRENCY, delete_jobs="successful")  # cells are folded every ten seconds
        except (ConnectorException, psycopg.Error) as error:
            print(f"The worker has no database: {error.__cause__ or error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
