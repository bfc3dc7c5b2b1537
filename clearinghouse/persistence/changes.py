"""Exact deltas: when a change became visible, whatever the length of the transaction that made it.

A writer takes a number first and marks its rows with it. Last, under a lock that it holds until it has committed, it
writes down at which time the change happened. A reader first waits until no writer is between those two points. So
every change with an earlier time than a reader's question is in the reader's answer, and every change that is not in
it has a time that is not earlier: who passes the time of the previous question misses nothing. Row timestamps could
not promise that, because a transaction's rows are older than its commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, func, insert, select

from clearinghouse.domain.clock import Clock
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import change, change_number

LOCK = 0x0C4A_26E6
"""An advisory lock's number: exclusive from the writing down of a time to the commit, shared for readers."""

NONE_YET = 2**63 - 1
"""A number that is greater than that of any change."""

NEXT = select(change_number.next_value())
WRITERS_TURN = select(func.pg_advisory_xact_lock(LOCK))
READERS_TURN = select(func.pg_advisory_lock_shared(LOCK), func.pg_advisory_unlock_shared(LOCK))
LAST = select(func.max(change.c.at)).scalar_subquery()
AFTER_THE_LAST = func.greatest(bindparam("now"), LAST + timedelta(microseconds=1))
HAPPENED = insert(change).values(number=bindparam("new_number"), at=AFTER_THE_LAST)
"""Times go on from change to change, even where clocks stand still or those of two processes differ."""


FIRST = bindparam("first_change", type_=BigInteger)
_since = select(change.c.number).where(change.c.at >= bindparam("since")).offset(0).subquery()
FIRST_SINCE = select(func.coalesce(func.min(_since.c.number), NONE_YET))
"""Without the fence, the least would be sought among all numbers."""


@contextmanager
def stamped(db: Statements, clock: Clock) -> Iterator[int]:
    """A number for the rows of one change; leaving the block writes down its time, so leave it last."""
    number: int = db.execute(NEXT).scalar_one()
    yield number
    db.execute(WRITERS_TURN)
    db.execute(HAPPENED, {"new_number": number, "now": clock()})


def settle(db: Statements) -> None:
    """Wait until every change that has its time is committed: call it before the statement that reads a delta."""
    db.execute(READERS_TURN)


def first_change(db: Statements, since: datetime) -> int:
    """The least number of the changes since then, for `FIRST`: give it to the statement that reads a delta.

    Numbers are taken before times are, so that a change that is yet to come may have a lesser one; it is not part of
    this delta. A number that is known when the statement is planned tells how few rows there are; one that the
    statement had to find itself, or one by one those of all changes, would have it read the table from end to end.
    """
    first: int = db.execute(FIRST_SINCE, {"since": since}).scalar_one()
    return first


def time_of(number: object) -> Select[tuple[object]]:
    """The time of the change with this number, as a scalar for other statements."""
    return select(change.c.at).where(change.c.number == number)


def changed_since(column: ColumnElement[int], since: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a row's change happened at or after `since`; an index on the column finds the rows.

    Numbers are taken before times are, so that a bound by number keeps the range small, and the times decide.
    """
    recent = select(change.c.number).where(change.c.at >= since)
    found_by_time = recent.offset(0).subquery()  # without the fence, the least would be sought among all numbers
    least = select(func.min(found_by_time.c.number)).scalar_subquery()
    return and_(column >= least, column.in_(recent))
