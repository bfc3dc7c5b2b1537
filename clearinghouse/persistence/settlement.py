"""Sums over approved CDRs, and relayed sessions without a CDR."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, func, select

from clearinghouse.domain.cdr_life import APPROVED
from clearinghouse.domain.cdrs import LostSession
from clearinghouse.domain.settlement import SettlementLine
from clearinghouse.ochp.operations import Role
from clearinghouse.persistence.cdr_tables import cdr, cdr_amount
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import party, route

_group = (cdr.c.month, cdr.c.operator_id, cdr.c.provider_id, cdr_amount.c.currency)
LINES = (
    select(*_group, func.count().label("cdrs"), func.sum(cdr_amount.c.amount).label("net"))
    .join_from(cdr, cdr_amount)
    .where(cdr.c.status == APPROVED.value, cdr.c.month == bindparam("of_month"))
    .group_by(*_group)
    .order_by(*_group)
)
_ids = select(party.c.id).where(party.c.partner == route.c.operator, party.c.role == Role.OPERATOR.value)
_cdr = select(cdr.c.cdr_id).where(cdr.c.direct_id == route.c.direct_id, cdr.c.operator_id.in_(_ids.correlate(route)))
LOST = (
    select(*(route.c[item.name] for item in fields(LostSession)))
    .where(route.c.begun_at < bindparam("before"), ~_cdr.correlate(route).exists())
    .order_by(route.c.begun_at, route.c.direct_id)
    .limit(bindparam("most"))
)
"""The operator's own CDR counts alone: direct ids are unique within an operator only."""


class StoredSettlement:
    """Implements `Settlement`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def lines(self, month: str) -> list[SettlementLine]:
        """What providers owe operators for a month, from approved CDRs."""
        return [SettlementLine(**row) for row in self._db.execute(LINES, {"of_month": month}).mappings()]

    def lost(self, before: datetime, limit: int) -> list[LostSession]:
        """Relayed sessions that may have begun to charge before that, without a CDR, oldest first."""
        rows = self._db.execute(LOST, {"before": before, "most": limit}).mappings()
        return [LostSession(**row) for row in rows]
