"""Passwords of partners, as hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import RowMapping, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Conflict, UnknownId
from clearinghouse.persistence import audit
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import credential, login
from clearinghouse.persistence.tables import partner as partners
from clearinghouse.services.partners_port import Credential

SHOWN = [column for column in credential.c if column is not credential.c.password_hash]


def _credential(row: RowMapping) -> Credential:
    return Credential(**row)


class StoredCredentials:
    """Implements `Credentials`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def issue(self, partner: str, username: str, password_hash: str, now: datetime, actor: str) -> Credential:
        """Add a password. Raises Conflict where the user name belongs to another partner, UnknownId."""
        self._claim(username, partner)
        values = {"partner": partner, "username": username, "password_hash": password_hash, "created_at": now}
        row = self._db.execute(insert(credential).values(values).returning(*SHOWN)).mappings().one()
        audit.record(self._db, now, actor, "credential", username, issued=row["id"], partner=partner)
        return _credential(row)

    def _claim(self, username: str, partner: str) -> None:
        claim = upsert(login).from_select(
            ["username", "partner"], select(literal(username), partners.c.name).where(partners.c.name == partner)
        )
        self._db.execute(claim.on_conflict_do_nothing())
        holder = self._db.execute(select(login.c.partner).where(login.c.username == username)).scalar_one_or_none()
        if holder is None:
            raise UnknownId(f"there is no partner named {partner!r}")
        if holder != partner:
            raise Conflict(f"the user name {username!r} belongs to another partner")

    def expire_others(self, keep: Credential, at: datetime, actor: str) -> int:
        """Let every other valid password of the same user name end at `at`; returns how many."""
        others = (
            update(credential)
            .where(
                credential.c.username == keep.username,
                credential.c.id != keep.id,
                credential.c.revoked_at.is_(None),
                or_(credential.c.expires_at.is_(None), credential.c.expires_at > self._clock()),
            )
            .values(expires_at=func.least(credential.c.expires_at, at))
        )
        count = self._db.execute(others).rowcount
        if count:
            audit.record(
                self._db, self._clock(), actor, "credential", keep.username, kept=keep.id, others_end=at.isoformat()
            )
        return count

    def revoke(self, partner: str, now: datetime, actor: str, credential_id: int | None = None) -> int:
        """End one or all passwords of a partner now; returns how many."""
        statement = update(credential).where(credential.c.partner == partner, credential.c.revoked_at.is_(None))
        if credential_id is not None:
            statement = statement.where(credential.c.id == credential_id)
        ended = self._db.execute(statement.values(revoked_at=now).returning(credential.c.id, credential.c.username))
        rows = ended.all()
        for row in rows:
            audit.record(self._db, now, actor, "credential", row.username, revoked=row.id, partner=partner)
        return len(rows)

    def of(self, partner: str) -> list[Credential]:
        """All passwords of a partner, oldest first."""
        statement = select(*SHOWN).where(credential.c.partner == partner).order_by(credential.c.id)
        return [_credential(row) for row in self._db.execute(statement).mappings()]
