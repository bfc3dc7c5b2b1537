"""The inbox of what stations reported."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from sqlalchemy import Text, all_, bindparam, delete, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import station_event
from clearinghouse.services.stations_port import StationEvent

_earlier = station_event.alias("earlier")
_heads = (
    select(station_event.c.evse_key)
    .where(
        station_event.c.evse_key != all_(bindparam("leave", type_=ARRAY(Text))),
        ~exists().where(_earlier.c.evse_key == station_event.c.evse_key, _earlier.c.number < station_event.c.number),
    )
    .order_by(station_event.c.number)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
    .cte("heads")
)
PENDING = (
    select(station_event.c.number, station_event.c.document)
    .where(station_event.c.evse_key.in_(select(_heads.c.evse_key)))
    .order_by(station_event.c.number)
    .limit(bindparam("at_most"))
)
"""Who locks the oldest event of an EVSE has them all: nobody else finds an event of that EVSE that is the oldest."""
DONE = delete(station_event).where(station_event.c.number == bindparam("done"))


class StoredStationEvents:
    """Implements `StationEvents`. Events that were acted on are deleted."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def add(self, events: Sequence[StationEvent]) -> None:
        """Append; numbers are given in this order."""
        rows = [{"evse_key": each.evse_key, "kind": each.kind.value, "document": to_plain(each)} for each in events]
        if rows:
            self._db.execute(insert(station_event), rows)

    def pending(self, limit: int = 100, *, leave: Collection[str] = ()) -> list[StationEvent]:
        """The oldest events not yet done, locked so that one worker acts on those of an EVSE."""
        rows = self._db.execute(PENDING, {"at_most": limit, "leave": list(leave)})
        return [dataclasses.replace(from_plain(StationEvent, row.document), number=row.number) for row in rows]

    def done(self, number: int) -> None:
        """The event was acted on."""
        self._db.execute(DONE, {"done": number})
