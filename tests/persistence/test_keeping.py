"""The small repositories: routes, discrepancies, API keys, simulated EVSEs; and what a transaction means."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, text

from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.errors import StoreUnreachable
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.endpoints_port import Route
from clearinghouse.services.ports import Store
from clearinghouse.services.sessions_port import Discrepancy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUTE = Route(
    direct_id="D-1",
    operator="Stadtwerke",
    provider="Fahrstrom",
    evse_id="DE*SWB*E1",
    contract_id="DE-FAS-C00000001",
    created_at=NOW,
)


def test_a_route_is_found_by_its_two_ends_only(store: PostgresStore) -> None:
    with store.books() as books:
        books.routes.put(ROUTE)
        assert books.routes.find("D-1", "Stadtwerke") == ROUTE
        assert books.routes.find("D-1", "Fahrstrom") == ROUTE
        assert books.routes.find("D-1", "Fremd") is None
        assert books.routes.find("D-2", "Fahrstrom") is None


def test_the_newest_route_of_an_id_holds(store: PostgresStore) -> None:
    other = replace(ROUTE, operator="Nachbar", created_at=NOW + timedelta(hours=1))
    renewed = replace(ROUTE, evse_id="DE*SWB*E2", created_at=NOW + timedelta(hours=2))
    with store.books() as books:
        books.routes.put(ROUTE)
        books.routes.put(other)
        assert books.routes.find("D-1", "Fahrstrom") == other
        books.routes.put(renewed)
        assert books.routes.find("D-1", "Fahrstrom") == renewed
        assert books.routes.find("D-1", "Nachbar") == other


def test_discrepancies_come_newest_first(store: PostgresStore) -> None:
    reports = [Discrepancy(evse_id="DE*SWB*E1", reporter="DEFAS", report=f"{n}", at=NOW) for n in range(3)]
    with store.books() as books:
        for each in reports:
            books.discrepancies.add(each)
        assert books.discrepancies.recent(2) == reports[:0:-1]


def test_an_api_key_opens_until_it_is_revoked(store: PostgresStore) -> None:
    with store.books() as books:
        app, web = (books.api_keys.issue(name, f"hash of {name}", NOW, "hub") for name in ("app", "web"))
        assert books.api_keys.find("hash of app") == app
        assert books.api_keys.find("hash of nothing") is None
        assert books.api_keys.revoke(app.id, NOW, "hub")
        assert not books.api_keys.revoke(app.id, NOW, "hub")
        assert not books.api_keys.revoke(4711, NOW, "hub")
        assert books.api_keys.find("hash of app") is None
        assert books.api_keys.all() == [replace(app, revoked_at=NOW), web]


def test_an_evse_without_a_document_can_be_locked_against_everybody(store: PostgresStore) -> None:
    locked, seen = threading.Event(), []

    def look() -> None:
        locked.wait()
        with store.books() as books:
            seen.append(books.simulated.get("E1", lock=True))

    thread = threading.Thread(target=look)
    thread.start()
    with store.books() as books:
        assert books.simulated.get("E1", lock=True) is None
        locked.set()
        thread.join(0.3)
        assert thread.is_alive()
        books.simulated.put("E1", {"by": "me"}, idle=False, wakes_at=None)
    thread.join(10)
    assert seen == [{"by": "me"}]
    with store.books() as books:
        assert books.simulated.get("E2", lock=True) is None
        assert books.simulated.documents(["E2"]) == {}


def test_an_evse_is_due_from_the_time_it_wakes_on(store: PostgresStore) -> None:
    with store.books() as books:
        books.simulated.put("E1", {"by": "me"}, idle=False, wakes_at=NOW)
        books.simulated.put("E2", {"by": "you"}, idle=False, wakes_at=None)
        assert books.simulated.get("E3", lock=True) is None
        assert books.simulated.due(NOW - timedelta(seconds=1)) == {}
        assert books.simulated.due(NOW) == {"E1": {"by": "me"}}
        books.simulated.put("E1", {"by": "me"}, idle=False, wakes_at=NOW + timedelta(seconds=1))
        assert books.simulated.due(NOW) == {}


def test_the_store_is_what_the_use_cases_ask_for(store: PostgresStore) -> None:
    asked: Store = store
    with asked.books() as books:
        assert books.outbox.waiting() == 0


def test_a_block_that_raises_leaves_nothing(store: PostgresStore) -> None:
    def put_and_fail() -> None:
        with store.books() as books:
            books.routes.put(ROUTE)
            raise KeyError

    with pytest.raises(KeyError):
        put_and_fail()
    with store.single() as books:
        assert books.routes.find("D-1", "Stadtwerke") is None


def test_a_single_statement_is_seen_by_others_before_its_block_ends(store: PostgresStore) -> None:
    with store.single() as books, store.single() as others:
        books.routes.put(ROUTE)
        assert others.routes.find("D-1", "Stadtwerke") == ROUTE


def test_a_second_statement_in_a_single_block_is_a_defect(store: PostgresStore) -> None:
    with store.single() as books:
        books.routes.put(ROUTE)
        with pytest.raises(RuntimeError, match="use books"):
            books.routes.find("D-1", "Stadtwerke")


def test_connections_that_the_server_ended_are_replaced_unnoticed(store: PostgresStore, database_url: str) -> None:
    for opened in (store.books, store.single):
        with opened() as books:
            books.outbox.waiting()
    with make_engine(database_url, poolclass=NullPool).connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).all()
    for opened in (store.books, store.single):
        with opened() as books:
            assert books.outbox.waiting() == 0


def test_a_database_that_is_not_there_is_told_in_words(keyring: KeyRing) -> None:
    store = PostgresStore("postgresql://someone:hunter2-secret@127.0.0.1:1/nothing", keyring)
    with pytest.raises(StoreUnreachable, match="no connection to the database") as caught, store.single() as books:
        books.outbox.waiting()
    assert "hunter2" not in str(caught.value)


def test_a_pool_with_every_connection_in_use_is_told_in_words(
    database_url: str, keyring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearinghouse.persistence.store.PATIENCE", 0.1)
    monkeypatch.setattr("clearinghouse.persistence.store.STREAMS", 0)
    store = PostgresStore(database_url, keyring, pool_size=1)
    with store.books(), pytest.raises(StoreUnreachable, match="in use"), store.books():
        pytest.fail("there is no second connection")
    store.close()


def test_as_many_single_statements_as_there_are_connections(
    database_url: str, keyring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearinghouse.persistence.singles.PATIENCE", 0.1)
    store = PostgresStore(database_url, keyring, pool_size=1)
    with store.single(), pytest.raises(StoreUnreachable, match="in use"), store.single():
        pytest.fail("there is no second connection")
    with store.single() as books:
        assert books.outbox.waiting() == 0
    store.close()


def test_a_single_statement_is_one_round_trip(database_url: str, keyring: KeyRing, tmp_path: Path) -> None:
    store = PostgresStore(database_url, keyring, pool_size=1)
    for _ in range(10):  # the driver prepares what it sees often
        with store.single() as books:
            books.endpoints.revision()
    traced = tmp_path / "messages"
    with store._singles.lent() as kept:
        pass
    with traced.open("w") as file:
        kept.driver.pgconn.trace(file.fileno())
        for _ in range(5):
            with store.single() as books:
                books.endpoints.revision()
        kept.driver.pgconn.untrace()
    store.close()
    sent = [line.split("\t")[3] for line in traced.read_text().splitlines() if line.split("\t")[1] == "F"]
    assert sent == ["Bind", "Describe", "Execute", "Sync"] * 5
