"""What operators tell a provider about charges (OCHP-direct, InformProvider), written into its charges' books."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain.charges import Charge, ChargeState, distinction, is_about, told
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.informing import in_kwh
from clearinghouse.domain.partners import MeterUnit
from clearinghouse.domain.patterns import answers_for
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import InformProviderMessage, InformProviderResponse
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Caller, Handler, Peer
from clearinghouse.services.ports import Books, Store


@dataclass(frozen=True)
class InformDesk:
    """Serves operators at the provider's direct port."""

    store: Store
    clock: Clock
    provider_ids: frozenset[str]
    operators_in_wh: frozenset[str] = frozenset()
    """Operators whose messages carry the meter in Wh."""

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The operation of the provider's port and what serves it."""
        return {op.INFORM_PROVIDER: self.inform}

    def inform(self, request: InformProviderMessage, caller: Caller, version: Version) -> InformProviderResponse:
        """Take note of what an operator tells; the same message again changes nothing (OCHP-direct, InformProvider)."""
        if party_id(request.contract_id) not in self.provider_ids:
            return _informed(DirectResultCode.INVALID_ID, "The contract does not belong to this provider.")
        if not (isinstance(caller, Peer) and any(answers_for(each, request.evse_id) for each in caller.endpoints)):
            return _informed(DirectResultCode.INVALID_ID, "The caller does not answer for this EVSE.")
        now = self.clock()
        with self.store.books() as books:
            charge = self._told_about(books, request)
            if charge is not None and not is_about(request, charge):
                return _informed(DirectResultCode.INVALID_ID, "The direct id belongs to another EVSE or contract.")
            request = in_kwh(request, self._meter_unit(request.evse_id))
            if not books.charges.remember(request.direct_id, request.message.value, distinction(request)):
                return _informed(DirectResultCode.OK)
            if charge is None:
                charge = self._announced(request, now)
                books.charges.add(charge)
            books.charges.save(told(charge, request, now))
            books.charges.note(charge.id, now, request.message.value, to_plain(request))
        return _informed(DirectResultCode.OK)

    def _meter_unit(self, evse_id: str) -> MeterUnit:
        return MeterUnit.WH if party_id(evse_id) in self.operators_in_wh else MeterUnit.KWH

    def _told_about(self, books: Books, request: InformProviderMessage) -> Charge | None:
        """The charge a message is about, locked; also one whose SelectEvse is not answered yet."""
        charge = books.charges.by_direct_id(request.direct_id, lock=True)
        if charge is not None:
            return charge
        awaiting = books.charges.find(contract_id=request.contract_id, evse_id=request.evse_id, limit=1)
        if not awaiting or awaiting[0].state is not ChargeState.REQUESTED:
            return None
        charge = books.charges.get(awaiting[0].id, lock=True)
        if charge is None or charge.direct_id not in (None, request.direct_id):
            return None
        return dataclasses.replace(charge, direct_id=request.direct_id)

    def _announced(self, request: InformProviderMessage, now: datetime) -> Charge:
        return Charge(
            id=str(uuid.uuid4()),
            evse_id=request.evse_id,
            contract_id=request.contract_id,
            state=ChargeState.STARTING,
            created_at=now,
            changed_at=now,
            direct_id=request.direct_id,
            operator=party_id(request.evse_id),
            announced=True,
        )


def _informed(code: DirectResultCode, text: str = "") -> InformProviderResponse:
    return InformProviderResponse(result=DirectResult.of(code, text))
