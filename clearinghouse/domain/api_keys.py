"""Bearer keys of the JSON APIs: how one is made, and the only form in which it is kept."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "clh_"


def new_key() -> str:
    """A fresh key with 256 bits of chance; whoever makes it shows it once."""
    return PREFIX + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """The SHA-256 of a key in hexadecimal. A key is long and random, so that a slow hash would gain nothing."""
    return hashlib.sha256(key.encode()).hexdigest()
