"""What use cases need of the store for partners, their passwords and their roaming connections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.partners import Connection, Partner


class Partners(Protocol):
    """Partners, their credentials and their IDs."""

    def add(self, partner: Partner, actor: str) -> None:
        """Create the partner. Raises Conflict where its name or one of its IDs is taken."""

    def change(self, partner: Partner, actor: str) -> None:
        """Replace the partner of this name. Raises UnknownId, Conflict."""

    def note_import(self, name: str, noun: str, count: int, actor: str) -> None:
        """Note for the audit that the house's own people uploaded records in the name of the partner."""

    def get(self, name: str) -> Partner:
        """The partner of this name. Raises UnknownId."""

    def all(self) -> list[Partner]:
        """Every partner, by name."""

    def by_username(self, username: str) -> list[tuple[Partner, str]]:
        """The partner with this user name and the hash of each of its valid passwords (several while rotating)."""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A user name with one password of a partner; only the hash is kept."""

    id: int
    partner: str
    username: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Credentials(Protocol):
    """Passwords of partners."""

    def issue(self, partner: str, username: str, password_hash: str, now: datetime, actor: str) -> Credential:
        """Add a password. Raises Conflict where the user name belongs to another partner."""

    def expire_others(self, keep: Credential, at: datetime, actor: str) -> int:
        """Let every other valid password of the same user name end at `at`; returns how many."""

    def revoke(self, partner: str, now: datetime, actor: str, credential_id: int | None = None) -> int:
        """End one or all passwords of a partner now; returns how many."""

    def of(self, partner: str) -> list[Credential]:
        """All passwords of a partner, oldest first."""


class Connections(Protocol):
    """Roaming connections, one per operator ID, provider ID and kind."""

    def put(self, connection: Connection, actor: str) -> None:
        """Create or replace the connection of these two parties and this kind."""

    def all(self, party_ids: Iterable[str] | None = None) -> list[Connection]:
        """All connections, or those in which one of these parties takes part."""
