"""Records of files into the store: at the house as a partner would upload them, at a partner into what it uploads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from clearinghouse.domain import charge_points, tariffs
from clearinghouse.domain.cdrs import key_of
from clearinghouse.domain.charge_points import RefusedPoint
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.own_cdrs import OwnCdr
from clearinghouse.domain.partners import Partner
from clearinghouse.domain.roaming_list import refusal
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import CdrInfo, CdrStatus
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.results import ACCEPTED
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.ochp.tokens import RoamingAuthorisationInfo
from clearinghouse.ochp.versions import NEWEST
from clearinghouse.services.callers import acting_as
from clearinghouse.services.calls_port import Handler
from clearinghouse.services.cdr_tariffs import tariffs_that_applied
from clearinghouse.services.cdr_upload import Implausible, Upload
from clearinghouse.services.charge_points import ChargePointExchange
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.records import Noun
from clearinghouse.services.roaming_list import RoamingList
from clearinghouse.services.tariffs import TariffExchange
from clearinghouse.services.token_upload import TokenUpload


@dataclass(frozen=True, kw_only=True)
class RefusedRecord:
    """A record that the rules do not let in, and why."""

    record: Any
    why: str


Refusals = Sequence[RefusedRecord]
Keep = Callable[[Refusals], bool]
"""Decides, with the refusals known, whether the other records are stored."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of records: those that were refused, whether the others were stored, and what was said of them."""

    refused: tuple[RefusedRecord, ...]
    stored: bool
    note: str = ""


# -- All or nothing ----------------------------------------------------------------------------------------------


def judged(records: Sequence[Any], refused: Refusals, keep: Keep, upload: Callable[[tuple[Any, ...]], str]) -> Imported:
    """Upload the records that were not refused, unless none is to be kept; `upload` tells what was said of them."""
    if not keep(refused):
        return Imported(refused=tuple(refused), stored=False)
    bad = {id(each.record) for each in refused}
    good = tuple(each for each in records if id(each) not in bad)
    return Imported(refused=tuple(refused), stored=True, note=upload(good) if good else "")


class NotKept(Exception):  # noqa: N818
    """Rolls a transaction back whose refusals are known."""


def tried(store: Store, keep: Keep, upload: Callable[[Books], Iterable[RefusedRecord]]) -> Imported:
    """Upload records, and roll that back where, by its refusals, nothing is to be kept."""
    refused: tuple[RefusedRecord, ...] = ()
    stored = False
    with suppress(NotKept), store.books() as books:
        refused = tuple(upload(books))
        if not keep(refused):
            raise NotKept
        stored = True
    return Imported(refused=refused, stored=stored)


UPLOADED_AS = frozenset({CdrStatus.NEW, CdrStatus.REVISED})

# -- At the house ------------------------------------------------------------------------------------------------


def refused_tokens(lines: Iterable[RoamingAuthorisationInfo], own_ids: frozenset[str]) -> list[RefusedRecord]:
    """The lines that no provider of these IDs may upload."""
    found = (refusal(line, own_ids) for line in lines)
    return [RefusedRecord(record=each.line, why=each.reason) for each in found if each]


def refused_points(points: Iterable[ChargePointInfo], own_ids: frozenset[str]) -> list[RefusedRecord]:
    """The charge points that no operator of these IDs may upload."""
    judged = charge_points.judge(points, own_ids)
    return [RefusedRecord(record=each.point, why=each.text) for each in judged if isinstance(each, RefusedPoint)]


def refused_tariffs(given: Iterable[TariffInfo], own_ids: frozenset[str]) -> list[RefusedRecord]:
    """The tariffs that no operator of these IDs may upload."""
    _, refused = tariffs.judge(given, own_ids)
    return [RefusedRecord(record=each.tariff, why=each.text) for each in refused]


JUDGES: Mapping[Noun, Callable[[Any, frozenset[str]], list[RefusedRecord]]] = {
    Noun.TOKENS: refused_tokens,
    Noun.CHARGE_POINTS: refused_points,
    Noun.TARIFFS: refused_tariffs,
}
"""What finds the records that an upload would refuse; CDRs are judged by what the house knows, as they are stored."""
UPLOADS: Mapping[tuple[Noun, bool], Operation] = {
    (Noun.TOKENS, False): op.UPDATE_ROAMING_AUTHORISATION_LIST,
    (Noun.TOKENS, True): op.SET_ROAMING_AUTHORISATION_LIST,
    (Noun.CHARGE_POINTS, False): op.UPDATE_CHARGE_POINT_LIST,
    (Noun.CHARGE_POINTS, True): op.SET_CHARGE_POINT_LIST,
    (Noun.TARIFFS, False): op.UPDATE_TARIFFS,
    (Noun.CDRS, False): op.ADD_CDRS,
}
"""The operation that takes records, as changes or as the whole list; tariffs and CDRs have no whole list."""


