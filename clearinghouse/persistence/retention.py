"""Deleting what nobody needs any more: each kind by one statement that finds its rows by an index.

A statement leaves alone the rows that somebody is at; they go the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, TextClause, text

from clearinghouse.domain.charges import ChargeState
from clearinghouse.domain.retention import Remains
from clearinghouse.persistence.charge_point_tables import charge_point
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation
from clearinghouse.persistence.tables import IS_DONE, IS_OPEN, connection_period
from clearinghouse.persistence.tariff_tables import tariff

OVER = ", ".join(f"'{each}'" for each in (ChargeState.RELEASED, ChargeState.FINISHED, ChargeState.FAILED))


def _oldest(table: str, time: str, condition: str = "true") -> TextClause:
    """Delete the rows of a table whose time is before `:before` and that fulfil the condition, the oldest first."""
    return text(
        f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE {time} < :before AND ({condition})
            ORDER BY {time} LIMIT :most FOR UPDATE SKIP LOCKED
        ))
        """  # noqa: S608 - names of this program
    )


CHARGES = text(
    f"""
    WITH old AS MATERIALIZED (
        SELECT id, direct_id FROM charge WHERE created_at < :before AND state IN ({OVER})
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    ),
    its_events AS (DELETE FROM charge_event WHERE charge_id = ANY(ARRAY(SELECT id FROM old))),
    its_messages AS (DELETE FROM charge_message WHERE direct_id = ANY(ARRAY(SELECT direct_id FROM old)))
    DELETE FROM charge WHERE id = ANY(ARRAY(SELECT id FROM old))
    """  # noqa: S608 - names of this program
)
GONE_POINTS = text(
    """
    DELETE FROM charge_point WHERE ctid = ANY(ARRAY(
        SELECT charge_point.ctid FROM charge_point JOIN change ON change.number = charge_point.change
        WHERE gone AND at < :before
        ORDER BY charge_point.change LIMIT :most FOR UPDATE OF charge_point SKIP LOCKED
    ))
    """
)

REFERENCES: tuple[Column[int], ...] = (
    charge_point.c.created,
    charge_point.c.change,
    tariff.c.change,
    roaming_authorisation.c.first_change,
    roaming_authorisation.c.change,
    connection_period.c.begun,
    connection_period.c.ended,
)
"""Every column that holds the number of a change."""
_UNREFERRED = " AND ".join(
    f"NOT EXISTS (SELECT FROM {each.table.name} AS used WHERE used.{each.name} = change.number)" for each in REFERENCES
)
CHANGES = text(
    f"""
    DELETE FROM change
    WHERE number <> 0 AND at < least(:before, (SELECT max(at) FROM change)) AND {_UNREFERRED}
    """  # noqa: S608 - names of this program
)
"""All at once, since what is still referred to would be looked through again for every bite. The newest stays: times
go on from it."""

STATEMENTS: Mapping[Remains, TextClause] = {
    Remains.SESSIONS: _oldest("session", "selected_at", f"NOT ({IS_OPEN})"),
    Remains.CHARGES: CHARGES,
    Remains.ROUTES: _oldest("route", "begun_at"),
    Remains.UNUSED_ROUTES: _oldest("route", "created_at", "begun_at IS NULL"),
    Remains.MESSAGES: _oldest("outbox", "created_at", IS_DONE),
    Remains.GONE_POINTS: GONE_POINTS,
    Remains.SILENT_EVSES: _oldest("live_status", "until"),
    Remains.CHANGES: CHANGES,
}


class StoredRetention:
    """Implements `Retention`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def delete(self, what: Remains, before: datetime, most: int) -> int:
        """Delete what was over before then, the oldest first and about `most` rows; how many."""
        return self._db.execute(STATEMENTS[what], {"before": before, "most": most}).rowcount
