"""Endpoint records of both roles; their tokens are encrypted at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, any_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import LargeBinary

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import Version
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.tables import endpoint, revision

KEY = ("partner", "role", "url", "day")
NEW = insert(endpoint)
PUT = NEW.on_conflict_do_update(
    index_elements=KEY, set_={column.name: NEW.excluded[column.name] for column in endpoint.c if column.name not in KEY}
)
LIVING = select(endpoint).where(endpoint.c.ends_at >= bindparam("now")).order_by(*(endpoint.c[name] for name in KEY))
HOLDERS = (
    select(endpoint.c.partner)
    .distinct()
    .where(endpoint.c.token_fingerprint == any_(bindparam("fingerprints", type_=ARRAY(LargeBinary))))
)
COUNTER = revision.c.subject == "endpoints"
REVISION = select(revision.c.number).where(COUNTER)
LOCK = REVISION.with_for_update()
BUMP = update(revision).where(COUNTER).values(number=revision.c.number + 1)


class StoredEndpoints:
    """Implements `Endpoints`. The revision's row is the lock that lets one writer at a time change the records."""

    def __init__(self, db: Statements, keyring: KeyRing) -> None:
        self._db = db
        self._keyring = keyring

    def put(self, endpoints: Sequence[Endpoint]) -> None:
        """Store records; the same partner, role, URL and day is replaced."""
        if not endpoints:
            return
        self._db.execute(LOCK)
        self._db.execute(PUT, [self._row(each) for each in endpoints])
        self._db.execute(BUMP)

    def replace_day(self, day: date, endpoints: Sequence[Endpoint]) -> None:
        """Make these the only records of the day. Raises ValueError where one is for another day."""
        if any(each.day != day for each in endpoints):
            raise ValueError(f"an endpoint is for another day than {day}")
        self._db.execute(LOCK)
        self._db.execute(delete(endpoint).where(endpoint.c.day == day))
        if endpoints:
            self._db.execute(PUT, [self._row(each) for each in endpoints])
        self._db.execute(BUMP)

    def living(self, now: datetime) -> list[Endpoint]:
        """Every record whose time has not ended, with its token."""
        return [self._endpoint(row) for row in self._db.execute(LIVING, {"now": now})]

    def days(self) -> set[date]:
        """The days of all records kept, ended ones too."""
        return set(self._db.execute(select(endpoint.c.day).distinct()).scalars())

    def holders(self, token: str) -> set[str]:
        """The partners that ever used this token in a record still kept; nobody else stores any until the end."""
        self._db.execute(LOCK)
        fingerprints = self._keyring.fingerprints(token)
        return set(self._db.execute(HOLDERS, {"fingerprints": fingerprints}).scalars())

    def purge(self, now: datetime) -> int:
        """Delete the records whose time has ended; returns how many."""
        self._db.execute(LOCK)
        count = self._db.execute(delete(endpoint).where(endpoint.c.ends_at < now)).rowcount
        if count:
            self._db.execute(BUMP)
        return count

    def revision(self) -> int:
        """A number that grows with every change of the records."""
        return int(self._db.execute(REVISION).scalar_one())

    def _row(self, each: Endpoint) -> Mapping[str, Any]:
        return {
            "partner": each.partner,
            "role": each.role.value,
            "url": each.url,
            "day": each.day,
            "version": each.version.value,
            "token_cipher": self._keyring.encrypt(each.access_token),
            "token_fingerprint": self._keyring.fingerprint(each.access_token),
            "whitelist": list(each.whitelist),
            "blacklist": list(each.blacklist),
            "uploaded_at": each.uploaded_at,
            "valid_until": each.valid_until,
            "ends_at": each.ends_at,
        }

    def _endpoint(self, row: Row[Any]) -> Endpoint:
        return Endpoint(
            partner=row.partner,
            role=Role(row.role),
            url=row.url,
            version=Version(row.version),
            access_token=self._keyring.decrypt(row.token_cipher),
            day=row.day,
            whitelist=tuple(row.whitelist),
            blacklist=tuple(row.blacklist),
            uploaded_at=row.uploaded_at,
            valid_until=row.valid_until,
        )
