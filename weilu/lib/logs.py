"""What goes into the server's log: faults with their traceback, refused requests in one line."""

import logging


class Brief(logging.Filter):
    """Leaves the traceback out where a request was refused: that is no fault of the server."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request" and getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True
