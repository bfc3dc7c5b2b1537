"""What CDRs are judged by: connections, other CDRs, relayed sessions, and how strict the house is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, any_, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import DateTime, Text

from clearinghouse.domain.cdr_case import LiveAnswer, Neighbour, Relayed
from clearinghouse.domain.cdrs import CdrKey
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.plausibility import Severity, Strictness
from clearinghouse.domain.roaming_list import TokenKey
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.tokens import Representation, TokenType
from clearinghouse.ochp.versions import V1_3
from clearinghouse.persistence import audit
from clearinghouse.persistence.cdr_tables import EVERYBODY, cdr, cdr_strictness
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.roaming_list_tables import live_authorisation
from clearinghouse.persistence.tables import route
from clearinghouse.persistence.visibility import KIND, roamed
from clearinghouse.services.cdrs_port import RoamingQuestion

LONGEST_CHARGE = timedelta(days=31)
"""CDRs of longer charges may go unnoticed when others overlap them."""

INSTANT = DateTime(timezone=True)


def _texts(name: str) -> Any:
    return bindparam(name, type_=ARRAY(Text))


_asked = (
    func.unnest(_texts("operators"), _texts("providers"), bindparam("instants", type_=ARRAY(INSTANT)))
    .table_valued(column("operator_id", Text), column("provider_id", Text), column("at", INSTANT))
    .render_derived("asked")
)
ROAMED = (
    select(_asked.c.operator_id, _asked.c.provider_id, _asked.c.at)
    .where(roamed(_asked.c.operator_id, _asked.c.provider_id, _asked.c.at))
    .distinct()
)

_one = (
    func.unnest(
        _texts("evse_keys"),
        _texts("tokens"),
        bindparam("starts", type_=ARRAY(INSTANT)),
        bindparam("ends", type_=ARRAY(INSTANT)),
    )
    .table_valued(
        column("evse_key", Text), column("token", Text), column("started_at", INSTANT), column("ended_at", INSTANT)
    )
    .render_derived("one")
)
_about = (cdr.c.evse_key, cdr.c.cdr_id, cdr.c.token, cdr.c.started_at, cdr.c.ended_at)
_at_that_time = (
    cdr.c.status != CdrStatus.REJECTED.value,
    cdr.c.started_at <= _one.c.ended_at,
    cdr.c.started_at >= _one.c.started_at - LONGEST_CHARGE,
    cdr.c.ended_at >= _one.c.started_at,
)
NEIGHBOURS = (
    select(*_about)
    .where(cdr.c.evse_key == _one.c.evse_key, *_at_that_time)
    .union(select(*_about).where(cdr.c.token == _one.c.token, *_at_that_time))
)
"""Two selects, so that each finds its rows by an index."""

NAMESAKES = select(cdr.c.evse_key, cdr.c.cdr_id).where(
    cdr.c.cdr_id == any_(_texts("cdr_ids")),
    cdr.c.operator_id == any_(_texts("operator_ids")),
    cdr.c.version != V1_3.value,
)
RELAYED = (
    select(route.c.direct_id, route.c.evse_id, route.c.contract_id)
    .where(route.c.direct_id == any_(_texts("direct_ids")), route.c.operator == bindparam("operator"))
    .order_by(route.c.created_at)
)
ANSWERED = select(live_authorisation).where(
    live_authorisation.c.live_auth_id == any_(_texts("live_auth_ids")),
    live_authorisation.c.partner == bindparam("partner"),
)
SET = upsert(cdr_strictness)
SET_STRICTNESS = SET.on_conflict_do_update(
    index_elements=["code", "operator_id", "provider_id"], set_={"severity": SET.excluded.severity}
)


class StoredCdrEvidence:
    """Implements `CdrEvidence`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def roaming(self, questions: Collection[RoamingQuestion], now: datetime) -> set[RoamingQuestion]:
        """Those (operator ID, provider ID, start) with a connection for CDRs, now or at the start."""
        columns = zip(("operators", "providers", "instants"), zip(*questions, strict=True), strict=False)
        given = {name: list(values) for name, values in columns}
        rows = self._db.execute(ROAMED, {**given, "now": now, KIND.key: ConnectionKind.CDR.value})
        return {(row.operator_id, row.provider_id, row.at) for row in rows}

    def neighbours(self, of: Sequence[Neighbour]) -> list[Neighbour]:
        """CDRs at the same EVSEs or with the same tokens at the same times, themselves among them."""
        given = {
            "evse_keys": [each.evse_key for each in of],
            "tokens": [each.token for each in of],
            "starts": [each.started_at for each in of],
            "ends": [each.ended_at for each in of],
        }
        return [Neighbour(**row) for row in self._db.execute(NEIGHBOURS, given).mappings()]

    def namesakes(self, cdr_ids: Collection[str], operator_ids: Collection[str]) -> list[CdrKey]:
        """CDRs of the operator with these ids that were uploaded in 1.4 or later."""
        rows = self._db.execute(NAMESAKES, {"cdr_ids": [*cdr_ids], "operator_ids": [*operator_ids]})
        return [CdrKey(row.evse_key, row.cdr_id) for row in rows]

    def relayed(self, direct_ids: Collection[str], operator: str) -> dict[str, Relayed]:
        """The direct sessions of these ids that the house relayed for the partner, the newest of each."""
        rows = self._db.execute(RELAYED, {"direct_ids": [*direct_ids], "operator": operator})
        return {row.direct_id: Relayed(evse_id=row.evse_id, contract_id=row.contract_id) for row in rows}

    def answered(self, live_auth_ids: Collection[str], partner: str) -> dict[str, LiveAnswer]:
        """What the house told the partner under these live ids."""
        rows = self._db.execute(ANSWERED, {"live_auth_ids": [*live_auth_ids], "partner": partner})
        return {row.live_auth_id: LiveAnswer(evse_id=row.evse_id, token=_token(row)) for row in rows}

    def strictness(self) -> list[Strictness]:
        """The severities that were set."""
        rows = self._db.execute(select(cdr_strictness).order_by(*cdr_strictness.primary_key)).mappings()
        return [
            Strictness(
                code=row["code"],
                severity=Severity(row["severity"]),
                operator_id=_party(row["operator_id"]),
                provider_id=_party(row["provider_id"]),
            )
            for row in rows
        ]

    def set_strictness(self, setting: Strictness, at: datetime, actor: str) -> None:
        """Set the severity of a check for the house or a pair of partners."""
        row = {
            "code": setting.code,
            "severity": setting.severity.value,
            "operator_id": setting.operator_id or EVERYBODY,
            "provider_id": setting.provider_id or EVERYBODY,
        }
        self._db.execute(SET_STRICTNESS, row)
        name = f"{row['code']} {row['operator_id']} {row['provider_id']}"
        audit.record(self._db, at, actor, "cdr check", name, severity=row["severity"])


def _token(row: Row[Any]) -> TokenKey:
    return TokenKey(TokenType(row.token_type), Representation(row.representation), row.instance)


def _party(text: str) -> str | None:
    return None if text == EVERYBODY else text
