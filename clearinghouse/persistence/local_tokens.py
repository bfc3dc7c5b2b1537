"""An operator's copy of the roaming list: plain columns, changed by whole sets of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, bindparam, func, select, text, tuple_

from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo
from clearinghouse.persistence.bulk import filled, temporary
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.operator_tables import local_token
from clearinghouse.persistence.token_rows import line_of, row_of, spellings_of

COLUMNS = tuple(column.name for column in local_token.c)
INCOMING = temporary("incoming_token", *(Column(each.name, each.type) for each in local_token.c))
KEY = ("token_type", "representation", "token_key", "provider")
NAMES = ", ".join(COLUMNS)
CHANGES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in KEY)
PUT = text(
    f"INSERT INTO local_token ({NAMES}) "  # noqa: S608 - names of the schema
    f"SELECT DISTINCT ON ({', '.join(KEY)}) {NAMES} FROM incoming_token ORDER BY {', '.join(KEY)}, ctid DESC "
    f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {CHANGES}"
)
"""Rows of a copied table lie in the order in which they came, so that the last of equal tokens wins."""
SWEEP = text(
    "DELETE FROM local_token WHERE NOT EXISTS (SELECT FROM incoming_token WHERE "  # noqa: S608 - names of the schema
    + " AND ".join(f"incoming_token.{name} = local_token.{name}" for name in KEY)
    + ")"
)
FIND = (
    select(local_token)
    .where(
        local_token.c.token_type == bindparam("token_type"),
        tuple_(local_token.c.representation, local_token.c.token_key).in_(bindparam("spellings", expanding=True)),
    )
    .order_by(local_token.c.expiry_date.desc(), local_token.c.provider)
)
COUNT = select(func.count()).select_from(local_token).where(local_token.c.expiry_date > bindparam("now"))
ALL = select(func.count()).select_from(local_token)


def _rows(lines: Iterable[RoamingAuthorisationInfo]) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        row = row_of(line) | {"provider": party_id(line.contract_id)}
        yield tuple(row[name] for name in COLUMNS)


class StoredLocalTokens:
    """Implements `LocalTokens`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def replace(self, lines: Iterable[RoamingAuthorisationInfo]) -> int:
        """Make these lines the whole list; returns how many tokens it has. The last of equal tokens wins."""
        filled(self._db, INCOMING, _rows(lines))
        self._db.execute(SWEEP)
        self._db.execute(PUT)
        return int(self._db.execute(ALL).scalar_one())

    def apply(self, lines: Iterable[RoamingAuthorisationInfo]) -> int:
        """Put new and changed lines over the list; returns how many."""
        filled(self._db, INCOMING, _rows(lines))
        return int(self._db.execute(PUT).rowcount)

    def find(self, token: EmtId) -> list[RoamingAuthorisationInfo]:
        """The lines of this token in any representation, those that expire last first."""
        values = {"token_type": token.token_type.value, "spellings": spellings_of(token)}
        return [line_of(row) for row in self._db.execute(FIND, values)]

    def count(self, now: datetime) -> int:
        """How many lines have not expired."""
        return int(self._db.execute(COUNT, {"now": now}).scalar_one())