@dataclass(frozen=True)
class HouseImport:
    """Takes records as the operations of OCHP do: with their checks, their refusals, and deltas for readers."""

    store: Store
    clock: Clock
    actor: str

    def take(self, noun: Noun, records: Sequence[Any], partner: Partner, keep: Keep, *, whole: bool) -> Imported:
        """Upload records in the name of a partner; with `whole`, what it had and does not upload now is gone.

        The audit tells who did. Raises NotAuthorized where the partner has no IDs of the role.
        """
        imported = self._taken(noun, records, partner, keep, whole=whole)
        count = len(records) - len(imported.refused)
        if imported.stored and count:
            with self.store.single() as books:
                books.partners.note_import(partner.name, noun, count, self.actor)
        return imported

    def _taken(self, noun: Noun, records: Sequence[Any], partner: Partner, keep: Keep, *, whole: bool) -> Imported:
        operation = UPLOADS[noun, whole]
        (role,) = operation.by
        caller = acting_as(role, partner)
        if noun is Noun.CDRS:
            return tried(self.store, keep, lambda books: self._cdrs(books, records, caller))
        refused = JUDGES[noun](records, caller.ids_as(role))
        return judged(records, refused, keep, lambda good: self._uploaded(operation, good, caller))

    def _uploaded(self, operation: Operation, records: tuple[Any, ...], caller: Partner) -> str:
        """Let the house's own handler take the records; what it warns of."""
        (array,) = dataclasses.fields(operation.request)
        answer = self._handlers[operation](operation.request(**{array.name: records}), caller, NEWEST)
        said: str = answer.result.result_description
        return "" if said == ACCEPTED else said

    @property
    def _handlers(self) -> Mapping[Operation, Handler]:
        conversions = Conversions(self.store, self.clock)
        exchanges = (RoamingList, ChargePointExchange, TariffExchange)
        return {
            operation: handler
            for exchange in exchanges
            for operation, handler in exchange(self.store, self.clock, conversions).handlers.items()
        }

    def _cdrs(self, books: Books, cdrs: Sequence[CdrInfo], operator: Partner) -> Iterator[RefusedRecord]:
        """Store what is plausible, and tell the rest; what the house has just so is no upload, whatever its status."""
        kept = books.cdrs.get({key_of(each) for each in cdrs if each.status not in UPLOADED_AS})
        news = [each for each in cdrs if (there := kept.get(key_of(each))) is None or there.info != each]
        upload = Upload(
            books=books, operator=operator, version=NEWEST, now=self.clock(), tariffs_of=tariffs_that_applied
        )
        outcomes = upload.take(news)
        return (RefusedRecord(record=each.cdr, why=each.text) for each in outcomes if isinstance(each, Implausible))


# -- At a partner ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnTokenImport:
    """Puts tokens over a provider's own list, from which they are uploaded."""

    upload: TokenUpload
    own_ids: frozenset[str]

    def take(self, lines: Sequence[RoamingAuthorisationInfo], keep: Keep, *, whole: bool) -> Imported:
        """Put lines over the list; with `whole`, all other tokens expire."""

        def taken(good: tuple[RoamingAuthorisationInfo, ...]) -> str:
            return f"{self.upload.take(good, whole=whole)} new or changed"

        return judged(lines, refused_tokens(lines, self.own_ids), keep, taken)


@dataclass(frozen=True)
class OwnCdrImport:
    """Lets an operator claim charges that its stations here know nothing of."""

    store: Store
    clock: Clock
    own_ids: frozenset[str]

    def take(self, cdrs: Sequence[CdrInfo], keep: Keep) -> Imported:
        """Queue CDRs for the upload to the house; those that are here already, and the same, stay as they are."""
        return tried(self.store, keep, lambda books: self._queued(books, cdrs))

    def _queued(self, books: Books, cdrs: Sequence[CdrInfo]) -> Iterator[RefusedRecord]:
        """Add CDRs; those that cannot be."""
        for cdr in cdrs:
            if why := self._added(books, cdr):
                yield RefusedRecord(record=cdr, why=why)

    def _added(self, books: Books, cdr: CdrInfo) -> str | None:
        """Add a CDR, or tell why not."""
        if party_id(cdr.evse_id) not in self.own_ids:
            return f"the EVSE {cdr.evse_id} is not the operator's"
        if cdr.status not in UPLOADED_AS:
            return f"its status is {cdr.status}; an operator uploads CDRs as {' or '.join(sorted(UPLOADED_AS))}"
        before = books.own_cdrs.get(cdr.cdr_id)
        if before is None:
            now = self.clock()
            books.own_cdrs.add(OwnCdr(info=cdr, created_at=now, changed_at=now))
        elif before.info != cdr:
            return f"there is a CDR {cdr.cdr_id} with other content already"
        return None
