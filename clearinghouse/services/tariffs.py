"""Tariffs at the house: operators upload them, each provider fetches what applies to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import Connection, ConnectionKind
from clearinghouse.domain.tariffs import OwnedTariff, RefusedTariff, as_seen_by, has_default, judge
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tariffs import (
    GetTariffUpdatesRequest,
    GetTariffUpdatesResponse,
    TariffInfo,
    UpdateTariffsRequest,
    UpdateTariffsResponse,
)
from clearinghouse.ochp.versions import Version
from clearinghouse.services.callers import UNCONNECTED, acting_as
from clearinghouse.services.calls_port import Caller, Handler
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.ports import Books, Store


@dataclass(frozen=True)
class TariffExchange:
    """UpdateTariffs and GetTariffUpdates (since OCHP 1.4)."""

    store: Store
    clock: Clock
    conversions: Conversions

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations served here."""
        return {op.UPDATE_TARIFFS: self.update, op.GET_TARIFF_UPDATES: self.get_updates}

    def update(self, request: UpdateTariffsRequest, caller: Caller, version: Version) -> UpdateTariffsResponse:
        """The tariffs are in force from now on; what they replace is kept for CDRs of before."""
        partner = acting_as(Role.OPERATOR, caller)
        accepted, refused = judge(request.tariff_info_array, partner.operator_ids)
        if accepted:
            with self.store.books() as books:
                books.tariffs.put(accepted)
        return UpdateTariffsResponse(
            result=_result(accepted, refused), refused_tariff_info=tuple(each.tariff for each in refused)
        )

    def get_updates(
        self, request: GetTariffUpdatesRequest, caller: Caller, version: Version
    ) -> GetTariffUpdatesResponse:
        """What applies to the caller: all that is in force, or what changed since then. Recipients are not told."""
        partner = acting_as(Role.PROVIDER, caller)
        ids, now = partner.provider_ids, self.clock()
        with self.store.books() as books:
            as_whom = _addressed(books.connections.all(ids), ids, now)
            found = _for_provider(books, ids, as_whom, now, request.last_update)
            tariffs = tuple(self.conversions.fit(found, version, partner, lambda each: each.tariff_id))
        if not tariffs and not as_whom:
            return GetTariffUpdatesResponse(result=UNCONNECTED)
        return GetTariffUpdatesResponse(
            result=Result.of(ResultCode.OK, f"{len(tariffs)} tariffs."), tariff_info_array=tariffs
        )


def _addressed(connections: Iterable[Connection], ids: frozenset[str], now: datetime) -> dict[str, frozenset[str]]:
    """By operator ID, those of the provider IDs that are connected to it for tariffs."""
    addressed: dict[str, frozenset[str]] = {}
    for each in connections:
        if each.kind is ConnectionKind.TARIFF and each.provider_id in ids and each.is_active(now):
            addressed[each.operator_id] = addressed.get(each.operator_id, frozenset()) | {each.provider_id}
    return addressed


def _for_provider(
    books: Books, ids: frozenset[str], as_whom: Mapping[str, frozenset[str]], now: datetime, since: datetime | None
) -> Iterator[TariffInfo]:
    """Every tariff with the entries for these providers alone; those that have none are not theirs to see."""
    stored = books.tariffs
    for each in stored.visible(ids, now) if since is None else stored.changed(ids, now, since):
        seen = as_seen_by(each, as_whom.get(party_id(each.tariff_id), frozenset()))
        if seen:
            yield seen


def _result(accepted: Sequence[OwnedTariff], refused: Sequence[RefusedTariff]) -> Result:
    """What the operator is told: reasons first, then a warning about tariffs that not everybody gets."""
    texts = [each.text for each in refused]
    texts += [
        f"Stored, but {each.tariff.tariff_id} has no entry for providers that it does not name"
        for each in accepted
        if not has_default(each.tariff)
    ]
    if not refused:
        code = ResultCode.OK
    else:
        code = ResultCode.PARTLY if accepted else refused[0].code
    return Result.of(code, "; ".join(texts))
