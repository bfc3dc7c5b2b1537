"""Charge data at the house: operators upload CDRs and look what became of them, providers fetch and confirm them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from clearinghouse.domain.cdr_life import DECLINED, WAITING, Move, is_repeat
from clearinghouse.domain.cdr_places import completed, is_incomplete
from clearinghouse.domain.cdrs import CdrChange, CdrKey, CdrRecord, key_of, moved
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import ConnectionKind, Partner, connected_ids
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.cdrs import (
    AddCdrsRequest,
    AddCdrsResponse,
    CdrInfo,
    CdrStatus,
    CheckCdrsRequest,
    CheckCdrsResponse,
    ConfirmCdrsRequest,
    ConfirmCdrsResponse,
    GetCdrsRequest,
    GetCdrsResponse,
)
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.versions import Version
from clearinghouse.services.callers import UNCONNECTED, acting_as
from clearinghouse.services.calls_port import Caller, Handler
from clearinghouse.services.cdr_upload import Implausible, Stored, TariffsOf, Upload, no_tariffs
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.streams import opened

AT_ONCE = 100
"""CDRs whose charge points are looked up together."""


@dataclass(frozen=True)
class CdrExchange:
    """AddCDRs, GetCDRs, CheckCDRs and ConfirmCDRs."""

    store: Store
    clock: Clock
    conversions: Conversions
    tariffs_of: TariffsOf = no_tariffs
    found: Callable[[str, Mapping[str, int]], None] = lambda partner, checks: None
    """Is told what the checks found in the CDRs that were taken of a partner: how many by the code of the check."""

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations and what serves them."""
        return {
            op.ADD_CDRS: self.add,
            op.GET_CDRS: self.get,
            op.CHECK_CDRS: self.check,
            op.CONFIRM_CDRS: self.confirm,
        }

    def add(self, request: AddCdrsRequest, caller: Caller, version: Version) -> AddCdrsResponse:
        """Store what is plausible, silently what is known already; return the rest in the version's form."""
        operator = acting_as(Role.OPERATOR, caller)
        with self.store.books() as books:
            upload = Upload(
                books=books, operator=operator, version=version, now=self.clock(), tariffs_of=self.tariffs_of
            )
            outcomes = upload.take(request.cdr_info_array)
        if findings := Counter(found for each in outcomes if isinstance(each, Stored) for found in each.codes):
            self.found(operator.name, findings)
        refused = [each for each in outcomes if isinstance(each, Implausible)]
        code = refused[0].code if refused else ResultCode.OK
        response = AddCdrsResponse(
            result=_verdict(len(outcomes), [str(each) for each in refused], code),
            implausible_cdrs_array=tuple(each.cdr for each in refused),
        )
        said, _ = fitted(response, version)
        return response if said is None else said

    def get(self, request: GetCdrsRequest, caller: Caller, version: Version) -> GetCdrsResponse:
        """The CDRs of the caller's contracts: unless told otherwise, those that wait for its decision."""
        provider = acting_as(Role.PROVIDER, caller)
        seen = Seen()
        said = opened(self._queue(seen, provider, version, request.cdr_status))
        result = self._result(seen, provider, Role.PROVIDER)
        return GetCdrsResponse(result=result, cdr_info_array=said)

    def _queue(self, seen: Seen, provider: Partner, version: Version, status: CdrStatus | None) -> Generator[CdrInfo]:
        """What a provider is told; when all of it was told, what it had not seen before is noted."""
        statuses = WAITING if status is None else {status}
        with self.store.books() as books:
            records = books.cdrs.for_provider(provider.provider_ids, statuses, self.clock())
            infos = with_places(books, seen.infos(records), version)
            for each in self.conversions.fit(infos, version, provider, _name):
                seen.told(each)
                yield each
            if seen.news:
                books.cdrs.shown(seen.news)

    def check(self, request: CheckCdrsRequest, caller: Caller, version: Version) -> CheckCdrsResponse:
        """The CDRs that the caller uploaded: unless told otherwise, those that were declined."""
        operator = acting_as(Role.OPERATOR, caller)
        seen = Seen()
        said = opened(self._own(seen, operator, version, request.cdr_status or DECLINED))
        result = self._result(seen, operator, Role.OPERATOR)
        return CheckCdrsResponse(result=result, cdr_info_array=said)

    def _own(self, seen: Seen, operator: Partner, version: Version, status: CdrStatus) -> Generator[CdrInfo]:
        with self.store.books() as books:
            records = books.cdrs.of_operator(operator.operator_ids, {status})
            yield from self.conversions.fit(seen.infos(records), version, operator, _name)

    def confirm(self, request: ConfirmCdrsRequest, caller: Caller, version: Version) -> ConfirmCdrsResponse:
        """Approve and decline, each CDR by itself; of a CDR that 1.3 repeats, only its ids count."""
        provider = acting_as(Role.PROVIDER, caller)
        wanted: dict[CdrKey, Move] = {}
        refused: dict[CdrKey, str] = {}
        for move, named in ((Move.APPROVE, request.approved), (Move.DECLINE, request.declined)):
            for key in map(key_of, named):
                if wanted.setdefault(key, move) is not move:
                    refused[key] = "it is both approved and declined"
        todo = {key: wanted[key] for key in sorted(wanted) if key not in refused}
        with self.store.books() as books:
            if todo:
                refused |= self._decide(books, todo, provider)
        reasons = [f"CDR {key.cdr_id} at {key.evse_key}: {why}" for key, why in refused.items()]
        return ConfirmCdrsResponse(result=_verdict(len(wanted), reasons, ResultCode.INVALID_ID))

    def _decide(self, books: Books, wanted: Mapping[CdrKey, Move], provider: Partner) -> dict[CdrKey, str]:
        """Make the decisions that are possible; why the others are not."""
        now = self.clock()
        known = books.cdrs.get(wanted, lock=True)
        visible = books.cdrs.visible(wanted, provider.provider_ids, now)
        refused: dict[CdrKey, str] = {}
        made: list[tuple[CdrRecord, CdrChange]] = []
        for key, move in wanted.items():
            record = known.get(key) if key in visible else None
            if record is None:
                refused[key] = "it is unknown"
            elif is_repeat(record.info.status, move):
                continue
            elif not record.is_known_to_provider:
                refused[key] = "it was revised since you fetched it; fetch it again"
            elif (done := moved(record, move, now, provider.name)) is None:
                refused[key] = f"it is {record.info.status}"
            else:
                made.append(done)
        if made:
            books.cdrs.put([record for record, _ in made], [change for _, change in made])
        return refused

    def _result(self, seen: Seen, partner: Partner, role: Role) -> Result:
        """Whether the partner has CDRs, or at least a connection for them."""
        own = partner.ids_as(role)
        if not seen.any:
            with self.store.books() as books:
                connections = books.connections.all(own)
            if not connected_ids(connections, own, role, ConnectionKind.CDR, self.clock()):
                return UNCONNECTED
        return Result.of(ResultCode.OK)


