"""Uploads to the roaming list: lines come by COPY, and one statement for some thousands of them stores what differs."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    and_,
    any_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Text

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.roaming_list import token_key
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.tokens import Representation, RoamingAuthorisationInfo
from clearinghouse.persistence.bulk import filled, overlapped, temporary
from clearinghouse.persistence.changes import stamped
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.roaming_list_tables import KEY, TEXTS, token_columns
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation as line
from clearinghouse.persistence.visibility import NOW

OWNERS = bindparam("owners", type_=ARRAY(Text))
NUMBER = bindparam("new_number", type_=BigInteger)
TOGETHER = 10_000
"""Lines that are stored by one statement, while the next are read."""
ROOM = text("SET LOCAL work_mem = '64MB'")
"""So that what the lines of an upload are compared with stays in memory."""

uploaded = temporary("uploaded_token", *token_columns(), Column("place", BigInteger, nullable=False))
COLUMNS = [column.name for column in uploaded.c if column.name != "place"]
SAID = [name for name in COLUMNS if name not in KEY]

_ranked = select(
    *(uploaded.c[name] for name in COLUMNS),
    func.row_number()
    .over(partition_by=[uploaded.c[name] for name in KEY], order_by=uploaded.c.place.desc())
    .label("n"),
).subquery()
_last = select(*(_ranked.c[name] for name in COLUMNS)).where(_ranked.c.n == 1).cte("last")
_same_token = and_(*(line.c[name] == _last.c[name] for name in KEY))
_differs = tuple_(*(line.c[name] for name in SAID)).is_distinct_from(tuple_(*(_last.c[name] for name in SAID)))
NEW = upsert(line).from_select(
    [*COLUMNS, "change", "first_change"],
    select(*(_last.c[name] for name in COLUMNS), NUMBER, NUMBER)
    .select_from(_last.outerjoin(line, _same_token))
    .where(or_(line.c.change.is_(None), _differs)),
)
PUT = NEW.on_conflict_do_update(index_elements=KEY, set_={name: NEW.excluded[name] for name in (*SAID, "change")})
named = temporary("named_token", *token_columns()[: len(KEY)])
NAME = insert(named).from_select(list(KEY), select(*(uploaded.c[name] for name in KEY)))
EXPIRE = (
    update(line)
    .where(line.c.provider_id == any_(OWNERS), line.c.expiry_date > NOW)
    .where(~exists(select(literal(1)).where(*(line.c[name] == named.c[name] for name in KEY))))
    .values(expiry_date=func.date_trunc("second", NOW), change=NUMBER)
)
OWNERS_TURN = select(func.pg_advisory_xact_lock(0x0C4A_26E7, func.hashtext(bindparam("owner"))))
"""Uploads of one provider come one after the other."""


def _row(each: RoamingAuthorisationInfo, place: int) -> tuple[object, ...]:
    """The columns as texts wherever they have one: the driver takes longest to write lists and instants itself."""
    token, key = each.emt_id, token_key(each.emt_id)
    hashes = key.hashes
    return (
        key.instance,
        TEXTS[key.token_type],
        TEXTS[key.representation],
        party_id(each.contract_id),
        hashes.get(Representation.SHA_160),
        hashes.get(Representation.SHA_256),
        token.instance,
        TEXTS[token.token_sub_type],
        each.contract_id,
        f"{{{','.join(each.permissions)}}}",
        each.printed_number,
        f"{each.expiry_date.astimezone(UTC).replace(tzinfo=None).isoformat()}Z",
        place,
    )


def put(
    db: Statements,
    clock: Clock,
    lines: Iterable[RoamingAuthorisationInfo],
    owners: Collection[str],
    now: datetime,
    *,
    replace: bool,
) -> int:
    """Store lines of providers `owners`, the last of several for one token; how many were given.

    With `replace`, what they do not name expires.
    """
    for owner in sorted(owners):
        db.execute(OWNERS_TURN, {"owner": owner})
    db.execute(ROOM)
    if replace:
        filled(db, named, ())
    with stamped(db, clock) as number:

        def put_batch(batch: list[tuple[object, ...]]) -> None:
            filled(db, uploaded, batch)
            db.execute(PUT, {"new_number": number})
            if replace:
                db.execute(NAME)

        count = overlapped(map(_row, lines, itertools.count()), TOGETHER, put_batch)
        if replace and count:
            db.execute(EXPIRE, {"owners": sorted(owners), "now": now, "new_number": number})
    return count
