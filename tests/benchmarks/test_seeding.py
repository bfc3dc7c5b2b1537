"""What is seeded is what uploads would have made."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from clearinghouse.domain.charge_points import OwnedPoint, judge
from clearinghouse.domain.live_status import Trust
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.live import EvseStatus, MajorStatus, UpdateStatusRequest
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.persistence.changes import stamped
from clearinghouse.persistence.engine import make_engine
from clearinghouse.services.live_status import StatusExchange
from tests.benchmarks import evses, tokens
from tests.benchmarks.copying import copied

NUMBERS = [*range(50), *range(tokens.FIRST_OF_OTHERS, tokens.FIRST_OF_OTHERS + 50)]


@pytest.fixture
def engine(database_url):
    made = make_engine(database_url)
    yield made
    made.dispose()


def contents(engine, table):
    with engine.begin() as db:
        found = db.execute(text(f"SELECT * FROM {table} ORDER BY 1")).mappings().all()
        db.execute(text(f"TRUNCATE {table}"))
    return [
        {name: value for name, value in row.items() if name not in ("change", "first_change", "created")}
        for row in found
    ]


def test_seeded_tokens_are_what_an_upload_makes(engine, store):
    with store.books() as books:
        lines = map(tokens.line, NUMBERS)
        books.roaming_lists.put(lines, {"DEPRV", "DE000"}, datetime.now(UTC), replace=True)
    uploaded = contents(engine, "roaming_authorisation")
    with engine.begin() as db, stamped(db, lambda: datetime.now(UTC)) as number:
        copied(db.connection.driver_connection, "roaming_authorisation", tokens.COLUMNS, tokens.rows(NUMBERS, number))
    assert len(uploaded) == 100
    assert contents(engine, "roaming_authorisation") == uploaded


def test_seeded_charge_points_are_what_an_upload_makes(engine, store):
    numbers = [*range(10), *range(evses.FIRST_OF_OTHERS + evses.OF_EACH - 5, evses.FIRST_OF_OTHERS + evses.OF_EACH + 5)]
    points = [
        evses.point(f"{number:08d}", f"{number // evses.AT_ONE_PLACE:08d}", evses.operator_of(number)[2:])
        for number in numbers
    ]
    owners = frozenset({evses.OPERATOR, *evses.operators(2 * evses.OF_EACH)})
    accepted = [each for each in judge(points, owners) if isinstance(each, OwnedPoint)]
    with store.books() as books:
        books.charge_points.put(accepted, owners, replace=True)
    uploaded = contents(engine, "charge_point")
    with engine.begin() as db, stamped(db, lambda: datetime.now(UTC)) as number:
        copied(db.connection.driver_connection, "charge_point", evses.COLUMNS, evses.rows(numbers, number))
    assert len(uploaded) == 20
    assert contents(engine, "charge_point") == uploaded


def test_seeded_live_status_is_what_a_word_makes(engine, store):
    told = [EvseStatus(evse_id=evses.evse_id(number), major=MajorStatus.AVAILABLE) for number in range(12)]
    exchange = StatusExchange(store, lambda: datetime.now(UTC), Trust())
    operator = Partner(name="cpo", operator_ids=frozenset({evses.OPERATOR}))
    assert exchange.update(UpdateStatusRequest(evse=tuple(told)), operator, V1_4_1).result.result_code == "ok"
    uploaded = contents(engine, "live_status")
    with engine.begin() as db:
        db.execute(text(evses.STATUSES), {"evses": 12})
    seeded = contents(engine, "live_status")
    instants = {"until", "first_at", "received_at"}
    assert [{**row, **dict.fromkeys(instants)} for row in seeded] == [
        {**row, **dict.fromkeys(instants)} for row in uploaded
    ]
    assert all(row["first_at"] < row["received_at"] < row["until"] for row in seeded)
