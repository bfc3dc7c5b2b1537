"""The tokens of the own back end, by day; encrypted at rest."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.tables import own_token
from clearinghouse.services.endpoints_port import OwnToken

NEW = insert(own_token)
MAKE = NEW.on_conflict_do_nothing(index_elements=["day"])
SAVE = NEW.on_conflict_do_update(
    index_elements=["day"],
    set_={column.name: NEW.excluded[column.name] for column in own_token.c if column.name != "day"},
)
OF_DAY = select(own_token).where(own_token.c.day == bindparam("day"))


class StoredOwnTokens:
    """Implements `OwnTokens`."""

    def __init__(self, db: Statements, keyring: KeyRing) -> None:
        self._db = db
        self._keyring = keyring

    def get(self, day: date) -> OwnToken | None:
        """The token of the day."""
        row = self._db.execute(OF_DAY, {"day": day}).one_or_none()
        return None if row is None else self._token(row)

    def all(self) -> list[OwnToken]:
        """Every token kept, by day."""
        return [self._token(row) for row in self._db.execute(select(own_token).order_by(own_token.c.day))]

    def make(self, token: OwnToken) -> OwnToken:
        """Store a token unless the day already has one; returns the one that holds."""
        self._db.execute(MAKE, self._row(token))
        return self._token(self._db.execute(OF_DAY, {"day": token.day}).one())

    def save(self, token: OwnToken) -> None:
        """Replace the token of the day."""
        self._db.execute(SAVE, self._row(token))

    def purge(self, before: date) -> int:
        """Delete the tokens of days before this one; returns how many."""
        return self._db.execute(delete(own_token).where(own_token.c.day < before)).rowcount

    def _row(self, token: OwnToken) -> dict[str, Any]:
        return {
            "day": token.day,
            "token_cipher": self._keyring.encrypt(token.token),
            "made_at": token.made_at,
            "uploaded_at": token.uploaded_at,
            "fetched_at": token.fetched_at,
        }

    def _token(self, row: Row[Any]) -> OwnToken:
        return OwnToken(
            day=row.day,
            token=self._keyring.decrypt(row.token_cipher),
            made_at=row.made_at,
            uploaded_at=row.uploaded_at,
            fetched_at=row.fetched_at,
        )
