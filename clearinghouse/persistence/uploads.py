"""What was uploaded to the house, and how far each chore is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, delete, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert

from clearinghouse.domain.status_upload import ToldStatus
from clearinghouse.domain.upkeep import Chore, Progress
from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.operator_tables import journal, told_status, upload
from clearinghouse.services.operator_port import Uploaded

LONGEST_ERROR = 500


def _put(table: Table) -> Insert:
    """Insert rows, or replace those of the same key."""
    new = insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
    return new.on_conflict_do_update(index_elements=keys, set_=rest)


PUT_UPLOAD = _put(upload)
PUT_STATUS = _put(told_status)
PUT_PROGRESS = _put(journal)
DOUBTFUL = select(told_status).where(
    or_(told_status.c.ttl <= bindparam("ending"), told_status.c.major != MajorStatus.AVAILABLE.value)
)


class StoredUploads:
    """Implements `Uploads`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def of(self, kind: str) -> dict[str, Uploaded]:
        """Everything uploaded of a kind, by key."""
        shown = (upload.c.key, upload.c.digest, upload.c.refusal)
        rows = self._db.execute(select(*shown).where(upload.c.kind == kind))
        return {row.key: Uploaded(key=row.key, digest=row.digest, refusal=row.refusal) for row in rows}

    def put(self, kind: str, uploaded: Sequence[Uploaded], now: datetime) -> None:
        """Note uploads; earlier ones of the same keys are replaced."""
        rows = [
            {"kind": kind, "key": each.key, "digest": each.digest, "refusal": each.refusal, "at": now}
            for each in uploaded
        ]
        if rows:
            self._db.execute(PUT_UPLOAD, rows)

    def drop(self, kind: str, keys: Collection[str]) -> None:
        """These objects are not there any more."""
        self._db.execute(delete(upload).where(upload.c.kind == kind, upload.c.key.in_(list(keys))))

    def told(self, ending: datetime) -> dict[str, ToldStatus]:
        """The live status that was uploaded last, by EVSE-ID as it was spelled: what ends by then, or is not available.

        What is left out is believed to be available for longer.
        """
        return {row.evse_id: _told(row) for row in self._db.execute(DOUBTFUL, {"ending": ending})}

    def told_ids(self) -> frozenset[str]:
        """Every EVSE-ID of which live status was uploaded."""
        return frozenset(self._db.execute(select(told_status.c.evse_id)).scalars())

    def tell(self, status: Sequence[EvseStatus]) -> None:
        """Note uploaded live status."""
        rows = [
            {"evse_id": each.evse_id, "major": each.major.value, "minor": each.minor, "ttl": each.ttl}
            for each in status
        ]
        if rows:
            self._db.execute(PUT_STATUS, rows)


def _told(row: Any) -> ToldStatus:
    minor = None if row.minor is None else MinorStatus(row.minor)
    return ToldStatus(major=MajorStatus(row.major), minor=minor, ttl=row.ttl)


class StoredJournals:
    """Implements `Journals`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def all(self) -> dict[Chore, Progress]:
        """Every chore that was ever tried."""
        rows = self._db.execute(select(journal)).mappings()
        return {Chore(row["chore"]): Progress(**{**row, "chore": Chore(row["chore"])}) for row in rows}

    def put(self, progress: Progress) -> None:
        """Replace what is noted of the chore."""
        row = {
            "chore": progress.chore.value,
            "succeeded_at": progress.succeeded_at,
            "tried_at": progress.tried_at,
            "failures": progress.failures,
            "error": None if progress.error is None else progress.error[:LONGEST_ERROR],
        }
        self._db.execute(PUT_PROGRESS, row)
