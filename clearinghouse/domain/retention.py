"""How long rows stay that nobody needs any more.

Charge data, its history, old tariffs, connections and the audit log are not among them: they are what accounts are
made of, and stay until people decide otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Remains(StrEnum):
    """What is left over; the value is what people read in logs."""

    SESSIONS = "direct sessions that are over"
    CHARGES = "charges that are over"
    ROUTES = "relayed sessions that may have charged"
    UNUSED_ROUTES = "relayed sessions that never began to charge"
    MESSAGES = "messages that were delivered or given up"
    GONE_POINTS = "charge points that are gone"
    SILENT_EVSES = "live status that ran out"
    CHANGES = "changes that no row refers to"


HISTORY = timedelta(days=400)
"""A charge is looked up while its CDR may come late, be declined and revised, until the year's accounts are closed.

How long it may be is a question of privacy law, too, so that hub operators choose it.
"""
UNUSED = timedelta(days=31)
"""Nobody calls again about a session that never charged; a month, for people who ask why."""
DELIVERED = timedelta(days=31)
"""What was told about a session is read when partners complain, not after the month's bill."""
LATEST_READER = timedelta(days=400)
"""A reader whose last question is older than that has to begin with the whole list."""
SILENCE = timedelta(days=90)
"""Of an EVSE without a word for so long, readers know for long that its status ran out."""
SETTLED = timedelta(days=1)
"""No transaction lasts so long that it would still refer to a change of the day before."""


def kept(history: timedelta = HISTORY) -> Mapping[Remains, timedelta]:
    """How long each of these stays after it was over."""
    return {
        Remains.SESSIONS: history,
        Remains.CHARGES: history,
        Remains.ROUTES: history,
        Remains.UNUSED_ROUTES: min(UNUSED, history),
        Remains.MESSAGES: min(DELIVERED, history),
        Remains.GONE_POINTS: LATEST_READER,
        Remains.SILENT_EVSES: SILENCE,
        Remains.CHANGES: SETTLED,
    }
