"""The roaming list: uploads as sets, lists and deltas for those who are connected, single look-ups by index."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Row,
    Select,
    and_,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import DateTime, Text

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.roaming_list import SHOWN_AFTER_EXPIRY, TokenKey, token_key
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.shape import made
from clearinghouse.ochp.tokens import (
    EmtId,
    Permission,
    Representation,
    RoamingAuthorisationInfo,
    TokenSubType,
    TokenType,
)
from clearinghouse.persistence.bulk import filled, overlapped, temporary
from clearinghouse.persistence.changes import changed_since, settle, stamped
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.prepared import Prepared
from clearinghouse.persistence.roaming_list_tables import KEY, live_authorisation, token_columns
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation as line
from clearinghouse.persistence.tables import change
from clearinghouse.persistence.visibility import NOW, SINCE, connected, disconnected
from clearinghouse.services.roaming_list_port import LiveAuthorisation
from clearinghouse.services.streams import ahead

OWNERS = bindparam("owners", type_=ARRAY(Text))
NUMBER = bindparam("new_number", type_=BigInteger)
NO_CONTRACT = "000000000"
"""The instance of a contract that a former partner may not see: the token has come to it since."""
SPELLINGS = 3
"""Under how many representations a list may have a token: as it is, and hashed in two ways."""
NONE = (None, None)
AT_ONCE = 2000
"""Rows that travel together while a list is read."""
FETCHING = ThreadPoolExecutor(2, "lines")
"""They wait for the next lines of a list while lines are written."""
TOGETHER = 10_000
"""Lines that are stored by one statement, while the next are read."""
ROOM = text("SET LOCAL work_mem = '64MB'")
"""So that what the lines of an upload are compared with stays in memory."""

# -- Uploads

uploaded = temporary("uploaded_token", *token_columns(), Column("place", BigInteger, nullable=False))
COLUMNS = [column.name for column in uploaded.c if column.name != "place"]
SAID = [name for name in COLUMNS if name not in KEY]
ENUMERATIONS = (TokenType, Representation, TokenSubType)
WORDS: dict[str | None, Any] = {None: None, **{each.value: each for kind in ENUMERATIONS for each in kind}}
TEXTS: dict[object, str | None] = {each: text for text, each in WORDS.items()}

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


# -- Answers

SHOWN = (
    line.c.instance,
    line.c.token_type,
    line.c.token_sub_type,
    line.c.representation,
    line.c.contract_id,
    func.array_to_string(line.c.permissions, ",").label("permissions"),
    line.c.printed_number,
    line.c.expiry_date,
)
"""Permissions as one text: the driver takes longer to read a list than all else in a line."""


@cache
def _permissions(text: str) -> tuple[Permission, ...]:
    return tuple(map(Permission, text.split(",")))


def _line(row: Sequence[Any]) -> RoamingAuthorisationInfo:
    instance, token_type, sub_type, representation, contract_id, permissions, printed_number, expiry_date = row
    token = {
        "instance": instance,
        "token_type": WORDS[token_type],
        "token_sub_type": WORDS[sub_type],
        "representation": WORDS[representation],
    }
    said = {
        "emt_id": made(EmtId, token),
        "contract_id": contract_id,
        "permissions": _permissions(permissions),
        "printed_number": printed_number,
        "expiry_date": expiry_date.astimezone(UTC),
    }
    return made(RoamingAuthorisationInfo, said)


def _visible() -> Select[Any]:
    provider = connected(Role.OPERATOR)
    return (
        select(*SHOWN)
        .join(provider, provider.c.id == line.c.provider_id)
        .where(line.c.expiry_date > bindparam("shown_from", type_=DateTime(timezone=True)))
    )


def _changed() -> Any:
    """Three parts: see `visibility`."""
    provider, former = connected(Role.OPERATOR), disconnected(Role.OPERATOR)
    whole = select(*SHOWN).join(provider, provider.c.id == line.c.provider_id).where(provider.c.since >= SINCE)
    some = (
        select(*SHOWN)
        .join(provider, provider.c.id == line.c.provider_id)
        .where(provider.c.since < SINCE, changed_since(line.c.change, SINCE))
    )
    first, newest = change.alias("first"), change.alias("newest")
    told: dict[str, Any] = {
        "contract_id": case(
            (newest.c.at >= former.c.ended, line.c.provider_id + NO_CONTRACT), else_=line.c.contract_id
        ),
        "printed_number": null(),
        "expiry_date": func.least(line.c.expiry_date, func.date_trunc("second", func.least(former.c.ended, NOW))),
    }
    gone = (
        select(*(told.get(column.name, column).label(column.name) for column in SHOWN))
        .join(former, former.c.id == line.c.provider_id)
        .join(first, first.c.number == line.c.first_change)
        .join(newest, newest.c.number == line.c.change)
        .where(first.c.at < former.c.ended)
    )
    return union_all(whole, some, gone)


def _find() -> Select[Any]:
    """By the token's key or one of the hashes of it; what there is none of is null, and finds nothing."""
    provider = connected(Role.OPERATOR)
    spelled = [
        and_(
            line.c.representation == bindparam(f"representation_{number}", type_=Text),
            line.c.instance_key == bindparam(f"key_{number}", type_=Text),
        )
        for number in range(SPELLINGS)
    ]
    hashed = [line.c[f"sha_{size}"] == bindparam(f"sha_{size}", type_=Text) for size in (160, 256)]
    return (
        select(*SHOWN)
        .join(provider, provider.c.id == line.c.provider_id)
        .join(change, change.c.number == line.c.change)
        .where(line.c.token_type == bindparam("type", type_=Text), or_(*spelled, *hashed))
        .order_by((line.c.expiry_date > NOW).desc(), change.c.at.desc(), line.c.change.desc())
        .limit(1)
    )


