"""The roaming list: lists and deltas for those who are connected, single look-ups by index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, delete, func, insert, null, or_, select, union_all
from sqlalchemy.types import DateTime, Text

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.roaming_list import SHOWN_AFTER_EXPIRY, TokenKey
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.shape import made
from clearinghouse.ochp.tokens import EmtId, Permission, Representation, RoamingAuthorisationInfo
from clearinghouse.persistence.changes import changed_since, settle
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.prepared import Prepared
from clearinghouse.persistence.roaming_list_tables import TEXTS, WORDS, live_authorisation
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation as line
from clearinghouse.persistence.roaming_list_uploads import put
from clearinghouse.persistence.tables import change
from clearinghouse.persistence.visibility import NOW, SINCE, connected, disconnected
from clearinghouse.services.roaming_list_port import LiveAuthorisation
from clearinghouse.services.streams import ahead

NO_CONTRACT = "000000000"
"""The instance of a contract that a former partner may not see: the token has come to it since."""
SPELLINGS = 3
"""Under how many representations a list may have a token: as it is, and hashed in two ways."""
NONE = (None, None)
AT_ONCE = 2000
"""Rows that travel together while a list is read."""
FETCHING = ThreadPoolExecutor(2, "lines")
"""They wait for the next lines of a list while lines are written."""

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
        return put(self._db, self._clock, lines, owners, now, replace=replace)

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
