"""Password hashes and the memory of verified ones."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from clearinghouse import cores
from clearinghouse.domain.errors import Busy
from clearinghouse.persistence import passwords
from clearinghouse.persistence.passwords import PasswordVerifier, hash_password


def test_a_password_fits_its_own_hash_only() -> None:
    verify, stored = PasswordVerifier().verify, hash_password("geheim-Straße")
    assert stored.startswith("$argon2id$")
    assert verify(stored, "geheim-Straße")
    assert not verify(stored, "geheim-strasse")
    assert not verify(hash_password("other"), "geheim-Straße")
    assert not verify("no hash at all", "geheim-Straße")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows whenever argon2 is at work."""
    made: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            made.append("verified")
            return bool(super().verify(hash, password))

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return made


def test_calls_that_come_at_once_cost_argon2_once(counted: list[str]) -> None:
    verifier, stored = PasswordVerifier(), hash_password("right")
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: verifier.verify(stored, "right"), range(16)))
    assert len(counted) == 1


def test_a_busy_partner_costs_argon2_once_in_the_time_of_memory(counted: list[str]) -> None:
    now = [1000.0]
    announced: list[int] = []
    verifier = PasswordVerifier(memory=60, now=lambda: now[0], before_long=lambda: announced.append(len(counted)))
    stored = hash_password("right")
    assert [verifier.verify(stored, "right") for _ in range(3)] == [True] * 3
    assert len(counted) == 1
    now[0] += 60
    assert verifier.verify(stored, "right")
    assert len(counted) == 2
    assert [verifier.verify(stored, "wrong") for _ in range(3)] == [False] * 3
    assert len(counted) == 3
    assert announced == [0, 1, 2], "who waits for argon2 says so before, and nobody else does"


def test_a_flood_of_other_passwords_leaves_those_alone_that_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, stored = PasswordVerifier(), hash_password("right")
    assert verifier.verify(stored, "right")
    begun, may_end = threading.Event(), threading.Event()

    class Waiting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            begun.set()
            assert may_end.wait(30)
            return bool(super().verify(hash, password))

    monkeypatch.setattr(passwords, "_hasher", Waiting())
    monkeypatch.setattr(passwords, "CAPACITY", 4)
    with ThreadPoolExecutor(passwords.MOST_WAITING) as flood:
        guesses = [flood.submit(verifier.verify, stored, f"guess {n}") for n in range(passwords.MOST_WAITING)]
        assert begun.wait(30)
        while verifier._room._value:  # type: ignore[attr-defined]
            time.sleep(0.001)
        with pytest.raises(Busy):
            verifier.verify(stored, "one guess too many")
        assert verifier.verify(stored, "right")
        may_end.set()
        assert not any(each.result() for each in guesses)
    assert not verifier.verify(stored, "one guess too many"), "there is room again"
    assert len(verifier._bad._until) == 4
    assert verifier.verify(hash_password("another"), "another")
    assert len(verifier._good._until) == 2, "wrong passwords take no room of right ones"


@pytest.mark.skipif(not cores.ALL, reason="threads cannot stand back here")
def test_argon2_stands_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Looking(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return bool(super().verify(hash, password))

    monkeypatch.setattr(passwords, "_hasher", Looking())
    assert PasswordVerifier().verify(hash_password("right"), "right")
    assert seen == [cores.LEISURE]


def test_the_memory_holds_no_password() -> None:
    verifier = PasswordVerifier()
    stored = hash_password("hunter2-secret")
    assert verifier.verify(stored, "hunter2-secret")
    assert not verifier.verify(stored, "hunter2-almost")
    held = b"".join((*verifier._good._until, *verifier._bad._until))
    assert len(held) == 64
    assert b"hunter2" not in held
    assert stored.encode() not in held


def test_a_full_memory_forgets_what_ended_and_still_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "CAPACITY", 2)
    now = [0.0]
    verifier = PasswordVerifier(memory=60, now=lambda: now[0])
    hashes = [hash_password("right") for _ in range(3)]
    assert all(verifier.verify(each, "right") for each in hashes)
    assert len(verifier._good._until) == 2
    now[0] = 61
    assert verifier.verify(hashes[2], "right")
    assert len(verifier._good._until) == 1
