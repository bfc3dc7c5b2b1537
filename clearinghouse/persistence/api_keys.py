"""Keys of the JSON APIs, as hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from clearinghouse.persistence import audit
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import api_key
from clearinghouse.services.api_keys_port import ApiKey

SHOWN = [column for column in api_key.c if column is not api_key.c.key_hash]
FIND = select(*SHOWN).where(api_key.c.key_hash == bindparam("key_hash"), api_key.c.revoked_at.is_(None))


class StoredApiKeys:
    """Implements `ApiKeys`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def issue(self, name: str, key_hash: str, now: datetime, actor: str) -> ApiKey:
        """Add a key."""
        new = insert(api_key).values(name=name, key_hash=key_hash, created_at=now).returning(*SHOWN)
        key = ApiKey(**self._db.execute(new).mappings().one())
        audit.record(self._db, now, actor, "api-key", name, issued=key.id)
        return key

    def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash that is not revoked."""
        row = self._db.execute(FIND, {"key_hash": key_hash}).mappings().one_or_none()
        return None if row is None else ApiKey(**row)

    def revoke(self, key_id: int, now: datetime, actor: str) -> bool:
        """End a key; False where there is no such key, or it ended already."""
        ended = update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
        name = self._db.execute(ended.returning(api_key.c.name)).scalar_one_or_none()
        if name is None:
            return False
        audit.record(self._db, now, actor, "api-key", name, revoked=key_id)
        return True

    def all(self) -> list[ApiKey]:
        """Every key, oldest first."""
        return [ApiKey(**row) for row in self._db.execute(select(*SHOWN).order_by(api_key.c.id)).mappings()]
