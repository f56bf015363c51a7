"""Primary keys: UUID version 7 (RFC 9562), made by the application, in order of time."""

import uuid
from datetime import datetime

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a fresh UUIDv7."""
    return uuid7()


def id_at(moment: datetime) -> uuid.UUID:
    """Return a UUIDv7 as if made at ``moment``, so that imported rows lie among their contemporaries."""
    return uuid7(nanoseconds=int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000)
