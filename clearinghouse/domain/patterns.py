"""Whitelist and blacklist patterns: which endpoint answers for an EVSE or a contract (OCHP-direct, EvsePattern class).

A pattern is the beginning of an ID without its optional separators; a single `%` at the end stands for any rest.
The operator's patterns are of EVSE-IDs, the provider's of Contract-IDs.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.token_day import is_for_sending
from clearinghouse.ochp.identifiers import CONTRACT_LENGTH, evse_key, party_id, without_separators
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_3, Version

WILDCARD = "%"
PARTY_LENGTH = 5

SHAPES = {
    Role.OPERATOR: re.compile(r"[A-Z]{2}[A-Z0-9]{3}E(?:[A-Z0-9]?[A-Z0-9*]{0,30})%?"),
    Role.PROVIDER: re.compile(r"[A-Za-z]{2}[A-Za-z0-9]{3}[Cc][A-Za-z0-9]{0,9}%?"),
}
"""What a pattern looks like; the longer contract pattern of 0.1 holds a check digit too."""


class PatternCase(StrEnum):
    """How contract patterns compare: OCHP-direct says case-sensitive, OCHP says that Contract-IDs are not."""

    LITERAL = "literal"
    FOLD = "fold"


def is_valid_pattern(pattern: str, role: Role) -> bool:
    """Whether this is a pattern of EVSE-IDs (operator) or of Contract-IDs (provider)."""
    return SHAPES[role].fullmatch(pattern) is not None


def role_of(pattern: str) -> Role | None:
    """Whose pattern this is, by its sixth character, or None where it is none."""
    return next((role for role in SHAPES if is_valid_pattern(pattern, role)), None)


def party_of(pattern: str) -> str:
    """The party ID that the pattern begins with, in upper case."""
    return pattern[:PARTY_LENGTH].upper()


def written_for(pattern: str, role: Role, version: Version) -> str:
    """The pattern as this version can say it: a contract pattern of 0.2 has no room for the check digit."""
    if role is Role.PROVIDER and version > V1_3 and len(pattern.removesuffix(WILDCARD)) > CONTRACT_LENGTH:
        return pattern[:CONTRACT_LENGTH] + WILDCARD
    return pattern


def _identity(contract: str, case: PatternCase) -> str:
    """A Contract-ID or the literal of its pattern, less the check digit, which is no part of the identity."""
    plain = without_separators(contract)[:CONTRACT_LENGTH]
    return plain.upper() if case is PatternCase.FOLD else plain


def _key(identifier: str, role: Role, case: PatternCase) -> str | None:
    """What patterns are compared with, or None where the operator's identifier is no EVSE-ID."""
    return evse_key(identifier) if role is Role.OPERATOR else _identity(identifier, case)


def _literal(pattern: str, role: Role, case: PatternCase) -> str:
    """The pattern without its wildcard."""
    literal = pattern.removesuffix(WILDCARD)
    return literal if role is Role.OPERATOR else _identity(literal, case)


def matches(pattern: str, identifier: str, role: Role, case: PatternCase = PatternCase.LITERAL) -> bool:
    """Whether the pattern covers the identifier as it was transmitted."""
    key = _key(identifier, role, case)
    if key is None or not is_valid_pattern(pattern, role):
        return False
    literal = _literal(pattern, role, case)
    return key.startswith(literal) if pattern.endswith(WILDCARD) else key == literal


def answers_for(endpoint: Endpoint, identifier: str, case: PatternCase = PatternCase.LITERAL) -> bool:
    """Whether an endpoint is responsible for an identifier: on its whitelist and not on its blacklist."""
    return any(matches(each, identifier, endpoint.role, case) for each in endpoint.whitelist) and not any(
        matches(each, identifier, endpoint.role, case) for each in endpoint.blacklist
    )


class _Table:
    """Literals and who holds them: exact ones by hash, prefixes in order, each with the longest prefix within it.

    The last prefix at or before a key in the order is either one of the key or lies within all that are.
    """

    __slots__ = ("_exact", "_holders", "_parents", "_prefixes")

    def __init__(self, lists: Iterable[tuple[int, Iterable[str]]], role: Role, case: PatternCase) -> None:
        exact: Entries = {}
        prefixes: Entries = {}
        for number, patterns in lists:
            alone = (number,)
            for pattern in patterns:
                _enter(prefixes if pattern.endswith(WILDCARD) else exact, _literal(pattern, role, case), alone)
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._exact = _frozen(exact, shared)
        held = _frozen(prefixes, shared)
        # Made anew in this order, the strings lie side by side: the search's last steps stay in the cache.
        self._prefixes = ["".join(prefix) for prefix in sorted(held)]
        self._holders = [held[prefix] for prefix in self._prefixes]
        self._parents = _parents(self._prefixes)

    def probe(self, key: str) -> Iterator[tuple[int, ...]]:
        """The holders of what matches the key: of the exact literal, then of the prefixes, the longest first."""
        if holders := self._exact.get(key):
            yield holders
        place = bisect_right(self._prefixes, key) - 1
        while place >= 0:
            if key.startswith(self._prefixes[place]):
                yield self._holders[place]
            place = self._parents[place]

    def __len__(self) -> int:
        return len(self._exact) + len(self._prefixes)


