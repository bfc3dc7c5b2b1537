"""CDRs and their history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    and_,
    any_,
    bindparam,
    column,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import Text

from clearinghouse.domain.cdr_case import token_key
from clearinghouse.domain.cdr_life import Move
from clearinghouse.domain.cdrs import CdrChange, CdrKey, CdrRecord
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.plausibility import Finding
from clearinghouse.domain.settlement import amounts_of
from clearinghouse.ochp.cdrs import CdrInfo, CdrStatus
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.ochp.versions import Version
from clearinghouse.persistence.cdr_tables import cdr, cdr_amount, cdr_history, cdr_shown
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.visibility import KIND, roamed
from clearinghouse.services.cdrs_port import CdrFilter

TURN = 0x0C4A_0C00
"""The first half of an advisory lock's numbers; the second is a digest of the partner's name."""
BATCH = 500
"""Rows that are fetched at a time."""
ONE_DAY = timedelta(days=1)

KEY = ("evse_key", "cdr_id")
KEYS = (
    func.unnest(bindparam("evse_keys", type_=ARRAY(Text)), bindparam("cdr_ids", type_=ARRAY(Text)))
    .table_valued(column("evse_key", Text), column("cdr_id", Text))
    .render_derived("wanted")
)
IS_WANTED = and_(cdr.c.evse_key == KEYS.c.evse_key, cdr.c.cdr_id == KEYS.c.cdr_id)

TAKE_TURN = select(func.pg_advisory_xact_lock(TURN, func.hashtext(bindparam("operator"))))
LOCK = (
    select(cdr.c.cdr_id).where(IS_WANTED).order_by(cdr.c.evse_key, cdr.c.cdr_id).with_for_update(of=cdr, key_share=True)
)
"""In the order of the key, so that writers do not wait for each other in a circle."""

RECORDS = select(
    cdr.c.document,
    cdr.c.status,
    cdr.c.version,
    cdr.c.revision,
    cdr.c.findings,
    cdr.c.uploaded_at,
    cdr.c.changed_at,
    cdr_shown.c.revision.label("shown"),
).select_from(cdr.outerjoin(cdr_shown, and_(*(cdr.c[name] == cdr_shown.c[name] for name in KEY))))
IS_VISIBLE = and_(
    cdr.c.provider_id == any_(bindparam("provider_ids", type_=ARRAY(Text))),
    roamed(cdr.c.operator_id, cdr.c.provider_id, cdr.c.started_at),
)
VISIBLE = select(cdr.c.evse_key, cdr.c.cdr_id).where(IS_WANTED, IS_VISIBLE)
HAS_STATUS = cdr.c.status == any_(bindparam("statuses", type_=ARRAY(Text)))
IN_ORDER = (cdr.c.changed_at, *(cdr.c[name] for name in KEY))


def _given(*columns: ColumnElement[Any]) -> TableValuedAlias:
    """Rows that come as one JSON parameter, `rows`."""
    return (
        func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
        .table_valued(*(column(each.name, each.type) for each in columns))
        .render_derived("given", with_types=True)
    )


def _rows_of(*columns: ColumnElement[Any]) -> Select[Any]:
    given = _given(*columns)
    return select(*(given.c[each.name] for each in columns)).order_by(*(given.c[name] for name in KEY))


NEW = upsert(cdr).from_select([each.name for each in cdr.c], _rows_of(*cdr.c))
PUT = NEW.on_conflict_do_update(
    index_elements=KEY,
    set_={each.name: NEW.excluded[each.name] for each in cdr.c if each.name not in KEY},
)
DROP_AMOUNTS = delete(cdr_amount).where(
    tuple_(*(cdr_amount.c[name] for name in KEY)).in_(select(*(KEYS.c[name] for name in KEY)))
)
PUT_AMOUNTS = insert(cdr_amount).from_select([each.name for each in cdr_amount.c], _rows_of(*cdr_amount.c))
_told = [each for each in cdr_history.c if each.name != "number"]
NOTE = insert(cdr_history).from_select([each.name for each in _told], _rows_of(*_told))

_seen = (
    func.unnest(
        bindparam("evse_keys", type_=ARRAY(Text)),
        bindparam("cdr_ids", type_=ARRAY(Text)),
        bindparam("revisions", type_=ARRAY(Integer)),
    )
    .table_valued(column("evse_key", Text), column("cdr_id", Text), column("revision", Integer))
    .render_derived("seen")
)
SEEN = upsert(cdr_shown).from_select(
    [each.name for each in cdr_shown.c],
    select(*(_seen.c[each.name] for each in cdr_shown.c)).order_by(*(_seen.c[name] for name in KEY)),
)
SHOWN = SEEN.on_conflict_do_update(
    index_elements=KEY, set_={"revision": func.greatest(cdr_shown.c.revision, SEEN.excluded.revision)}
)


class StoredCdrs:
    """Implements `Cdrs`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def take_turn(self, operator: str) -> None:
        """Wait until no other upload of this partner is under way; the turn ends with the transaction."""
        self._db.execute(TAKE_TURN, {"operator": operator})

    def get(self, keys: Collection[CdrKey], *, lock: bool = False) -> dict[CdrKey, CdrRecord]:
        """Those that exist; with `lock`, as they are once nobody else changes them."""
        wanted = _key_arrays(keys)
        if lock:
            self._db.execute(LOCK, wanted)
        found = (_record(row) for row in self._db.execute(RECORDS.where(IS_WANTED), wanted).mappings())
        return {each.key: each for each in found}

    def visible(self, keys: Collection[CdrKey], provider_ids: Collection[str], now: datetime) -> set[CdrKey]:
        """Those among the keys that the provider may see."""
        rows = self._db.execute(VISIBLE, _key_arrays(keys) | _viewing(provider_ids, now))
        return {CdrKey(row.evse_key, row.cdr_id) for row in rows}

    def put(self, records: Sequence[CdrRecord], changes: Sequence[CdrChange]) -> None:
        """Create or replace records, and append to their history."""
        self._db.execute(PUT, {"rows": [_row(each) for each in records]})
        self._db.execute(DROP_AMOUNTS, _key_arrays([each.key for each in records]))
        self._db.execute(PUT_AMOUNTS, {"rows": [row for each in records for row in _amounts(each)]})
        self._db.execute(NOTE, {"rows": [to_plain(vars(each)) for each in changes]})

    def for_provider(
        self, provider_ids: Collection[str], statuses: Collection[CdrStatus], now: datetime
    ) -> Iterator[CdrRecord]:
        """The CDRs that a provider may see, in these states, oldest change first, read as they are asked for."""
        statement = RECORDS.where(IS_VISIBLE, HAS_STATUS).order_by(*IN_ORDER)
        return self._stream(statement, _viewing(provider_ids, now) | {"statuses": _texts(statuses)})

    def of_operator(self, operator_ids: Collection[str], statuses: Collection[CdrStatus]) -> Iterator[CdrRecord]:
        """The CDRs of an operator, in these states, oldest change first, read as they are asked for."""
        own = cdr.c.operator_id == any_(bindparam("operator_ids", type_=ARRAY(Text)))
        statement = RECORDS.where(own, HAS_STATUS).order_by(*IN_ORDER)
        return self._stream(statement, {"operator_ids": sorted(operator_ids), "statuses": _texts(statuses)})

    def shown(self, revisions: Mapping[CdrKey, int]) -> None:
        """Note which revisions a provider has downloaded."""
        self._db.execute(SHOWN, _key_arrays(revisions) | {"revisions": [*revisions.values()]})

    def find(self, wanted: CdrFilter) -> list[CdrRecord]:
        """What people look for, the newest charges first."""
        newest = RECORDS.where(*_conditions(wanted)).order_by(cdr.c.ended_at.desc(), *(cdr.c[name] for name in KEY))
        return [_record(row) for row in self._db.execute(newest.limit(wanted.limit)).mappings()]

    def with_id(self, cdr_id: str) -> list[CdrRecord]:
        """Every CDR of this id, at whatever EVSE."""
        statement = RECORDS.where(cdr.c.cdr_id == cdr_id).order_by(cdr.c.evse_key)
        return [_record(row) for row in self._db.execute(statement).mappings()]

    def history(self, key: CdrKey) -> list[CdrChange]:
        """What happened to a CDR, oldest first."""
        lines = select(*_told).where(cdr_history.c.evse_key == key.evse_key, cdr_history.c.cdr_id == key.cdr_id)
        return [_change(row) for row in self._db.execute(lines.order_by(cdr_history.c.number)).mappings()]

    def _stream(self, statement: Select[Any], parameters: dict[str, Any]) -> Iterator[CdrRecord]:
        rows = self._db.execute(statement.execution_options(yield_per=BATCH), parameters).mappings()
        return map(_record, rows)


