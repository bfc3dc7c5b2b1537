"""Passwords: argon2 hashes, and a memory of what was verified, so that a busy partner does not cost one each."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from clearinghouse import cores
from clearinghouse.domain.errors import Busy

MEMORY = 3600.0
"""Seconds for which a verdict is believed without argon2: what was true of a hash and a password stays so."""
CAPACITY = 10_000
MOST_WAITING = 16
"""Verifications that may wait for one another: about half a second of them, in half of a house's usual threads."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 << 10, parallelism=1)
"""19 MiB and two passes: what OWASP asks for at least, and what a server can spare for each of its workers."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters."""
    return _hasher.hash(password)


class PasswordVerifier:
    """Verifies passwords; remembers verdicts for `memory` seconds under a key that lives in this process only.

    One is verified at a time, in a thread that stands back, since argon2 takes 19 MiB and a core for 25 ms: when all
    partners call after a restart, those who were first do not wait for the others. Of a partner's calls that come at
    once, the first pays, and the others find its verdict; so does a partner that tries a wrong password for ever. A
    flood of ever other passwords keeps only those waiting whose own are not remembered, for it fills a memory apart.
    `before_long` is called by who is going to wait.
    """

    def __init__(
        self,
        memory: float = MEMORY,
        now: Callable[[], float] = time.monotonic,
        before_long: Callable[[], None] = lambda: None,
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._good, self._bad = (Memory(memory, now) for _ in range(2))
        self._before_long = before_long
        self._helper = ThreadPoolExecutor(1, "passwords", cores.stand_back)
        self._room = threading.BoundedSemaphore(MOST_WAITING)

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether the password is the one of this hash. A hash that is none verifies nothing.

        Raises Busy where too many wait already.
        """
        pair = hmac.digest(self._key, b"\0".join((password_hash.encode(), password.encode())), "sha256")
        if (known := self._verdict(pair)) is not None:
            return known
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            self._before_long()
            return self._helper.submit(self._verified, pair, password_hash, password).result()
        finally:
            self._room.release()

    def _verdict(self, pair: bytes) -> bool | None:
        return True if pair in self._good else False if pair in self._bad else None

    def _verified(self, pair: bytes, password_hash: str, password: str) -> bool:
        if (known := self._verdict(pair)) is not None:
            return known
        try:
            _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            self._bad.add(pair)
            return False
        self._good.add(pair)
        return True


class Memory:
    """Keys that are remembered for so many seconds; while there are `CAPACITY` of them, no further ones."""

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        self._seconds = seconds
        self._now = now
        self._until: dict[bytes, float] = {}

    def __contains__(self, key: bytes) -> bool:
        return self._until.get(key, 0.0) > self._now()

    def add(self, key: bytes) -> None:
        """Remember a key; from one thread at a time."""
        now = self._now()
        if len(self._until) >= CAPACITY:
            self._until = {each: until for each, until in self._until.items() if until > now}
        if len(self._until) < CAPACITY:
            self._until[key] = now + self._seconds
