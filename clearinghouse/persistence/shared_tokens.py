"""Tokens that several providers claim, in one pass over the roaming list in the order of its key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation as line

_shared = (
    select(func.array_agg(aggregate_order_by(line.c.provider_id, line.c.provider_id)).label("provider_ids"))
    .where(line.c.expiry_date > bindparam("now"))
    .group_by(line.c.instance_key, line.c.token_type, line.c.representation)
    .having(func.count() > 1)
    .subquery()
)
COUNT = (
    select(_shared.c.provider_ids, func.count().label("tokens"))
    .group_by(_shared.c.provider_ids)
    .order_by(_shared.c.provider_ids)
)


class StoredSharedTokens:
    """Implements `SharedTokens`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def count(self, now: datetime) -> Mapping[tuple[str, ...], int]:
        """How many hold now, by the provider IDs that claim them, in order; a token and its hash count as two."""
        return {tuple(row.provider_ids): row.tokens for row in self._db.execute(COUNT, {"now": now})}
