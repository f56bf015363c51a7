"""Primary keys: UUID version 7 (RFC 9562), made by the application, in order of time."""

import uuid
from datetime import datetime

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a fresh UUIDv7."""
    return uuid7()


def id_at(moment: datetime) -> uuid.UUID:
    """Return a UUIDv7 as if made at ``moment``, so that imported rows lie among their contemporaries."""
    return uuid7(timestamp=int(moment.timestamp()), nanos=moment.microsecond * 1000)
