"""The provider's side of direct sessions: charges for its customers, asked of operators."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clearinghouse.domain.charges import (
    STATE_AFTER,
    Charge,
    ChargeEvent,
    ChargeState,
    after_call,
)
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import (
    ClearinghouseError,
    Conflict,
    Malformed,
    NotFound,
    NotSupported,
    PartnerFailed,
    RefusedByPartner,
    UnknownId,
)
from clearinghouse.domain.sessions import NO_LIMITS, Limits
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    ControlEvseResponse,
    DirectOperation,
    GetEvseStatusRequest,
    ReleaseEvseRequest,
    ReportDiscrepancyRequest,
    SelectEvseRequest,
    SelectEvseResponse,
)
from clearinghouse.ochp.identifiers import evse_key, party_id
from clearinghouse.ochp.live import EvseStatus, GetStatusResponse
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.services.directory import Directory
from clearinghouse.services.partner_line import PartnerLine, Way
from clearinghouse.services.ports import Store

ABANDONED = timedelta(minutes=2)
"""After so long nobody waits any more for the answer to the SelectEvse of a charge."""

MOST_ASKED = 16
"""Operators asked for live status side by side."""

GOOD = frozenset({DirectResultCode.OK, DirectResultCode.PARTLY})


@dataclass(frozen=True)
class ProviderDesk:
    """Charges for the provider's app, and what operators answer about their EVSEs."""

    store: Store
    directory: Directory
    line: PartnerLine
    clock: Clock
    provider_ids: frozenset[str]

    def start(
        self,
        charge_id: str,
        evse_id: str,
        contract_id: str,
        limits: Limits = NO_LIMITS,
        *,
        reserve_until: datetime | None = None,
        start: bool = True,
    ) -> Charge:
        """Select the EVSE, and start the charge unless only a reservation is wanted.

        A charge of this id that exists is returned as it stands. Raises Malformed, NotSupported, Conflict, NotFound,
        RefusedByPartner, PartnerFailed; where the operator did not select, the charge is kept as failed. Whatever
        fails, the charge and its history say why.
        """
        if evse_key(evse_id) is None:
            raise Malformed(f"{evse_id} is not an EVSE-ID.")
        if party_id(contract_id) not in self.provider_ids:
            raise NotSupported("The contract does not belong to this provider.")
        charge, is_new = self._new_charge(charge_id, evse_id, contract_id)
        if not is_new:
            return charge
        request = SelectEvseRequest(evse_id=evse_id, contract_id=contract_id, reserve_until=reserve_until)
        with self._failing(charge, "failed", ChargeState.FAILED):
            answer: SelectEvseResponse = self._ask(op.SELECT_EVSE, request, evse_id)
            _expect(answer.result)
            if answer.direct_id is None:
                raise RefusedByPartner(DirectResultCode.SERVER, "The operator answered ok without a direct id.")
        selected = self._change(
            charge.id, "selected", state=ChargeState.SELECTED, direct_id=answer.direct_id, ttl=answer.ttl
        )
        return self.begin(selected.id, limits) if start else selected

    def begin(self, charge_id: str, limits: Limits = NO_LIMITS) -> Charge:
        """Start a selected charge. Raises as `start` does."""
        return self._control(charge_id, DirectOperation.START, limits)

    def change(self, charge_id: str, limits: Limits) -> Charge:
        """Put new limits on a charge. Raises as `start` does."""
        return self._control(charge_id, DirectOperation.CHANGE, limits)

    def stop(self, charge_id: str) -> Charge:
        """End a charge. Raises as `start` does."""
        return self._control(charge_id, DirectOperation.END, NO_LIMITS)

    def release(self, charge_id: str) -> Charge:
        """Give the EVSE free. Raises as `start` does."""
        charge = self.get(charge_id)
        request = ReleaseEvseRequest(direct_id=_direct_id(charge))
        with self._failing(charge, "release failed"):
            _expect(self._ask(op.RELEASE_EVSE, request, charge.evse_id).result)
        return self._change(charge.id, "released", state=ChargeState.RELEASED)

    def get(self, charge_id: str) -> Charge:
        """The charge. Raises UnknownId."""
        with self.store.single() as books:
            charge = books.charges.get(charge_id)
        if charge is None:
            raise UnknownId("There is no charge of this id.")
        return charge

    def find(
        self, *, contract_id: str | None = None, evse_id: str | None = None, limit: int = 100, before: str | None = None
    ) -> list[Charge]:
        """The newest charges first."""
        with self.store.single() as books:
            return books.charges.find(contract_id=contract_id, evse_id=evse_id, limit=limit, before=before)

    def history(self, charge_id: str, after: int = 0, limit: int = 1000) -> list[ChargeEvent]:
        """What happened to a charge, oldest first."""
        with self.store.single() as books:
            return books.charges.history(charge_id, after, limit)

    def events_after(self, number: int, limit: int) -> list[ChargeEvent]:
        """What happened to any charge after that event."""
        with self.store.single() as books:
            return books.charges.history(None, number, limit)

    def newest_event(self) -> int:
        """The number of the last event, 0 where there is none."""
        with self.store.single() as books:
            return books.charges.newest_event()

    def status(self, evse_ids: Sequence[str]) -> list[EvseStatus]:
        """Live status, asked of the responsible operators side by side; who does not answer is left out.

        Raises NotFound where no operator is responsible for any of them, PartnerFailed where none answers.
        """
        groups: defaultdict[Way, list[str]] = defaultdict(list)
        for each in evse_ids:
            with suppress(NotFound):
                groups[self.line.way(each, Role.OPERATOR)].append(each)
        if not groups:
            raise NotFound("No connected operator answers for any of these EVSEs today.")
        with ThreadPoolExecutor(min(len(groups), MOST_ASKED)) as pool:
            answers = list(pool.map(self._status_of, groups.values()))
        failures = [each for each in answers if isinstance(each, PartnerFailed)]
        if len(failures) == len(answers):
            raise failures[0]
        return [status for each in answers if not isinstance(each, PartnerFailed) for status in each]

    def _status_of(self, evse_ids: Sequence[str]) -> Sequence[EvseStatus] | PartnerFailed:
        request = GetEvseStatusRequest(requested_evse_id=tuple(evse_ids))
        try:
            answer: GetStatusResponse = self._ask(op.GET_EVSE_STATUS, request, evse_ids[0])
        except PartnerFailed as failure:
            return failure
        return tuple(answer.evse)

    def report(self, evse_id: str, text: str) -> None:
        """Tell the operator that something about an EVSE is wrong."""
        self._ask(op.REPORT_DISCREPANCY, ReportDiscrepancyRequest(evse_id=evse_id, report=text), evse_id)

    def operators(self) -> list[Endpoint]:
        """The operators' endpoints known now."""
        return [each for each in self.directory.snapshot().endpoints if each.role is Role.OPERATOR]

    # -- Parts ---------------------------------------------------------------------------------------------------

    def _new_charge(self, charge_id: str, evse_id: str, contract_id: str) -> tuple[Charge, bool]:
        """The charge of this id, and whether it is new. Raises Conflict."""
        now = self.clock()
        charge = Charge(
            id=charge_id,
            evse_id=evse_id,
            contract_id=contract_id,
            state=ChargeState.REQUESTED,
            created_at=now,
            changed_at=now,
            operator=party_id(evse_id),
        )
        try:
            with self.store.books() as books:
                books.charges.add(charge)
                books.charges.note(charge.id, now, "requested", {"evse_id": evse_id, "contract_id": contract_id})
        except Conflict:
            known = self.get(charge_id)
            if (known.evse_id, known.contract_id) != (evse_id, contract_id):
                raise Conflict("There is a charge of this id for another EVSE or contract.") from None
            return known, known.state is ChargeState.REQUESTED and now - known.changed_at >= ABANDONED
        return charge, True

    @contextmanager
    def _failing(self, charge: Charge, kind: str, state: ChargeState | None = None) -> Iterator[None]:
        """Write down why what the block does failed, whatever the reason."""
        try:
            yield
        except Exception as error:
            reason = str(error) if isinstance(error, ClearinghouseError) else "Internal error"
            self._change(charge.id, kind, state=state, reason=reason or type(error).__name__)
            raise

    def _control(self, charge_id: str, operation: DirectOperation, limits: Limits) -> Charge:
        charge = self.get(charge_id)
        request = ControlEvseRequest(direct_id=_direct_id(charge), operation=operation, **vars(limits))
        with self._failing(charge, f"{operation} failed"):
            answer: ControlEvseResponse = self._ask(op.CONTROL_EVSE, request, charge.evse_id)
            _expect(answer.result)
        partly = answer.result.result_code is DirectResultCode.PARTLY
        return self._change(
            charge.id,
            operation.value,
            state=STATE_AFTER.get(operation),
            ttl=answer.ttl,
            limits=limits if operation is not DirectOperation.END else None,
            reason=answer.result.result_description if partly else None,
        )

    def _change(
        self, charge_id: str, kind: str, *, state: ChargeState | None, reason: str | None = None, **stated: Any
    ) -> Charge:
        """Write what a call brought about: a state never goes back, and an absent value changes nothing.

        What is wrong with a charge is what was wrong with the last call about it.
        """
        now = self.clock()
        known = {name: value for name, value in stated.items() if value is not None}
        detail = known if reason is None else {**known, "reason": reason}
        with self.store.books() as books:
            charge = books.charges.get(charge_id, lock=True)
            if charge is None:
                raise UnknownId("There is no charge of this id.")
            if "limits" in known:
                known["limits"] = charge.limits.merged(known["limits"])
            changed = dataclasses.replace(
                charge, state=after_call(charge.state, state), changed_at=now, reason=reason, **known
            )
            books.charges.save(changed)
            books.charges.note(charge_id, now, kind, to_plain(detail))
        return changed

    def _ask(self, operation: Operation, request: Any, evse_id: str) -> Any:
        return self.line.call(operation, request, evse_id, Role.OPERATOR)


def _direct_id(charge: Charge) -> str:
    if charge.direct_id is None:
        raise UnknownId("The operator has not selected an EVSE for this charge.")
    return charge.direct_id


def _expect(result: DirectResult) -> None:
    if result.result_code not in GOOD:
        raise RefusedByPartner(result.result_code, result.result_description)
