"""A provider's copies of charge points, tariffs and live status."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.domain.tariffs import TariffVersion
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.identifiers import evse_key, tariff_key
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.provider_tables import known_point, known_status, known_tariff

AT_ONCE = 1000
_point, _status = insert(known_point), insert(known_status)
PUT_POINT = _point.on_conflict_do_update(index_elements=["evse_key"], set_={"document": _point.excluded.document})
PUT_STATUS = _status.on_conflict_do_update(
    index_elements=["evse_key"], set_={"ttl": _status.excluded.ttl, "document": _status.excluded.document}
)
POINT = select(known_point.c.document).where(known_point.c.evse_key == bindparam("key"))
IN_FORCE = select(known_tariff).where(known_tariff.c.valid_until.is_(None))
END = (
    update(known_tariff)
    .where(known_tariff.c.tariff_key == bindparam("ended"), known_tariff.c.valid_until.is_(None))
    .values(valid_until=bindparam("at"))
)
VERSIONS = select(known_tariff).where(known_tariff.c.tariff_key == bindparam("key")).order_by(known_tariff.c.valid_from)


class StoredDownloads:
    """Implements `Downloads`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def replace_points(self, points: Iterable[ChargePointInfo]) -> int:
        """Make these charge points the whole copy; returns how many they are."""
        self._db.execute(delete(known_point))
        return self.apply_points(points)

    def apply_points(self, points: Iterable[ChargePointInfo]) -> int:
        """Put new and changed charge points over the copy; returns how many they are."""
        rows = {_evse(each.evse_id): to_plain(each) for each in points}
        self._put(PUT_POINT, [{"evse_key": key, "document": document} for key, document in rows.items()])
        return len(rows)

    def points(
        self, *, operator_id: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, ChargePointInfo]]:
        """Charge points with their EVSE keys, in the order of these, after one."""
        asked = select(known_point).where(known_point.c.evse_key > after)
        if operator_id is not None:
            asked = asked.where(known_point.c.evse_key.startswith(operator_id, autoescape=True))
        rows = self._db.execute(asked.order_by(known_point.c.evse_key).limit(limit))
        return [(row.evse_key, from_plain(ChargePointInfo, row.document)) for row in rows]

    def point(self, evse_key: str) -> ChargePointInfo | None:
        """A charge point."""
        document = self._db.execute(POINT, {"key": evse_key}).scalar_one_or_none()
        return None if document is None else from_plain(ChargePointInfo, document)

    def apply_tariffs(self, tariffs: Iterable[TariffInfo], now: datetime) -> int:
        """Put new and changed tariffs over the copy, and keep what they replace; returns how many changed."""
        rows = {_tariff(each.tariff_id): to_plain(each) for each in tariffs}
        before = {row.tariff_key: row.document for row in self._db.execute(IN_FORCE)}
        changed = [key for key, document in rows.items() if before.get(key) != document]
        if changed:
            self._db.execute(END, [{"ended": key, "at": now} for key in changed])
            new = insert(known_tariff)
            replacing = new.on_conflict_do_update(
                index_elements=["tariff_key", "valid_from"],
                set_={"document": new.excluded.document, "valid_until": None},
            )
            self._put(replacing, [{"tariff_key": key, "valid_from": now, "document": rows[key]} for key in changed])
        return len(changed)

    def tariffs(
        self, *, operator_id: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, TariffInfo]]:
        """The tariffs in force with their keys, in the order of these, after one."""
        asked = IN_FORCE.where(known_tariff.c.tariff_key > after)
        if operator_id is not None:
            asked = asked.where(known_tariff.c.tariff_key.startswith(operator_id, autoescape=True))
        rows = self._db.execute(asked.order_by(known_tariff.c.tariff_key).limit(limit))
        return [(row.tariff_key, from_plain(TariffInfo, row.document)) for row in rows]

    def tariff_versions(self, tariff_key: str) -> tuple[TariffVersion, ...]:
        """Every version of a tariff that was seen, oldest first."""
        return tuple(
            TariffVersion(
                tariff=from_plain(TariffInfo, row.document), valid_from=row.valid_from, valid_until=row.valid_until
            )
            for row in self._db.execute(VERSIONS, {"key": tariff_key})
        )

    def apply_status(self, status: Iterable[EvseStatus]) -> int:
        """Put newer live status over the copy; returns how many EVSEs."""
        rows = {_evse(each.evse_id): (each.ttl, to_plain(each)) for each in status}
        self._put(PUT_STATUS, [{"evse_key": key, "ttl": ttl, "document": plain} for key, (ttl, plain) in rows.items()])
        return len(rows)

    def status(self, evse_keys: Collection[str], now: datetime) -> Mapping[str, EvseStatus]:
        """The live status of EVSEs that is still believed, by EVSE key."""
        asked = select(known_status).where(
            known_status.c.evse_key.in_(list(evse_keys)),
            or_(known_status.c.ttl.is_(None), known_status.c.ttl > now),
        )
        return {row.evse_key: from_plain(EvseStatus, row.document) for row in self._db.execute(asked)}

    def _put(self, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(rows), AT_ONCE):
            self._db.execute(statement, rows[start : start + AT_ONCE])


def _evse(evse_id: str) -> str:
    return evse_key(evse_id) or evse_id


def _tariff(tariff_id: str) -> str:
    return tariff_key(tariff_id) or tariff_id
