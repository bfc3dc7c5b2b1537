"""What a delta costs depends on what changed, not on how much there is: the plans of the statements that tell it."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import ClientCursor
from sqlalchemy import text

from clearinghouse.persistence import cdr_evidence, charge_points, live_statuses
from clearinghouse.persistence.changes import FIRST
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.live_statuses import FRESH_KEYS
from clearinghouse.persistence.prepared import DIALECT

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=10)
MANY = 20_000
ONE_OPERATOR = {
    "visible_parties": ["DEABC"],
    "opened_parties": [],
    "former_parties": [],
    "former_ends": [],
    "since": SINCE,
    "now": NOW,
}
EVSES = {"subject": "evse"}
A_CHARGE = {"evse_keys": ["DEABCE7"], "tokens": ["rfid plain A7"], "starts": [SINCE], "ends": [NOW]}
FILL = (
    "INSERT INTO change SELECT number, :since - interval '1 day' FROM generate_series(1, 4) AS number",
    "INSERT INTO change VALUES (5, :since + interval '1 second')",
    """
    INSERT INTO charge_point (key, operator_id, location_id, parking_keys, document, gone, created, change)
    SELECT 'DEABCE' || n, 'DEABC', 'L' || n / 4, '{}', jsonb_build_object('text', repeat('word', 200)), false,
        1 + n / 5001, CASE WHEN n <= 10 THEN 5 ELSE 1 + n / 5001 END
    FROM generate_series(1, :many) AS n
    """,
    """
    INSERT INTO live_status (key, subject, owner, identifier, major, until, first_at, received_at)
    SELECT 'DEABCE' || n, 'evse', 'DEABC', 'DEABCE' || n, 'available', :since + interval '1 day',
        :since - interval '2 days', :since - interval '1 second' * (n - 10)
    FROM generate_series(1, :many) AS n
    """,
    """
    INSERT INTO cdr
    SELECT 'DEABCE' || n % 200, 'DEABC' || n, 'DEABC', 'DEEMP', 'rfid plain A' || n % 300, 'accepted', '1.4.1',
        '2027-01', 0, NULL, :since - interval '1 hour' * (n / 200), :since - interval '1 hour' * (n / 200 - 1), :since,
        :since, '{}', '[]', '{}'
    FROM generate_series(1, :many) AS n
    """,
    "ANALYZE",
)
STATEMENTS = {
    "charge points that changed": (charge_points.CHANGED, {**ONE_OPERATOR, FIRST.key: 5}),
    "newer live status": (live_statuses.NEWER, {**ONE_OPERATOR, **EVSES}),
    "EVSEs with newer live status": (live_statuses.FIND_FRESH, {**ONE_OPERATOR, **EVSES}),
    "their live status": (live_statuses.COMBINED_NEWER, {**ONE_OPERATOR, **EVSES, FRESH_KEYS.key: ["DEABCE7"]}),
    "CDRs that may overlap": (cdr_evidence.NEIGHBOURS, A_CHARGE),
}


@pytest.fixture
def filled(database_url):
    """The tables with many rows of one operator, few of which are new; a connection of the driver."""
    engine = make_engine(database_url)
    with engine.begin() as db:
        for statement in FILL:
            db.execute(text(statement), {"since": SINCE, "many": MANY})
    with engine.connect() as db:
        yield db.connection.driver_connection
    engine.dispose()


def rows_looked_at(connection, statement, parameters):
    """The greatest number of rows that any step of the statement's plan takes up, when it is run as a reader does."""
    compiled = statement.compile(dialect=DIALECT)
    values = {name: value for name, value in compiled.params.items() if value is not None} | parameters
    with ClientCursor(connection) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) DECLARE asked CURSOR FOR {compiled}", values)
        ((plan,),) = cursor.fetchone()
    return max(_rows(plan["Plan"]))


def _rows(step):
    removed = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Join Filter", 0)
    yield (step["Actual Rows"] + removed) * step["Actual Loops"]
    for below in step.get("Plans", ()):
        yield from _rows(below)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_delta_looks_at_no_more_than_what_is_new(filled, name):
    assert 0 < rows_looked_at(filled, *STATEMENTS[name]) < MANY / 20
