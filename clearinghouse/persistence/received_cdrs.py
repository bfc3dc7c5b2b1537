"""The CDRs that a provider received."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.domain.cdrs import CdrKey, key_of
from clearinghouse.domain.evidence import is_direct
from clearinghouse.domain.received_cdrs import CdrStage, ReceivedCdr
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.provider_tables import received_cdr

SHOWN = (received_cdr.c.number, received_cdr.c.document)
GIVEN = ("evse_key", "cdr_id", "operator_id", "direct_id", "stage", "start_at", "end_at", "document")
_new = insert(received_cdr)
PUT = _new.on_conflict_do_update(
    index_elements=["evse_key", "cdr_id"], set_={name: _new.excluded[name] for name in GIVEN}
)
OF_KEY = select(*SHOWN).where(
    received_cdr.c.evse_key == bindparam("evse_key"), received_cdr.c.cdr_id == bindparam("cdr_id")
)
OF_ID = select(*SHOWN).where(received_cdr.c.cdr_id == bindparam("cdr_id")).order_by(received_cdr.c.evse_key)
RIVALS = (
    select(*SHOWN)
    .where(
        received_cdr.c.stage.not_in([CdrStage.DECLINING.value, CdrStage.DECLINED.value]),
        or_(
            received_cdr.c.direct_id == bindparam("direct_id"),
            and_(
                received_cdr.c.evse_key == bindparam("evse_key"),
                received_cdr.c.start_at < bindparam("end_at"),
                received_cdr.c.end_at > bindparam("start_at"),
            ),
        ),
        or_(received_cdr.c.evse_key != bindparam("evse_key"), received_cdr.c.cdr_id != bindparam("cdr_id")),
    )
    .order_by(received_cdr.c.number)
    .limit(10)
)
QUEUE = (
    select(*SHOWN)
    .where(
        received_cdr.c.stage.in_([CdrStage.APPROVING.value, CdrStage.DECLINING.value]),
        received_cdr.c.number > bindparam("after"),
    )
    .order_by(received_cdr.c.number)
    .limit(bindparam("at_most"))
)
COUNTS = select(received_cdr.c.stage, func.count().label("times")).group_by(received_cdr.c.stage)


def _facts(info: CdrInfo) -> dict[str, Any]:
    return {
        **key_of(info)._asdict(),
        "direct_id": info.emt_id.instance if is_direct(info) else None,
        "start_at": info.start_date_time,
        "end_at": info.end_date_time,
    }


def _cdr(row: Row[Any]) -> ReceivedCdr:
    return dataclasses.replace(from_plain(ReceivedCdr, row.document), number=row.number)


class StoredReceivedCdrs:
    """Implements `ReceivedCdrs`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def put(self, cdr: ReceivedCdr) -> None:
        """Store the CDR, in place of the one with its key."""
        own = {"operator_id": party_id(cdr.info.evse_id), "stage": cdr.stage.value, "document": to_plain(cdr)}
        self._db.execute(PUT, _facts(cdr.info) | own)

    def of(self, key: CdrKey, *, lock: bool = False) -> ReceivedCdr | None:
        """The CDR of an EVSE key and an id."""
        asked = OF_KEY.with_for_update() if lock else OF_KEY
        row = self._db.execute(asked, key._asdict()).one_or_none()
        return None if row is None else _cdr(row)

    def named(self, cdr_id: str) -> list[ReceivedCdr]:
        """The CDRs of an id, at whatever EVSEs."""
        return [_cdr(row) for row in self._db.execute(OF_ID, {"cdr_id": cdr_id})]

    def rivals(self, info: CdrInfo) -> list[CdrInfo]:
        """Other CDRs of the same direct session, or of the same EVSE at the same time; declined ones do not count."""
        return [_cdr(row).info for row in self._db.execute(RIVALS, _facts(info))]

    def queue(self, limit: int = 100, after: int = 0) -> list[ReceivedCdr]:
        """The first CDRs after a number whose decision the house is to be told, oldest first."""
        return [_cdr(row) for row in self._db.execute(QUEUE, {"at_most": limit, "after": after})]

    def find(
        self,
        stages: Collection[CdrStage] = (),
        *,
        operator_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[ReceivedCdr]:
        """The newest first, of these stages and this operator or of all; `before` continues below that number."""
        statement = select(*SHOWN).order_by(received_cdr.c.number.desc()).limit(limit)
        if stages:
            statement = statement.where(received_cdr.c.stage.in_([each.value for each in stages]))
        if operator_id is not None:
            statement = statement.where(received_cdr.c.operator_id == operator_id)
        if before is not None:
            statement = statement.where(received_cdr.c.number < before)
        return [_cdr(row) for row in self._db.execute(statement)]

    def counts(self) -> Mapping[CdrStage, int]:
        """How many CDRs are in each stage."""
        return {CdrStage(row.stage): row.times for row in self._db.execute(COUNTS)}
