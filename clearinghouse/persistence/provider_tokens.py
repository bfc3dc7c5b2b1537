"""The tokens of a provider: plain columns, changed by whole sets of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, bindparam, exists, select, text, tuple_

from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo
from clearinghouse.persistence.bulk import filled, temporary
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.provider_tables import provider_token
from clearinghouse.persistence.token_rows import line_of, row_of, spellings_of
from clearinghouse.services.provider_port import TokenLine

COLUMNS = tuple(column.name for column in provider_token.c)
INCOMING = temporary("incoming_provider_token", *(Column(each.name, each.type) for each in provider_token.c))
KEY = ("token_type", "representation", "token_key")
CONTENT = tuple(name for name in COLUMNS if name not in (*KEY, "uploaded", "refusal"))
_SAME_KEY = " AND ".join(f"incoming_provider_token.{name} = provider_token.{name}" for name in KEY)
_SAME = ", ".join(f"provider_token.{name}" for name in CONTENT)
_IS_SAME = f"({_SAME}) IS NOT DISTINCT FROM ({', '.join(f'incoming_provider_token.{name}' for name in CONTENT)})"
PUT = text(
    f"INSERT INTO provider_token ({', '.join(COLUMNS)}) "  # noqa: S608 - names of the schema
    f"SELECT DISTINCT ON ({', '.join(KEY)}) {', '.join(COLUMNS)} FROM incoming_provider_token "
    f"ORDER BY {', '.join(KEY)}, ctid DESC "
    f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in (*CONTENT, 'uploaded', 'refusal'))} "
    f"WHERE ({_SAME}) IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in CONTENT)})"
)
"""Rows of a copied table lie in the order in which they came, so that the last of equal tokens wins."""
EXPIRE_OTHERS = text(
    "UPDATE provider_token SET expiry_date = :now, uploaded = false, refusal = NULL "  # noqa: S608 - names of the schema
    f"WHERE expiry_date > :now AND NOT EXISTS (SELECT FROM incoming_provider_token WHERE {_SAME_KEY})"
)
SETTLE = text(
    "UPDATE provider_token SET uploaded = true, refusal = incoming_provider_token.refusal "  # noqa: S608 - names of the schema
    f"FROM incoming_provider_token WHERE {_SAME_KEY} AND {_IS_SAME}"
)
KEPT = select(exists(select(provider_token.c.token_key)))
FIND = (
    select(provider_token)
    .where(
        provider_token.c.token_type == bindparam("token_type"),
        tuple_(provider_token.c.representation, provider_token.c.token_key).in_(bindparam("spellings", expanding=True)),
    )
    .order_by(provider_token.c.expiry_date.desc())
)
IN_ORDER = select(provider_token).order_by(*(provider_token.c[name] for name in KEY))
CHANGED = IN_ORDER.where(~provider_token.c.uploaded).limit(bindparam("at_most"))
REFUSED = IN_ORDER.where(provider_token.c.refusal.is_not(None)).limit(bindparam("at_most"))
AT_ONCE = 5000


def _rows(
    lines: Iterable[RoamingAuthorisationInfo], refusals: dict[tuple[str, ...], str] | None = None
) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        row = row_of(line)
        why = (refusals or {}).get(tuple(row[name] for name in KEY))
        row |= {"uploaded": False, "refusal": why}
        yield tuple(row[name] for name in COLUMNS)


def _token_line(row: Row[Any]) -> TokenLine:
    return TokenLine(line=line_of(row), uploaded=row.uploaded, refusal=row.refusal)


class StoredProviderTokens:
    """Implements `ProviderTokens`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def is_kept(self) -> bool:
        """Whether there are any."""
        return bool(self._db.execute(KEPT).scalar_one())

    def find(self, token: EmtId) -> list[RoamingAuthorisationInfo]:
        """The lines of this token in any representation, those that expire last first."""
        values = {"token_type": token.token_type.value, "spellings": spellings_of(token)}
        return [line_of(row) for row in self._db.execute(FIND, values)]

    def put(self, lines: Iterable[RoamingAuthorisationInfo]) -> int:
        """Put lines over the list; returns how many are new or changed. The last of equal tokens wins."""
        filled(self._db, INCOMING, _rows(lines))
        return int(self._db.execute(PUT).rowcount)

    def expire_others(self, lines: Iterable[RoamingAuthorisationInfo], now: datetime) -> int:
        """Let every token expire that is not among these; returns how many."""
        filled(self._db, INCOMING, _rows(lines))
        return int(self._db.execute(EXPIRE_OTHERS, {"now": now}).rowcount)

    def changed(self, limit: int = 10_000) -> list[RoamingAuthorisationInfo]:
        """Lines that the house does not have as they are."""
        return [line_of(row) for row in self._db.execute(CHANGED, {"at_most": limit})]

    def settle(
        self, lines: Iterable[RoamingAuthorisationInfo], refused: Iterable[RoamingAuthorisationInfo], why: str
    ) -> None:
        """The house was told these lines and refused some; those changed meanwhile stay changed."""
        refusals = {tuple(row_of(each)[name] for name in KEY): why for each in refused}
        filled(self._db, INCOMING, _rows(lines, refusals))
        self._db.execute(SETTLE)

    def all(self, now: datetime | None = None) -> Iterator[TokenLine]:
        """Every line, or those that have not expired, one by one."""
        asked = IN_ORDER if now is None else IN_ORDER.where(provider_token.c.expiry_date > now)
        for row in self._db.execute(asked.execution_options(yield_per=AT_ONCE)):
            yield _token_line(row)

    def refused(self, limit: int = 100) -> list[TokenLine]:
        """Lines that the house refused."""
        return [_token_line(row) for row in self._db.execute(REFUSED, {"at_most": limit})]
