"""Who is calling: partners of the house by user name, partners of a back end by the day's tokens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from clearinghouse.domain import token_day
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.operations import Role
from clearinghouse.services.calls_port import Caller, Login, Peer, TokenPair
from clearinghouse.services.directory import LOOK_AGAIN, Directory
from clearinghouse.services.ports import Store

Accounts = Sequence[tuple[Partner, str]]
"""Who has a user name, with the hash of each of its valid passwords."""

NEVER: tuple[float, Accounts] = (-math.inf, ())
REFUSAL = "The security token could not be authenticated or authorized"


def opposite(role: Role) -> Role:
    """Whom an operator or a provider talks to."""
    return Role.PROVIDER if role is Role.OPERATOR else Role.OPERATOR


@dataclass(frozen=True)
class DirectDoorkeeper:
    """Lets partners in by HTTP Basic `receiver:sender`, both tokens of the same day (OCHP-direct, security)."""

    directory: Directory
    clock: Clock

    def __call__(self, credentials: Login | TokenPair | None, role: Role) -> Caller:
        """The partner whose token is the sender's half. Raises NotAuthenticated."""
        if not isinstance(credentials, TokenPair):
            raise NotAuthenticated(REFUSAL)
        own_day = self.directory.own_day(credentials.receiver)
        records = accepted(self.directory.holders(credentials.sender), opposite(role), own_day, self.clock())
        if not records:
            raise NotAuthenticated(REFUSAL)
        return Peer(records)


def accepted(records: Collection[Endpoint], role: Role, own_day: date | None, now: datetime) -> tuple[Endpoint, ...]:
    """The records whose token makes a valid pair with the receiver's token of `own_day`."""
    if own_day is None:
        return ()
    return tuple(each for each in records if each.role is role and token_day.accepts_from(each, own_day, now))


@dataclass(frozen=True)
class HouseDoorkeeper:
    """Lets partners of the house in by user name and password; for relayed calls also by the day's tokens.

    Accounts are believed for `patience` seconds, as endpoints are: asking each time would be two fifths of a look-up.
    A login that they do not let in is held against the store, so that what was just issued or enabled opens at once.
    """

    store: Store
    directory: Directory
    clock: Clock
    verify: Callable[[str, str], bool]
    """Whether a password hash (first) belongs to a password (second); raises Busy."""
    decoy: str
    """A hash that no password has: unknown user names cost as much as known ones."""
    patience: float = LOOK_AGAIN
    _known: dict[str, tuple[float, Accounts]] = field(default_factory=dict, init=False, repr=False)
    """When the accounts of a user name were asked for, and what they were; of names that exist alone."""

    def __call__(self, credentials: Login | TokenPair | None, role: Role) -> Caller:
        """The partner, or for a token pair the holder of the sender's half. Raises NotAuthenticated, Busy."""
        if isinstance(credentials, Login):
            return self._by_login(credentials)
        if isinstance(credentials, TokenPair):
            return self._by_tokens(credentials)
        raise NotAuthenticated(REFUSAL)

    def _by_login(self, login: Login) -> Partner:
        now = time.monotonic()
        asked_at, accounts = self._known.get(login.username, NEVER)
        if now - asked_at < self.patience and (partner := self._holder(accounts, login)):
            return partner
        with self.store.single() as books:
            accounts = books.partners.by_username(login.username)
        if accounts:
            self._known[login.username] = now, accounts
        else:  # with the name, or a password that another name tried would tell by its speed
            self.verify(self.decoy, f"{login.username}\0{login.password}")
        if partner := self._holder(accounts, login):
            return partner
        raise NotAuthenticated(REFUSAL)

    def _holder(self, accounts: Accounts, login: Login) -> Partner | None:
        fitting = (partner for partner, hashed in accounts if self.verify(hashed, login.password) and partner.enabled)
        return next(fitting, None)

    def _by_tokens(self, pair: TokenPair) -> Caller:
        now = self.clock()
        for receiver in self.directory.holders(pair.receiver):
            senders = tuple(
                each
                for each in self.directory.holders(pair.sender)
                if each.role is opposite(receiver.role) and token_day.pass_together(receiver, each, now)
            )
            if senders:
                return Peer(senders)
        raise NotAuthenticated(REFUSAL)