def _texts(values: Iterable[str]) -> list[str]:
    return sorted(str(each) for each in values)


def _key_arrays(keys: Iterable[CdrKey]) -> dict[str, list[Any]]:
    listed = list(keys)
    return {"evse_keys": [each.evse_key for each in listed], "cdr_ids": [each.cdr_id for each in listed]}


def _viewing(provider_ids: Collection[str], now: datetime) -> dict[str, Any]:
    return {"provider_ids": sorted(provider_ids), "now": now, KIND.key: ConnectionKind.CDR.value}


def _row(record: CdrRecord) -> dict[str, Any]:
    info = record.info
    return {
        **record.key._asdict(),
        "operator_id": record.operator_id,
        "provider_id": record.provider_id,
        "token": token_key(info.emt_id),
        "status": info.status.value,
        "version": record.version.value,
        "month": record.month,
        "revision": record.revision,
        "direct_id": record.direct_id,
        "started_at": info.start_date_time.isoformat(),
        "ended_at": info.end_date_time.isoformat(),
        "uploaded_at": record.uploaded_at.isoformat(),
        "changed_at": record.changed_at.isoformat(),
        "flags": list(record.flags),
        "findings": to_plain(record.findings),
        "document": to_plain(info),
    }


def _amounts(record: CdrRecord) -> Iterator[dict[str, str]]:
    for currency, amount in amounts_of(record.info).items():
        yield {**record.key._asdict(), "currency": currency, "amount": str(amount)}


