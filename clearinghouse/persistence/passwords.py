"""Passwords: argon2 hashes, and a memory of what was verified, so that a busy partner does not cost one each."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from clearinghouse import cores

MEMORY = 3600.0
"""Seconds for which a verified pair is believed without argon2: what was true of a hash and a password stays so."""
CAPACITY = 10_000

_hasher = PasswordHasher(time_cost=2, memory_cost=19 << 10, parallelism=1)
"""19 MiB and two passes: what OWASP asks for at least, and what a server can spare for each of its workers."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters."""
    return _hasher.hash(password)


class PasswordVerifier:
    """Verifies passwords; remembers good pairs for `memory` seconds under a key that lives in this process only.

    One is verified at a time, in a thread that stands back, since argon2 takes 19 MiB and a core for 25 ms: when all
    partners call after a restart, those who were first do not wait for the others. Of a partner's calls that come at
    once, the first pays, and the others find its pair remembered. `before_long` is called by who is going to wait.
    """

    def __init__(
        self,
        memory: float = MEMORY,
        now: Callable[[], float] = time.monotonic,
        before_long: Callable[[], None] = lambda: None,
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._memory = memory
        self._now = now
        self._before_long = before_long
        self._good_until: dict[bytes, float] = {}
        self._helper = ThreadPoolExecutor(1, "passwords", cores.stand_back)

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether the password is the one of this hash. A hash that is none verifies nothing."""
        pair = hmac.digest(self._key, b"\0".join((password_hash.encode(), password.encode())), "sha256")
        if self._is_good(pair):
            return True
        self._before_long()
        return self._helper.submit(self._verified, pair, password_hash, password).result()

    def _verified(self, pair: bytes, password_hash: str, password: str) -> bool:
        if self._is_good(pair):
            return True
        try:
            _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        self._remember(pair)
        return True

    def _is_good(self, pair: bytes) -> bool:
        return self._good_until.get(pair, 0.0) > self._now()

    def _remember(self, pair: bytes) -> None:
        now = self._now()
        if len(self._good_until) >= CAPACITY:
            self._good_until = {each: until for each, until in self._good_until.items() if until > now}
        if len(self._good_until) < CAPACITY:
            self._good_until[pair] = now + self._memory
