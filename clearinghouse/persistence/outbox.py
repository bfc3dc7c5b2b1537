"""Messages to providers: kept until confirmed, in order within a session."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, all_, bindparam, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from clearinghouse.domain.patterns import PARTY_LENGTH
from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import IS_WAITING, outbox
from clearinghouse.services.sessions_port import Parcel

LONGEST_ERROR = 500

WAITING = text(IS_WAITING)
PARTY = func.left(func.upper(func.translate(outbox.c.document["contract_id"].astext, "-*", "")), PARTY_LENGTH)
"""Whose contract the message is about."""
_earlier = outbox.alias("earlier")
_heads = (
    select(outbox.c.number)
    .where(
        outbox.c.delivered_at.is_(None),
        outbox.c.given_up_at.is_(None),
        outbox.c.next_attempt_at <= bindparam("now"),
        or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= bindparam("now")),
        all_(bindparam("leave", type_=ARRAY(Text))) != PARTY,
        ~exists().where(
            _earlier.c.direct_id == outbox.c.direct_id,
            _earlier.c.number < outbox.c.number,
            _earlier.c.delivered_at.is_(None),
            _earlier.c.given_up_at.is_(None),
        ),
    )
    .order_by(outbox.c.next_attempt_at, outbox.c.number)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
    .cte("heads")
)
CLAIM = (
    update(outbox).where(outbox.c.number == _heads.c.number).values(lease_until=bindparam("until")).returning(*outbox.c)
)
"""Lease the first waiting parcel of each session, where it is due and nobody has it."""
SUPERSEDED = delete(outbox).where(
    outbox.c.direct_id == bindparam("of_session"),
    outbox.c.kind == DirectMessage.INFO.value,
    WAITING,
    or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= bindparam("now")),
)
NEW = insert(outbox).add_cte(SUPERSEDED.cte("superseded"))
OF_NUMBER = outbox.c.number == bindparam("parcel")
DELIVERED = (
    update(outbox)
    .where(OF_NUMBER, outbox.c.given_up_at.is_(None))
    .values(delivered_at=bindparam("now"), attempts=outbox.c.attempts + 1, lease_until=None, last_error=None)
)
FAILED = (
    update(outbox)
    .where(OF_NUMBER, WAITING)
    .values(
        attempts=outbox.c.attempts + 1,
        lease_until=None,
        last_error=bindparam("error"),
        next_attempt_at=func.coalesce(
            bindparam("again", type_=outbox.c.next_attempt_at.type), outbox.c.next_attempt_at
        ),
        given_up_at=bindparam("end", type_=outbox.c.given_up_at.type),
    )
)
OF_SESSION = select(outbox).where(outbox.c.direct_id == bindparam("direct_id")).order_by(outbox.c.number)
COUNT = select(func.count()).select_from(outbox).where(WAITING)


def _parcel(row: Row[Any]) -> Parcel:
    return Parcel(
        number=row.number,
        direct_id=row.direct_id,
        message=from_plain(InformProviderMessage, row.document),
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        attempts=row.attempts,
        delivered_at=row.delivered_at,
        given_up_at=row.given_up_at,
        last_error=row.last_error,
    )


class StoredOutbox:
    """Implements `Outbox`. Who puts parcels of one session holds the session's lock: that is their order."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def put(self, parcel: Parcel) -> None:
        """Append; an undelivered `info` of the same session that nobody has under way is superseded and removed."""
        row = {
            "direct_id": parcel.direct_id,
            "kind": parcel.message.message.value,
            "document": to_plain(parcel.message),
            "created_at": parcel.created_at,
            "next_attempt_at": parcel.next_attempt_at,
            "attempts": parcel.attempts,
        }
        self._db.execute(NEW, {**row, "of_session": parcel.direct_id, "now": parcel.created_at})

    def claim(
        self, now: datetime, lease_until: datetime, limit: int = 20, *, leave: Collection[str] = ()
    ) -> list[Parcel]:
        """The next due parcel of each session that has none under way, by the time at which it is due."""
        values = {"now": now, "until": lease_until, "at_most": limit, "leave": list(leave)}
        rows = self._db.execute(CLAIM, values)
        return sorted(map(_parcel, rows), key=lambda parcel: (parcel.next_attempt_at, parcel.number))

    def delivered(self, number: int, now: datetime) -> None:
        """The partner confirmed."""
        self._db.execute(DELIVERED, {"parcel": number, "now": now})

    def failed(self, number: int, error: str, next_attempt_at: datetime | None, now: datetime) -> None:
        """Try again at that time, or give up where it is None."""
        end = now if next_attempt_at is None else None
        values = {"parcel": number, "error": error[:LONGEST_ERROR], "again": next_attempt_at, "end": end}
        self._db.execute(FAILED, values)

    def of(self, direct_id: str) -> list[Parcel]:
        """Everything said about a session, in order."""
        return [_parcel(row) for row in self._db.execute(OF_SESSION, {"direct_id": direct_id})]

    def waiting(self) -> int:
        """How many messages are not delivered and not given up."""
        return int(self._db.execute(COUNT).scalar_one())
