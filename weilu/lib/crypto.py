"""Personal data at rest: AES-256-GCM (NIST SP 800-38D) with a keyed hash beside it for look-up."""

import hashlib
import hmac
import os
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

NONCE_BYTES = 12


@cache
def _key(purpose: str) -> bytes:
    return hmac.new(settings.DATA_KEY.encode(), purpose.encode(), hashlib.sha256).digest()


@cache
def _cipher() -> AESGCM:
    return AESGCM(_key("encrypt"))


def seal(content: bytes) -> bytes:
    """Return bytes encrypted, such as a file; empty stays empty."""
    if not content:
        return b""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, content, None)


def unseal(data: bytes) -> bytes:
    """Return the bytes of ``seal``.

    Raises:
        ValueError: the data key is not the one they were encrypted with, or they were changed.
    """
    if not data:
        return b""
    data = bytes(data)
    try:
        return _cipher().decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
    except InvalidTag as error:
        raise ValueError("encrypted with another data key, or damaged") from error


def encrypt(text: str) -> bytes:
    """Return ``text`` encrypted; empty stays empty."""
    return seal(text.encode())


def encrypt_all(texts: Sequence[str]) -> list[bytes]:
    """Return each of many texts encrypted; the system is asked for randomness once, which takes most of the time."""
    cipher, nonces = _cipher(), os.urandom(NONCE_BYTES * len(texts))
    found = []
    for at, text in enumerate(texts):
        nonce = nonces[at * NONCE_BYTES : (at + 1) * NONCE_BYTES]
        found.append(nonce + cipher.encrypt(nonce, text.encode(), None) if text else b"")
    return found


def decrypt(data: bytes) -> str:
    """Return the text of ``encrypt``.

    Raises:
        ValueError: the data key is not the one it was encrypted with, or the bytes were changed.
    """
    return unseal(data).decode()


def keyed_hash(text: str) -> bytes:
    """Return the HMAC-SHA-256 by which an encrypted value is found again; empty for empty."""
    return hmac.digest(_key("look-up"), text.encode(), "sha256") if text else b""


class EncryptedField(models.Field):
    """Text that is encrypted in the database and plain in Python."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def get_internal_type(self):
        return "BinaryField"

    def get_prep_value(self, value):
        return encrypt(value or "")

    def from_db_value(self, value, expression, connection):
        return None if value is None else decrypt(value)


def mask_phone(phone: str) -> str:
    """Return ``138****1234``: enough to recognise, too little to call."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 7 else "*" * len(phone)


def mask_name(name: str) -> str:
    """Return the surname and a star for each further character: ``王*``, ``欧**``."""
    return name[:1] + "*" * (len(name) - 1) if name else ""


def mask_email(address: str) -> str:
    """Return ``w***@example.org``."""
    user, at, host = address.partition("@")
    return f"{user[:1]}***{at}{host}" if address else ""
