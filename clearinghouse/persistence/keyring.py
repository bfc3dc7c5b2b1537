"""The key ring: tokens that must be handed out again are encrypted at rest, and found by a keyed fingerprint."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from clearinghouse.persistence.errors import WrongKey

FINGERPRINT_LENGTH = hashlib.sha256().digest_size


class KeyRing:
    """One or more Fernet keys, newest first: the first encrypts, all decrypt. Raises WrongKey on a key that is none."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise WrongKey("the key ring needs at least one key")
        try:
            ciphers = [Fernet(key) for key in keys]
        except ValueError:
            raise WrongKey("a key of the key ring is not 32 bytes in URL-safe base64") from None
        self._cipher = MultiFernet(ciphers)
        self._newest = ciphers[0]
        self._fingerprint_keys = [_fingerprint_key(key) for key in keys]

    def encrypt(self, secret: str) -> bytes:
        """The secret under the newest key."""
        return self._cipher.encrypt(secret.encode())

    def decrypt(self, stored: bytes) -> str:
        """The secret. Raises WrongKey where no key of the ring opens it."""
        try:
            return self._cipher.decrypt(stored).decode()
        except InvalidToken:
            raise WrongKey("a stored token cannot be decrypted with any key of the key ring") from None

    def is_newest(self, stored: bytes) -> bool:
        """Whether the newest key encrypted this."""
        try:
            self._newest.decrypt(stored)
        except InvalidToken:
            return False
        return True

    def fingerprint(self, secret: str) -> bytes:
        """HMAC-SHA256 of the secret with a key derived from the newest key; tells nothing without it."""
        return self.fingerprints(secret)[0]

    def fingerprints(self, secret: str) -> list[bytes]:
        """The fingerprints under every key of the ring, newest first: what is not yet rotated is found as well."""
        return [hmac.digest(key, secret.encode(), "sha256") for key in self._fingerprint_keys]


def new_key() -> str:
    """A fresh key for a key ring."""
    return Fernet.generate_key().decode()


def _fingerprint_key(key: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=FINGERPRINT_LENGTH, salt=None, info=b"clearinghouse token fingerprint")
    return derive.derive(base64.urlsafe_b64decode(key))