def with_places(books: Books, cdrs: Iterable[CdrInfo], version: Version) -> Iterator[CdrInfo]:
    """The CDRs with what they leave open and this version asks for, as far as the house knows their charge points."""
    waiting = iter(cdrs)
    while batch := list(islice(waiting, AT_ONCE)):
        points = books.charge_points.get({each.evse_id for each in batch if is_incomplete(each, version)})
        for each in batch:
            point = points.get(each.evse_id)
            yield completed(each, point, version) if point else each


class Seen:
    """What passed of the CDRs of an answer."""

    def __init__(self) -> None:
        self._unseen: dict[CdrKey, int] = {}
        self.any = False
        self.news: dict[CdrKey, int] = {}
        """The revisions, among those told, that the reader had not seen before."""

    def infos(self, records: Iterable[CdrRecord]) -> Iterator[CdrInfo]:
        """The CDRs of the records, as they are read."""
        for record in records:
            self.any = True
            if record.shown != record.revision:
                self._unseen[record.key] = record.revision
            yield record.info

    def told(self, cdr: CdrInfo) -> None:
        """The CDR is in the answer."""
        revision = self._unseen.pop(key_of(cdr), None)
        if revision is not None:
            self.news[key_of(cdr)] = revision


def _name(cdr: CdrInfo) -> str:
    return f"{cdr.cdr_id} at {cdr.evse_id}"


def _verdict(given: int, reasons: Sequence[str], code: ResultCode) -> Result:
    """The result of a request about several CDRs, of which some were refused for these reasons."""
    if not reasons:
        return Result.of(ResultCode.OK)
    return Result.of(ResultCode.PARTLY if len(reasons) < given else code, "; ".join(reasons))
