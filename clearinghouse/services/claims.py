"""What the operator's people see of its CDRs, and do with those that were declined or not taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.own_cdrs import OwnCdr, OwnCdrState, given_up, revised
from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.services.ports import Store


@dataclass(frozen=True)
class Claims:
    """Changes are uploaded by the operator's process, as soon as the house can be reached."""

    store: Store
    clock: Clock

    def find(self, states: Collection[OwnCdrState] = (), limit: int = 100, before: int | None = None) -> list[OwnCdr]:
        """The newest CDRs of these states, or of all; `before` continues below that number."""
        with self.store.single() as books:
            return books.own_cdrs.find(states, limit, before)

    def get(self, cdr_id: str) -> OwnCdr:
        """The CDR. Raises UnknownId."""
        with self.store.single() as books:
            return known(books.own_cdrs.get(cdr_id), cdr_id)

    def revise(self, cdr_id: str, prices: Mapping[BillingItem, Decimal]) -> OwnCdr:
        """Give the CDR new prices and let it be uploaded again. Raises UnknownId and Conflict."""
        return self._change(cdr_id, lambda cdr: revised(cdr, prices, self.clock()))

    def give_up(self, cdr_id: str) -> OwnCdr:
        """Drop the claim. Raises UnknownId and Conflict."""
        return self._change(cdr_id, lambda cdr: given_up(cdr, self.clock()))

    def _change(self, cdr_id: str, change: Callable[[OwnCdr], OwnCdr]) -> OwnCdr:
        with self.store.books() as books:
            changed = change(known(books.own_cdrs.get(cdr_id, lock=True), cdr_id))
            books.own_cdrs.save(changed)
        return changed


def known(cdr: OwnCdr | None, cdr_id: str) -> OwnCdr:
    """The CDR that was found. Raises UnknownId where there is none."""
    if cdr is None:
        raise UnknownId(f"there is no CDR {cdr_id!r}")
    return cdr
