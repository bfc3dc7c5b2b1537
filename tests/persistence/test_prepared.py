"""What runs on the driver's own cursor is part of transactions, and fails as everything else does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Integer, NullPool, bindparam, literal, select, text

from clearinghouse.domain.sessions import Session, State
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.errors import StoreUnreachable
from clearinghouse.persistence.prepared import Prepared
from clearinghouse.persistence.store import PostgresStore, Transaction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SELECTED = Session(
    direct_id="D-1",
    evse_id="DE*SWB*E1",
    evse_key="DESWBE1",
    contract_id="DE-FAS-C00000001",
    state=State.SELECTED,
    deadline=NOW,
    selected_at=NOW,
)
WAITERS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def transaction(database_url: str) -> Iterator[Transaction]:
    with make_engine(database_url, poolclass=NullPool).connect() as connection:
        yield Transaction(connection)


def test_a_prepared_statement_is_undone_with_its_transaction(store: PostgresStore) -> None:
    def open_and_fail() -> None:
        with store.books() as books:
            assert books.sessions.open(SELECTED) is None
            raise KeyError

    with pytest.raises(KeyError):
        open_and_fail()
    with store.books() as books:
        assert books.sessions.get("D-1") is None


def test_a_second_prepared_statement_in_a_single_block_is_a_defect(store: PostgresStore) -> None:
    with store.single() as books:
        assert books.sessions.open(SELECTED) is None
        with pytest.raises(RuntimeError, match="use books"):
            books.endpoints.revision()
    with store.single() as books:
        books.endpoints.revision()
        with pytest.raises(RuntimeError, match="use books"):
            books.sessions.open(SELECTED)


def test_constants_of_a_prepared_statement_need_not_be_given(transaction: Transaction) -> None:
    statement = Prepared(select(literal(7) + bindparam("more", type_=Integer)))
    assert statement.one(transaction, {"more": 1}) == (8,)


def test_a_connection_that_breaks_under_a_statement_is_told_and_replaced(
    store: PostgresStore, database_url: str
) -> None:
    failures: list[BaseException] = []

    def open_another() -> None:
        try:
            with store.single() as books:
                books.sessions.open(replace(SELECTED, direct_id="D-2"))
        except StoreUnreachable as error:
            failures.append(error)

    waiting = threading.Thread(target=open_another)
    with store.books() as books, make_engine(database_url, poolclass=NullPool).connect() as other:
        books.sessions.open(SELECTED)
        waiting.start()
        while not other.execute(text(WAITERS)).all():
            other.rollback()
        waiting.join(10)
    assert [str(each).partition(":")[0] for each in failures] == ["no connection to the database"]
    for _ in range(3):
        with store.single() as books:
            assert books.sessions.open_at(SELECTED.evse_key) == SELECTED
