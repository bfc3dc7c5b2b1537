"""The audit trail: who changed partners, credentials and connections, when, and to what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert

from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import audit


def record(db: Statements, at: datetime, actor: str, subject: str, name: str, **change: Any) -> None:
    """Append an entry, in the transaction of the change that it tells of. `change` is plain data without secrets."""
    entry = {"at": at, "actor": actor, "subject": subject, "name": name, "change": change}
    db.execute(insert(audit), entry)
