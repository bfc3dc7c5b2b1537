"""Who sees whose records: the one filter by roaming connection, as parts of the statements that read.

It is applied in SQL, in lists, deltas and single reads alike, so that nothing can be read past it.

A delta for a viewer has three parts: of parties in `connected`, the records whose change is not before `since`; of
those whose connection is not older than that, all records; and of parties in `disconnected`, as tombstones, the
records that were there before the connection ended. What came later the viewer never saw, and must not see now.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Exists, Select, and_, any_, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime, Text

from clearinghouse.ochp.operations import Role
from clearinghouse.persistence.changes import time_of
from clearinghouse.persistence.tables import connection_period as period

NOW = bindparam("now", type_=DateTime(timezone=True))
SINCE = bindparam("since", type_=DateTime(timezone=True))
VIEWERS = bindparam("viewer_ids", type_=ARRAY(Text))
KIND = bindparam("connection_kind", type_=Text())

BEGIN = func.greatest(time_of(period.c.begun).scalar_subquery(), period.c.valid_from)
END = func.least(time_of(period.c.ended).scalar_subquery(), period.c.valid_until)
HAS_BEGUN = or_(period.c.valid_from.is_(None), period.c.valid_from <= NOW)
IS_OVER = or_(period.c.ended.is_not(None), period.c.valid_until <= NOW)
IS_ACTIVE = and_(
    period.c.ended.is_(None),
    HAS_BEGUN,
    or_(period.c.valid_until.is_(None), period.c.valid_until > NOW),
)


def _sides(viewer: Role) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """The column with the viewer's own ID, and the one with the other party's."""
    pair = (period.c.operator_id, period.c.provider_id)
    return pair if viewer is Role.OPERATOR else pair[::-1]


@cache
def connected(viewer: Role) -> CTE:
    """Parties (`id`) that the viewer's IDs are connected to now, and since when (`since`).

    Parameters: `viewer_ids`, `connection_kind`, `now`.
    """
    ours, theirs = _sides(viewer)
    return (
        select(theirs.label("id"), func.min(BEGIN).label("since"))
        .where(ours == any_(VIEWERS), period.c.kind == KIND, IS_ACTIVE)
        .group_by(theirs)
        .cte("connected")
    )


@cache
def disconnected(viewer: Role) -> CTE:
    """Parties (`id`) whose last connection to the viewer's IDs ended at or after `since`, and when (`ended`).

    Parties that were only ever asked for are not among them. Parameters: as `connected`, and `since`. Use it beside
    `connected` in the same statement.
    """
    ours, theirs = _sides(viewer)
    still = connected(viewer)
    return (
        select(theirs.label("id"), func.max(END).label("ended"))
        .where(ours == any_(VIEWERS), period.c.kind == KIND, IS_OVER, BEGIN < END, END >= SINCE)
        .where(~exists(select(still.c.id).where(still.c.id == theirs)))
        .group_by(theirs)
        .cte("disconnected")
    )


@cache
def turned(viewer: Role) -> Select[Any]:
    """Parties of whose connections to the viewer's IDs any began or ended since then.

    It matters where what is seen depends on which of the viewer's IDs are connected. Parameters: as `disconnected`.
    """
    ours, theirs = _sides(viewer)
    has_turned = or_(and_(HAS_BEGUN, BEGIN >= SINCE), and_(IS_OVER, END >= SINCE))
    return select(theirs.label("id")).where(ours == any_(VIEWERS), period.c.kind == KIND, has_turned)


def roamed(operator_id: ColumnElement[str], provider_id: ColumnElement[str], at: ColumnElement[Any]) -> Exists:
    """Whether two parties are connected now, or were at an instant: what began under a connection outlives it.

    The period that they agreed on counts, also where they approved it later. Parameters: `connection_kind`, `now`.
    """
    agreed_from = func.coalesce(period.c.valid_from, time_of(period.c.begun).scalar_subquery())
    then = and_(agreed_from <= at, or_(END.is_(None), at < END))
    return exists(
        select(period.c.number).where(
            period.c.operator_id == operator_id,
            period.c.provider_id == provider_id,
            period.c.kind == KIND,
            or_(IS_ACTIVE, then),
        )
    )