VISIBLE, CHANGED, FIND = _visible(), _changed(), Prepared(_find())
REMEMBER = insert(live_authorisation)


FORGET = (
    delete(line).where(line.c.expiry_date < bindparam("before")),
    delete(live_authorisation).where(live_authorisation.c.at < bindparam("before")),
)


class StoredRoamingLists:
    """Implements `RoamingLists`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(
        self,
        lines: Iterable[RoamingAuthorisationInfo],
        owners: Collection[str],
        now: datetime,
        *,
        replace: bool,
    ) -> int:
        """Store lines of providers `owners`, the last of several for one token; how many were given."""
        for owner in sorted(owners):
            self._db.execute(OWNERS_TURN, {"owner": owner})
        self._db.execute(ROOM)
        if replace:
            filled(self._db, named, ())
        with stamped(self._db, self._clock) as number:

            def put(batch: list[tuple[object, ...]]) -> None:
                filled(self._db, uploaded, batch)
                self._db.execute(PUT, {"new_number": number})
                if replace:
                    self._db.execute(NAME)

            count = overlapped(map(_row, lines, itertools.count()), TOGETHER, put)
            if replace and count:
                self._db.execute(EXPIRE, {"owners": sorted(owners), "now": now, "new_number": number})
        return count

    def visible(self, viewers: Collection[str], now: datetime) -> Iterator[RoamingAuthorisationInfo]:
        """The lines of connected providers, without those that expired long ago."""
        return self._lines(VISIBLE, viewers, now, shown_from=now - SHOWN_AFTER_EXPIRY)

    def changed(self, viewers: Collection[str], since: datetime, now: datetime) -> Iterator[RoamingAuthorisationInfo]:
        """What changed for these viewers since then: lines, and what they may not use any more as expired lines."""
        return self._lines(CHANGED, viewers, now, since=since)

    def _lines(
        self, statement: Any, viewers: Collection[str], now: datetime, **more: object
    ) -> Iterator[RoamingAuthorisationInfo]:
        settle(self._db)
        reading = statement.execution_options(stream_results=True, yield_per=AT_ONCE)
        parts: Iterator[Sequence[Row[Any]]] = self._db.execute(reading, {**_viewing(viewers, now), **more}).partitions()
        for rows in ahead(parts, FETCHING):
            yield from map(_line, rows)

    def find(self, viewers: Collection[str], key: TokenKey, now: datetime) -> RoamingAuthorisationInfo | None:
        """The line of a token in any representation: rather one that holds, rather a newer one."""
        spellings = [(key.representation, key.instance), *key.hashes.items()]
        given = dict(enumerate(spellings))
        sought = {
            "type": key.token_type.value,
            **{f"representation_{number}": TEXTS[given.get(number, NONE)[0]] for number in range(SPELLINGS)},
            **{f"key_{number}": given.get(number, NONE)[1] for number in range(SPELLINGS)},
            "sha_160": key.instance if key.representation is Representation.SHA_160 else None,
            "sha_256": key.instance if key.representation is Representation.SHA_256 else None,
        }
        row = FIND.one(self._db, {**_viewing(viewers, now), **sought})
        return None if row is None else _line(row)

    def remember(self, live: LiveAuthorisation) -> None:
        """Keep what was answered."""
        said = {name: value for name, value in vars(live).items() if name != "token"}
        token = {
            "token_type": live.token.token_type.value,
            "representation": live.token.representation.value,
            "instance": live.token.instance,
        }
        self._db.execute(REMEMBER, {**said, **token})

    def forget(self, before: datetime) -> int:
        """Delete lines that expired before, and what was answered to live requests before; how many."""
        return sum(self._db.execute(statement, {"before": before}).rowcount for statement in FORGET)


def _viewing(viewers: Collection[str], now: datetime) -> dict[str, object]:
    return {"viewer_ids": sorted(viewers), "connection_kind": ConnectionKind.AUTH.value, "now": now}
