"""What the hub's people do: partners, their credentials, roaming connections, keys. Every change has an actor."""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.api_keys import key_hash, new_key
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Malformed, UnknownId
from clearinghouse.domain.partners import Connection, ConnectionKind, MeterUnit, Partner
from clearinghouse.ochp.operations import Role
from clearinghouse.services.api_keys_port import ApiKey
from clearinghouse.services.partners_port import Credential
from clearinghouse.services.ports import Books, Store

PARTY_ID = re.compile(r"[A-Z]{2}[A-Z0-9]{3}")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
USERNAME = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True)
class Administration:
    """Administrative use cases; `hash_password` gives what is stored of a password."""

    store: Store
    clock: Clock
    actor: str
    hash_password: Callable[[str], str]

    def add_partner(self, name: str, operator_ids: Iterable[str], provider_ids: Iterable[str]) -> Partner:
        """Create a partner. Raises Malformed, Conflict."""
        if not NAME.fullmatch(name):
            raise Malformed(f"'{name}' is no partner name: use lower-case letters, digits and hyphens, 63 at most.")
        partner = Partner(name=name, operator_ids=party_ids(operator_ids), provider_ids=party_ids(provider_ids))
        if not partner.roles:
            raise Malformed(f"{name} needs at least one operator ID or provider ID.")
        with self.store.books() as books:
            books.partners.add(partner, self.actor)
        return partner

    def change_partner(
        self,
        name: str,
        *,
        operator_ids: Iterable[str] = (),
        provider_ids: Iterable[str] = (),
        enabled: bool | None = None,
        meter_unit: MeterUnit | None = None,
    ) -> Partner:
        """Add IDs to a partner, disable or enable it, set its meter unit. Raises UnknownId, Malformed, Conflict."""
        with self.store.books() as books:
            partner = books.partners.get(name)
            changed = dataclasses.replace(
                partner,
                operator_ids=partner.operator_ids | party_ids(operator_ids),
                provider_ids=partner.provider_ids | party_ids(provider_ids),
                enabled=partner.enabled if enabled is None else enabled,
                meter_unit=meter_unit or partner.meter_unit,
            )
            books.partners.change(changed, self.actor)
        return changed

    def partners(self) -> list[Partner]:
        """Every partner."""
        with self.store.single() as books:
            return books.partners.all()

    def issue_credential(
        self, partner: str, username: str | None = None, overlap: timedelta | None = None
    ) -> tuple[Credential, str]:
        """A new password, told only now; with `overlap`, older ones of the same user name end after it.

        Raises UnknownId, Malformed, Conflict.
        """
        if overlap is not None and overlap < timedelta(0):
            raise Malformed("The overlap is negative: give the time for which older passwords go on being good.")
        password = secrets.token_urlsafe(24)
        now = self.clock()
        with self.store.books() as books:
            name = books.partners.get(partner).name
            user = username_of(name if username is None else username)
            credential = books.credentials.issue(name, user, self.hash_password(password), now, self.actor)
            if overlap is not None:
                books.credentials.expire_others(credential, now + overlap, self.actor)
        return credential, password

    def revoke_credentials(self, partner: str, credential_id: int | None = None) -> int:
        """End one or all passwords of a partner now; returns how many. Raises UnknownId."""
        with self.store.books() as books:
            name = books.partners.get(partner).name
            ended = books.credentials.revoke(name, self.clock(), self.actor, credential_id)
        if credential_id is not None and not ended:
            raise UnknownId(f"{name} has no valid password {credential_id}.")
        return ended

    def credentials(self, partner: str) -> list[Credential]:
        """All passwords of a partner, without the passwords."""
        with self.store.books() as books:
            return books.credentials.of(books.partners.get(partner).name)

    def request_connection(
        self,
        operator_id: str,
        provider_id: str,
        kinds: Iterable[ConnectionKind],
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> list[Connection]:
        """Note that two parties want to roam; both have to approve. Raises UnknownId, Malformed.

        What is noted already stays as it is, with its approvals; a new period has to be approved anew.
        """
        operator_id, provider_id, wanted = party_id_of(operator_id), party_id_of(provider_id), tuple(kinds)
        if not wanted:
            raise Malformed(f"Name at least one kind of connection: {', '.join(ConnectionKind)}.")
        _check_period(valid_from, valid_until)
        with self.store.books() as books:
            _owned(books.partners.all(), operator_id, Role.OPERATOR)
            _owned(books.partners.all(), provider_id, Role.PROVIDER)
            known = {each.kind: each for each in _between(books, operator_id, provider_id)}
            connections = []
            for kind in wanted:
                new = Connection(
                    operator_id=operator_id,
                    provider_id=provider_id,
                    kind=kind,
                    valid_from=valid_from,
                    valid_until=valid_until,
                )
                old = known.get(kind)
                if old is not None and (old.valid_from, old.valid_until) == (valid_from, valid_until):
                    new = old
                else:
                    books.connections.put(new, self.actor)
                connections.append(new)
        return connections

    def approve_connection(self, operator_id: str, provider_id: str, side: Role, approved: bool) -> list[Connection]:
        """Let one side approve every kind of a connection, or take that back. Raises UnknownId, Malformed."""
        if side not in APPROVALS:
            raise Malformed(f"The {side} has nothing to approve: say {' or '.join(APPROVALS)}.")
        return self._update(operator_id, provider_id, {APPROVALS[side]: approved})

    def end_connection(self, operator_id: str, provider_id: str, at: datetime | None = None) -> list[Connection]:
        """Let every kind of a connection end at an instant, or now. Raises UnknownId, Malformed."""
        return self._update(operator_id, provider_id, {"valid_until": at or self.clock()})

    def connections(self) -> list[Connection]:
        """Every connection."""
        with self.store.single() as books:
            return books.connections.all()

    def issue_key(self, name: str) -> tuple[ApiKey, str]:
        """A bearer key for a JSON API, told only now. Raises Malformed."""
        if not name.strip():
            raise Malformed("Give the key a name, to know it by when it has to be revoked.")
        key = new_key()
        with self.store.books() as books:
            return books.api_keys.issue(name, key_hash(key), self.clock(), self.actor), key

    def revoke_key(self, key_id: int) -> None:
        """End a key. Raises UnknownId."""
        with self.store.books() as books:
            if not books.api_keys.revoke(key_id, self.clock(), self.actor):
                raise UnknownId(f"There is no valid key {key_id}.")

    def keys(self) -> list[ApiKey]:
        """Every key, without the key."""
        with self.store.single() as books:
            return books.api_keys.all()

    def _update(self, operator_id: str, provider_id: str, changes: dict[str, object]) -> list[Connection]:
        operator_id, provider_id = party_id_of(operator_id), party_id_of(provider_id)
        with self.store.books() as books:
            found = _between(books, operator_id, provider_id)
            if not found:
                raise UnknownId(f"There is no connection between {operator_id} and {provider_id}.")
            changed = [dataclasses.replace(each, **changes) for each in found]  # type: ignore[arg-type]
            for each in changed:
                _check_period(each.valid_from, each.valid_until)
                books.connections.put(each, self.actor)
        return changed


APPROVALS = {Role.OPERATOR: "approved_by_operator", Role.PROVIDER: "approved_by_provider"}
"""Where each side's approval stands."""


def party_ids(texts: Iterable[str]) -> frozenset[str]:
    """Party IDs as stored: upper case, without separators. Raises Malformed."""
    ids = frozenset(text.upper().replace("*", "").replace("-", "") for text in texts)
    for each in sorted(ids):
        if not PARTY_ID.fullmatch(each):
            raise Malformed(f"'{each}' is no party ID: two letters of the country, then three letters or digits.")
    return ids


def party_id_of(text: str) -> str:
    """One party ID as stored. Raises Malformed."""
    return next(iter(party_ids([text])))


def partner_named(partners: Iterable[Partner], text: str) -> Partner:
    """The partner of a name, or that owns an operator or provider ID. Raises UnknownId."""
    for each in partners:
        if text == each.name or text in each.operator_ids | each.provider_ids:
            return each
    raise UnknownId(f"There is no partner '{text}'.")


def ids_named(partners: Iterable[Partner], text: str) -> frozenset[str]:
    """The IDs of the partner of a name; anything else is an operator or provider ID itself. Raises Malformed."""
    named = [each.operator_ids | each.provider_ids for each in partners if each.name == text]
    return named[0] if named else party_ids([text])


def username_of(text: str) -> str:
    """A user name that survives its way through a message. Raises Malformed."""
    if not USERNAME.fullmatch(text):
        raise Malformed(f"{text[:80]!r} is no user name: use visible characters without blanks, 255 at most.")
    return text


def _owned(partners: Iterable[Partner], party_id: str, role: Role) -> None:
    if not any(party_id in each.ids_as(role) for each in partners):
        raise UnknownId(f"No partner owns the {role} ID {party_id}.")


def _between(books: Books, operator_id: str, provider_id: str) -> list[Connection]:
    return [each for each in books.connections.all([operator_id]) if each.provider_id == provider_id]


def _check_period(valid_from: datetime | None, valid_until: datetime | None) -> None:
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise Malformed("The connection would end before it begins.")
