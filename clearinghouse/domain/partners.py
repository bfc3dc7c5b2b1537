"""Partners of the house, the parties they act for, and the roaming connections between parties."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearinghouse.ochp.operations import Role


class MeterUnit(StrEnum):
    """The unit in which a partner writes meter readings (the specification contradicts itself)."""

    KWH = "kWh"
    WH = "Wh"


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A company with an account at the house; it owns operator and provider IDs of five characters each."""

    name: str
    operator_ids: frozenset[str] = frozenset()
    provider_ids: frozenset[str] = frozenset()
    enabled: bool = True
    meter_unit: MeterUnit = MeterUnit.KWH

    def ids_as(self, role: Role) -> frozenset[str]:
        """The party IDs under which the partner acts in a role."""
        return self.operator_ids if role is Role.OPERATOR else self.provider_ids

    @property
    def roles(self) -> frozenset[Role]:
        """The roles for which the partner owns at least one ID."""
        return frozenset(role for role in (Role.OPERATOR, Role.PROVIDER) if self.ids_as(role))


class ConnectionKind(StrEnum):
    """What a roaming connection lets through."""

    AUTH = "auth"
    CDR = "cdr"
    TARIFF = "tariff"
    POI = "poi"
    STATUS = "status"
    DIRECT = "direct"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Operator and provider want to roam, for one kind of data and a period; both have to approve.

    `valid_from` is included and `valid_until` is not; None is open.
    """

    operator_id: str
    provider_id: str
    kind: ConnectionKind
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    approved_by_operator: bool = False
    approved_by_provider: bool = False

    def is_active(self, now: datetime) -> bool:
        """Both sides approved, and the period includes `now`."""
        return (
            self.approved_by_operator
            and self.approved_by_provider
            and (self.valid_from is None or self.valid_from <= now)
            and (self.valid_until is None or now < self.valid_until)
        )


def connected_ids(
    connections: Iterable[Connection], own_ids: frozenset[str], role: Role, kind: ConnectionKind, now: datetime
) -> frozenset[str]:
    """The counterparties' IDs that a partner with `own_ids` in `role` is connected to."""
    if role is Role.OPERATOR:
        pairs = ((each, each.operator_id, each.provider_id) for each in connections)
    else:
        pairs = ((each, each.provider_id, each.operator_id) for each in connections)
    return frozenset(
        theirs for each, ours, theirs in pairs if ours in own_ids and each.kind is kind and each.is_active(now)
    )