def _record(row: RowMapping) -> CdrRecord:
    return CdrRecord(
        info=from_plain(CdrInfo, row["document"]),
        version=Version(row["version"]),
        revision=row["revision"],
        shown=row["shown"],
        findings=tuple(from_plain(Finding, each) for each in row["findings"]),
        uploaded_at=row["uploaded_at"],
        changed_at=row["changed_at"],
    )


def _change(row: RowMapping) -> CdrChange:
    return CdrChange(
        **{
            **row,
            "move": Move(row["move"]),
            "before": row["before"] and CdrStatus(row["before"]),
            "after": CdrStatus(row["after"]),
            "version": row["version"] and Version(row["version"]),
            "sent": row["sent"] and from_plain(CdrInfo, row["sent"]),
        }
    )


def _conditions(wanted: CdrFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.party_ids is not None:
        ids = sorted(wanted.party_ids)
        yield or_(cdr.c.operator_id.in_(ids), cdr.c.provider_id.in_(ids))
    if wanted.statuses is not None:
        yield cdr.c.status.in_(_texts(wanted.statuses))
    if wanted.first_day is not None:
        yield cdr.c.ended_at >= datetime.combine(wanted.first_day, time(), UTC)
    if wanted.last_day is not None:
        yield cdr.c.ended_at < datetime.combine(wanted.last_day, time(), UTC) + ONE_DAY
    if wanted.flagged:
        yield func.cardinality(cdr.c.flags) > 0