class PatternIndex:
    """The endpoints of one role by pattern: one hash and one binary search, whatever the number of patterns.

    At a million that search is 20 comparisons of short strings. Time to build and memory grow with the patterns, by
    about 2 µs and 60 bytes each; an index is never changed but built anew. Endpoints with the same pattern are
    kept as one shared tuple of their numbers. `registered` gives the party IDs of a partner; without it the partner's
    name is taken for its party ID.
    """

    __slots__ = ("_case", "_endpoints", "_exceptions", "_registered", "_role", "_table")

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        role: Role,
        case: PatternCase = PatternCase.LITERAL,
        registered: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._role, self._case, self._registered = role, case, registered or {}
        self._endpoints = tuple(each for each in endpoints if each.role is role)
        self._table = _Table(((number, each.whitelist) for number, each in enumerate(self._endpoints)), role, case)
        self._exceptions = {
            number: _Table([(number, each.blacklist)], role, case)
            for number, each in enumerate(self._endpoints)
            if each.blacklist
        }

    def resolve(self, identifier: str, now: datetime, spoken: Collection[Version]) -> Endpoint | None:
        """The endpoint to call about this identifier, in one of the dialects spoken, or None."""
        return next(self._ranked(identifier, now, spoken), None)

    def candidates(self, identifier: str, now: datetime, spoken: Collection[Version]) -> tuple[Endpoint, ...]:
        """Every endpoint that answers for this identifier, the one to call first."""
        found = {id(each): each for each in self._ranked(identifier, now, spoken)}
        return tuple(found.values())

    def _ranked(self, identifier: str, now: datetime, spoken: Collection[Version]) -> Iterator[Endpoint]:
        """Exact pattern before longest prefix; then version, registered party and latest upload decide."""
        key = _key(identifier, self._role, self._case)
        if key is None:
            return
        for numbers in self._table.probe(key):
            usable = [
                endpoint
                for number in numbers
                if (endpoint := self._endpoints[number]).version in spoken
                and is_for_sending(endpoint, now)
                and not self._is_excepted(number, key)
            ]
            if len(usable) > 1:
                party = party_id(identifier)
                usable.sort(key=lambda each: (each.version, self._is_of(each, party), each.uploaded_at), reverse=True)
            yield from usable

    def _is_excepted(self, number: int, key: str) -> bool:
        blacklist = self._exceptions.get(number)
        return blacklist is not None and any(True for _ in blacklist.probe(key))

    def _is_of(self, endpoint: Endpoint, party: str) -> bool:
        return party in self._registered.get(endpoint.partner, (endpoint.partner,))

    def __len__(self) -> int:
        """How many different patterns the index holds."""
        return len(self._table)


Entries = dict[str, "list[int] | tuple[int, ...]"]
"""Literals with the numbers of their endpoints: a list while it grows."""


def _enter(table: Entries, literal: str, alone: tuple[int, ...]) -> None:
    """Note the endpoint at the literal; most have one endpoint only, and share the tuple of its number."""
    held = table.get(literal)
    if held is None:
        table[literal] = alone
    elif held[-1] != alone[0]:
        if isinstance(held, list):
            held.append(alone[0])
        else:
            table[literal] = [*held, *alone]


def _frozen(table: Entries, shared: dict[tuple[int, ...], tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The table with equal groups of endpoints made one object."""
    frozen: dict[str, tuple[int, ...]] = {}
    while table:
        literal, numbers = table.popitem()
        group = tuple(numbers)
        frozen[literal] = shared.setdefault(group, group)
    return frozen


def _parents(prefixes: list[str]) -> array[int]:
    """For each of the ordered prefixes the place of the longest other one that it begins with, or -1."""
    parents = array("i")
    open_places: list[int] = []
    for place, prefix in enumerate(prefixes):
        while open_places and not prefix.startswith(prefixes[open_places[-1]]):
            open_places.pop()
        parents.append(open_places[-1] if open_places else -1)
        open_places.append(place)
    return parents
