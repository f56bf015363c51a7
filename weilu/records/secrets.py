"""Secrets by which residents follow a record without an account: shown once, kept as a hash."""

import hmac
from hashlib import sha256

from django.conf import settings

from weilu.lib.crypto import keyed_hash
from weilu.records.models import SECRET_ALPHABET, SECRET_LENGTH


def secret_of(kind: str, intake_key: str) -> str:
    """Return the secret of the record filed under ``intake_key``: sending a form twice gives the same one."""
    digest = hmac.new(settings.DATA_KEY.encode(), f"{kind}:{intake_key}".encode(), sha256).digest()
    number = int.from_bytes(digest[:16])
    letters = []
    for _unused in range(SECRET_LENGTH):
        number, index = divmod(number, len(SECRET_ALPHABET))
        letters.append(SECRET_ALPHABET[index])
    return "".join(letters)


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return keyed_hash("secret:" + secret.strip().upper())


def fits(kept: bytes | memoryview, secret: str) -> bool:
    """Tell whether ``secret`` is the one whose hash was kept; nothing fits a record without one."""
    return bool(kept) and hmac.compare_digest(bytes(kept), secret_hash(secret))
