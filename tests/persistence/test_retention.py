"""What nobody needs any more is deleted, on a real PostgreSQL; what is young or still needed stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Engine, Table, insert, select, text
from sqlalchemy.dialects import postgresql

from clearinghouse.domain.retention import HISTORY, Remains, kept
from clearinghouse.persistence.charge_point_tables import charge_point
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.live_status_tables import live_status
from clearinghouse.persistence.retention import REFERENCES, STATEMENTS
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.persistence.tables import (
    change,
    charge,
    charge_event,
    charge_message,
    connection,
    connection_period,
    metadata,
    outbox,
    route,
    session,
)
from clearinghouse.persistence.tariff_tables import tariff
from clearinghouse.services import retention
from clearinghouse.services.retention import Pruner

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
LIMIT = NOW - timedelta(days=100)
OLD, YOUNG = LIMIT - timedelta(seconds=1), LIMIT
BIRTH, FIRST, LAST = 1, 2, 3
"""Numbers of changes: an old one, and the last."""

Row = dict[str, Any]
LINE = {"token_type": "rfid", "representation": "plain", "instance": "A1", "permissions": ["AC"], "expiry_date": NOW}


def a_session(key: str, at: datetime, **changes: Any) -> Row:
    return {"direct_id": key, "evse_key": key, "state": "closed", "selected_at": at, "document": {}} | changes


def a_charge(key: str, at: datetime, **changes: Any) -> Row:
    kinds = {"evse_key": "DEOPSE1", "contract_key": "DEPROC00000001", "state": "finished", "document": {}}
    return {"id": key, "direct_id": key, "created_at": at} | kinds | changes


def a_route(key: str, at: datetime, **changes: Any) -> Row:
    names = dict.fromkeys(("operator", "provider", "evse_id", "contract_id"), "some")
    return {"direct_id": key, "created_at": at, "begun_at": None} | names | changes


def a_begun_route(key: str, at: datetime, **changes: Any) -> Row:
    return a_route(key, OLD, begun_at=at) | changes


def a_message(key: str, at: datetime, **changes: Any) -> Row:
    usual = {"kind": "start", "document": {}, "next_attempt_at": at, "attempts": 1, "delivered_at": NOW}
    return {"direct_id": key, "created_at": at} | usual | changes


def a_point(key: str, at: datetime, **changes: Any) -> Row:
    usual = {"operator_id": "DEOPS", "location_id": "L", "parking_keys": [], "document": {}, "gone": True}
    return {"key": key, "created": BIRTH, "change": FIRST if at < LIMIT else LAST} | usual | changes


def a_status(key: str, at: datetime, **changes: Any) -> Row:
    usual = {"subject": "evse", "owner": "DEOPS", "identifier": key, "major": "available"}
    return {"key": key, "until": at, "first_at": OLD, "received_at": OLD} | usual | changes


CASES: Mapping[Remains, tuple[Table, str, Any, Row]] = {
    Remains.SESSIONS: (session, "direct_id", a_session, {"state": "charging"}),
    Remains.CHARGES: (charge, "id", a_charge, {"state": "ended"}),
    Remains.ROUTES: (route, "direct_id", a_begun_route, {"begun_at": None}),
    Remains.UNUSED_ROUTES: (route, "direct_id", a_route, {"begun_at": OLD}),
    Remains.MESSAGES: (outbox, "direct_id", a_message, {"delivered_at": None}),
    Remains.GONE_POINTS: (charge_point, "key", a_point, {"gone": False}),
    Remains.SILENT_EVSES: (live_status, "key", a_status, {"until": None}),
}
"""The table, its key, how a row of any age is made that is over, and what makes it one that is still needed."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A connection beside the store, and the changes that rows refer to."""
    made = make_engine(database_url)
    with made.begin() as db:
        db.execute(insert(change), [{"number": n, "at": at} for n, at in ((BIRTH, OLD), (FIRST, OLD), (LAST, YOUNG))])
    yield made
    made.dispose()


def delete(store: PostgresStore, what: Remains, most: int = 100) -> int:
    with store.single() as books:
        return books.retention.delete(what, LIMIT, most)


def keys(engine: Engine, column: Column[Any]) -> set[Any]:
    with engine.connect() as db:
        return set(db.execute(select(column)).scalars())


def test_every_kind_has_a_time_and_a_statement_and_is_tested() -> None:
    assert set(kept()) == set(STATEMENTS) == set(Remains) == {*CASES, Remains.CHANGES}
    assert max(kept(timedelta(days=5))[each] for each in (Remains.SESSIONS, Remains.MESSAGES)) == timedelta(days=5)
    assert kept(HISTORY) == kept()


@pytest.mark.parametrize("what", CASES)
def test_only_what_is_over_and_old_goes(store: PostgresStore, engine: Engine, what: Remains) -> None:
    table, key, make, needed = CASES[what]
    with engine.begin() as db:
        for row in (make("old", OLD), make("young", YOUNG), make("needed", OLD) | needed):
            db.execute(insert(table), row)
    assert delete(store, what) == 1
    assert keys(engine, table.c[key]) == {"young", "needed"}
    assert delete(store, what) == 0


