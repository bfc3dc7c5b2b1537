"""The conversion log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, RowMapping, bindparam, column, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import BigInteger, Text

from clearinghouse.ochp.versions import Version
from clearinghouse.persistence.conversion_tables import conversion
from clearinghouse.persistence.engine import Statements
from clearinghouse.services.conversion_port import Conversion, Shortfall

KEY = [item.name for item in fields(Shortfall)]
LONGEST = 200
"""Characters that are kept of a name."""

_types = {name: Boolean() if name == "left_out" else Text() for name in KEY} | {"times": BigInteger()}
_noted = (
    func.unnest(*(bindparam(f"all_{name}", type_=ARRAY(kind)) for name, kind in _types.items()))
    .table_valued(*(column(name, kind) for name, kind in _types.items()))
    .render_derived("noted")
)
NEW = insert(conversion).from_select(
    [*_types, "first_at", "last_at"],
    select(*(_noted.c[name] for name in _types), bindparam("now"), bindparam("now")).order_by(
        *(_noted.c[name] for name in KEY)
    ),
)
NOTE = NEW.on_conflict_do_update(
    index_elements=KEY,
    set_={"times": conversion.c.times + NEW.excluded.times, "last_at": NEW.excluded.last_at},
)
"""In the order of the key, so that two answers to one reader do not wait for each other in a circle."""

_ranked = select(
    *(conversion.c[name] for name in KEY),
    func.row_number().over(partition_by=conversion.c.partner, order_by=conversion.c.last_at.desc()).label("place"),
).subquery()
FORGET = delete(conversion).where(
    or_(
        conversion.c.last_at < bindparam("before"),
        tuple_(*(conversion.c[name] for name in KEY)).in_(
            select(*(_ranked.c[name] for name in KEY)).where(_ranked.c.place > bindparam("most"))
        ),
    )
)


def _line(row: RowMapping) -> Conversion:
    return Conversion(**{**row, "version": Version(row["version"])})


def _values(shortfall: Shortfall) -> dict[str, Any]:
    return vars(shortfall) | {"version": shortfall.version.value, "name": shortfall.name[:LONGEST]}


class StoredConversions:
    """Implements `ConversionLog`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def note(self, counted: Mapping[Shortfall, int], now: datetime) -> None:
        """Add these shortfalls, or count them, in one statement."""
        lines: dict[tuple[Any, ...], int] = {}
        for shortfall, times in counted.items():
            key = tuple(_values(shortfall)[name] for name in KEY)
            lines[key] = lines.get(key, 0) + times
        columns = zip(*((*key, times) for key, times in lines.items()), strict=True)
        given = {f"all_{name}": list(values) for name, values in zip(_types, columns, strict=True)}
        self._db.execute(NOTE, {**given, "now": now})

    def recent(self, partner: str | None = None, limit: int = 1000) -> list[Conversion]:
        """The lines of one reader or of all, the newest first."""
        statement = select(conversion).order_by(conversion.c.last_at.desc(), *(conversion.c[name] for name in KEY))
        if partner is not None:
            statement = statement.where(conversion.c.partner == partner)
        return [_line(row) for row in self._db.execute(statement.limit(limit)).mappings()]

    def forget(self, before: datetime, most: int) -> int:
        """Delete lines that did not come again since, and of every reader all but the newest `most`; how many."""
        return self._db.execute(FORGET, {"before": before, "most": most}).rowcount
