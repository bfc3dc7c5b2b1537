"""What use cases need of the store for the keys of the JSON APIs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A bearer key of a JSON API; only its hash is kept."""

    id: int
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """Keys for the JSON APIs."""

    def issue(self, name: str, key_hash: str, now: datetime, actor: str) -> ApiKey:
        """Add a key."""

    def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash that is not revoked."""

    def revoke(self, key_id: int, now: datetime, actor: str) -> bool:
        """End a key; False where there is no such key."""

    def all(self) -> list[ApiKey]:
        """Every key, oldest first."""
