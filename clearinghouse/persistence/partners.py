"""Partners and their party IDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ScalarSelect, Select, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Conflict, UnknownId
from clearinghouse.domain.partners import MeterUnit, Partner
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import to_plain
from clearinghouse.persistence import audit
from clearinghouse.persistence.endpoints import BUMP
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.prepared import Prepared
from clearinghouse.persistence.tables import credential, partner, party


def _ids(role: Role) -> ScalarSelect[Any]:
    ids = select(func.array_agg(party.c.id)).where(party.c.partner == partner.c.name, party.c.role == role.value)
    return ids.correlate(partner).scalar_subquery().label(role.value)  # type: ignore[return-value]


PARTNER: Select[Any] = select(
    partner.c.name, partner.c.enabled, partner.c.meter_unit, _ids(Role.OPERATOR), _ids(Role.PROVIDER)
)
ADD = insert(partner).on_conflict_do_nothing().returning(partner.c.name)
ADD_ID = insert(party).on_conflict_do_nothing().returning(party.c.id)
BY_NAME = PARTNER.where(partner.c.name == bindparam("name"))
BY_USERNAME = Prepared(
    PARTNER.add_columns(credential.c.password_hash)
    .join(credential, credential.c.partner == partner.c.name)
    .where(
        credential.c.username == bindparam("username"),
        credential.c.revoked_at.is_(None),
        or_(credential.c.expires_at.is_(None), credential.c.expires_at > bindparam("now")),
    )
    .order_by(credential.c.id.desc())
)


def _partner(row: Sequence[Any]) -> Partner:
    name, enabled, meter_unit, operator_ids, provider_ids = row
    return Partner(
        name=name,
        enabled=enabled,
        meter_unit=MeterUnit(meter_unit),
        operator_ids=frozenset(operator_ids or ()),
        provider_ids=frozenset(provider_ids or ()),
    )


class StoredPartners:
    """Implements `Partners`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def add(self, new: Partner, actor: str) -> None:
        """Create the partner. Raises Conflict where its name or one of its IDs is taken."""
        row = {"name": new.name, "enabled": new.enabled, "meter_unit": new.meter_unit.value}
        if self._db.execute(ADD, row).first() is None:
            raise Conflict(f"a partner named {new.name!r} exists already")
        self._put_ids(new)
        audit.record(self._db, self._clock(), actor, "partner", new.name, added=to_plain(new))

    def change(self, new: Partner, actor: str) -> None:
        """Replace the partner of this name. Raises UnknownId, Conflict."""
        values = {"enabled": new.enabled, "meter_unit": new.meter_unit.value}
        if not self._db.execute(update(partner).where(partner.c.name == new.name).values(values)).rowcount:
            raise _unknown(new.name)
        self._db.execute(delete(party).where(party.c.partner == new.name))
        self._put_ids(new)
        self._db.execute(BUMP)  # whose endpoints are good depends on the partner
        audit.record(self._db, self._clock(), actor, "partner", new.name, changed=to_plain(new))

    def note_import(self, name: str, noun: str, count: int, actor: str) -> None:
        """Note for the audit that the house's own people uploaded records in the name of the partner."""
        audit.record(self._db, self._clock(), actor, "partner", name, imported={noun: count})

    def _put_ids(self, new: Partner) -> None:
        rows = [
            {"id": each, "role": role.value, "partner": new.name}
            for role in (Role.OPERATOR, Role.PROVIDER)
            for each in sorted(new.ids_as(role))
        ]
        for row in rows:
            if self._db.execute(ADD_ID, row).first() is None:
                raise Conflict(f"the {row['role']} ID {row['id']!r} is another partner's")

    def get(self, name: str) -> Partner:
        """The partner of this name. Raises UnknownId."""
        row = self._db.execute(BY_NAME, {"name": name}).one_or_none()
        if row is None:
            raise _unknown(name)
        return _partner(row)

    def all(self) -> list[Partner]:
        """Every partner, by name."""
        return [_partner(row) for row in self._db.execute(PARTNER.order_by(partner.c.name))]

    def by_username(self, username: str) -> list[tuple[Partner, str]]:
        """The partner with this user name and the hash of each of its valid passwords, newest first."""
        rows = BY_USERNAME.all(self._db, {"username": username, "now": self._clock()})
        return [(_partner(said), password_hash) for *said, password_hash in rows]


def _unknown(name: str) -> UnknownId:
    return UnknownId(f"there is no partner named {name!r}")