def test_a_message_that_was_given_up_goes_too(store: PostgresStore, engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(insert(outbox), a_message("given up", OLD, delivered_at=None, given_up_at=NOW))
    assert delete(store, Remains.MESSAGES) == 1


def test_a_charge_goes_with_its_history_and_leaves_that_of_others(store: PostgresStore, engine: Engine) -> None:
    with engine.begin() as db:
        for key, at in (("old", OLD), ("young", YOUNG)):
            db.execute(insert(charge), a_charge(key, at))
            db.execute(insert(charge_event), {"charge_id": key, "at": at, "kind": "start", "detail": {}})
            db.execute(insert(charge_message), {"direct_id": key, "message": "start", "meter_time": ""})
    assert delete(store, Remains.CHARGES) == 1
    assert keys(engine, charge_event.c.charge_id) == keys(engine, charge_message.c.direct_id) == {"young"}


# -- Changes ----------------------------------------------------------------------------------------------------


def test_a_change_goes_that_no_row_refers_to_unless_it_is_the_last(store: PostgresStore, engine: Engine) -> None:
    assert delete(store, Remains.CHANGES) == 2
    assert keys(engine, change.c.number) == {0, LAST}
    with store.single() as books:
        assert books.retention.delete(Remains.CHANGES, NOW, 100) == 0


REFERRING: Mapping[str, Row] = {
    "charge_point": a_point("P", YOUNG),
    "tariff": {"key": "T", "operator_id": "DEOPS", "document": {}, "valid_from": OLD, "change": LAST},
    "roaming_authorisation": {
        **LINE,
        "instance_key": "A1",
        "provider_id": "DEPRO",
        "contract_id": "C",
        "change": LAST,
        "first_change": LAST,
    },
    "connection_period": {"operator_id": "DEOPS", "provider_id": "DEPRO", "kind": "cdr", "begun": LAST, "ended": LAST},
}


@pytest.mark.parametrize("column", REFERENCES, ids=str)
def test_a_change_stays_as_long_as_any_row_refers_to_it(
    store: PostgresStore, engine: Engine, column: Column[int]
) -> None:
    pair = {"operator_id": "DEOPS", "provider_id": "DEPRO", "kind": "cdr"}
    approved = dict.fromkeys(("approved_by_operator", "approved_by_provider"), True)
    row = {**REFERRING[column.table.name], column.name: FIRST}
    with engine.begin() as db:
        db.execute(insert(connection), pair | approved)
        db.execute(insert(column.table), row)
    delete(store, Remains.CHANGES)
    assert FIRST in keys(engine, change.c.number)


def test_every_column_with_the_number_of_a_change_is_looked_at() -> None:
    numbers = {
        each
        for table in metadata.sorted_tables
        for each in table.c
        if isinstance(each.type, BigInteger) and not each.primary_key and each.name not in ("number", "times")
    }
    assert numbers == set(REFERENCES)
    assert {each.table for each in REFERENCES} == {charge_point, tariff, roaming_authorisation, connection_period}


# -- In bites ---------------------------------------------------------------------------------------------------


def test_everything_due_goes_in_bites_and_is_reported(
    store: PostgresStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    with engine.begin() as db:
        db.execute(insert(session), [a_session(f"S{n}", OLD) for n in range(10)])
        db.execute(insert(live_status), a_status("E", OLD))
    told: list[tuple[Remains, int]] = []
    lengths = {Remains.SESSIONS: NOW - LIMIT, Remains.SILENT_EVSES: NOW - LIMIT, Remains.MESSAGES: NOW - LIMIT}
    Pruner(store, lambda: NOW, lengths, lambda *what: told.append(what)).prune()
    assert told == [(Remains.SESSIONS, 10), (Remains.SILENT_EVSES, 1)]
    assert keys(engine, session.c.direct_id) == set()


def test_a_row_that_somebody_is_at_is_left_for_the_next_time(store: PostgresStore, engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(insert(session), [a_session("mine", OLD), a_session("free", OLD)])
    with engine.begin() as db:
        db.execute(select(session).where(session.c.direct_id == "mine").with_for_update())
        assert delete(store, Remains.SESSIONS) == 1
    assert keys(engine, session.c.direct_id) == {"mine"}
    assert delete(store, Remains.SESSIONS) == 1


INDEXES = {
    Remains.SESSIONS: "session_selected_at",
    Remains.CHARGES: "charge_newest",
    Remains.ROUTES: "route_begun_at",
    Remains.UNUSED_ROUTES: "route_unused",
    Remains.MESSAGES: "outbox_done",
    Remains.GONE_POINTS: "charge_point_gone",
    Remains.SILENT_EVSES: "live_status_until",
}


@pytest.mark.parametrize("what", INDEXES)
def test_in_a_large_table_what_is_due_is_found_by_an_index(engine: Engine, what: Remains) -> None:
    table, _, make, needed = CASES[what]
    young = [make(f"young {n}", YOUNG) for n in range(2000)]
    living = [make(f"needed {n}", OLD) | needed for n in range(2000)]
    with engine.begin() as db:
        for rows in (young, living, [make("old", OLD)]):
            db.execute(insert(table), rows)
        db.execute(text(f"ANALYZE {table.name}"))
        statement = STATEMENTS[what].bindparams(before=LIMIT, most=100)
        said = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(db.execute(text(f"EXPLAIN {said}")).scalars())
    assert f"using {INDEXES[what]}" in plan or f"on {INDEXES[what]}" in plan, plan
    assert f"Seq Scan on {table.name}" not in plan, plan
