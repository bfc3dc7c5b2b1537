"""What use cases need of the store for a provider's charges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.charges import Charge, ChargeEvent


class Charges(Protocol):
    """Charges of a provider and their history."""

    def add(self, charge: Charge) -> None:
        """Store a new charge. Raises Conflict where there is one of this id."""

    def get(self, charge_id: str, *, lock: bool = False) -> Charge | None:
        """The charge of this id."""

    def by_direct_id(self, direct_id: str, *, lock: bool = False) -> Charge | None:
        """The newest charge with this direct id."""

    def save(self, charge: Charge) -> None:
        """Replace the charge."""

    def find(
        self, *, contract_id: str | None = None, evse_id: str | None = None, limit: int = 100, before: str | None = None
    ) -> list[Charge]:
        """The newest charges first; `before` continues after the charge of that id."""

    def note(self, charge_id: str, at: datetime, kind: str, detail: Mapping[str, object]) -> ChargeEvent:
        """Append to the history."""

    def history(self, charge_id: str | None = None, after: int = 0, limit: int = 1000) -> list[ChargeEvent]:
        """Events of one charge or of all, after that number, oldest first."""

    def newest_event(self) -> int:
        """The number of the last event, 0 where there is none."""

    def remember(self, direct_id: str, message: str, meter_time: str) -> bool:
        """Whether this message is new: (direct id, message, meter time) is stored once."""
