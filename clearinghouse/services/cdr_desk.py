"""What the house's people do with charge data: look, find what is missing, settle, and say how strict checks are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from clearinghouse.domain.cdr_life import Move
from clearinghouse.domain.cdrs import MONTH as MONTH_FORMAT
from clearinghouse.domain.cdrs import CdrChange, CdrRecord, LostSession, moved
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Conflict, Malformed, UnknownId
from clearinghouse.domain.plausibility import BY_CODE, CHECKS, Severity, Strictness, severities
from clearinghouse.domain.settlement import Balance, SettlementLine, netted
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.services.administration import ids_named, party_ids
from clearinghouse.services.cdrs_port import CdrFilter
from clearinghouse.services.ports import Store

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, kw_only=True)
class CdrFile:
    """A CDR with its history."""

    record: CdrRecord
    history: tuple[CdrChange, ...]


@dataclass(frozen=True, kw_only=True)
class MonthlySettlement:
    """What is owed for a month: by operator and provider ID, and what remains between partners."""

    lines: tuple[SettlementLine, ...]
    balances: tuple[Balance, ...]


@dataclass(frozen=True, kw_only=True)
class CheckSetting:
    """A check as it is set for the house or a pair."""

    code: str
    severity: Severity
    is_fixed: bool
    says: str


@dataclass(frozen=True)
class CdrDesk:
    """Charge data for the house's people; `actor` goes into histories and the audit log."""

    store: Store
    clock: Clock
    actor: str
    lost_after: timedelta

    def find(
        self,
        *,
        partner: str | None = None,
        statuses: Iterable[CdrStatus] = (),
        first_day: date | None = None,
        last_day: date | None = None,
        flagged: bool = False,
        limit: int = 100,
    ) -> list[CdrRecord]:
        """The newest charges; `partner` is a name, or an operator or provider ID. Raises UnknownId, Malformed."""
        with self.store.books() as books:
            wanted = CdrFilter(
                statuses=frozenset(statuses) or None,
                first_day=first_day,
                last_day=last_day,
                flagged=flagged,
                limit=limit,
            )
            if partner is not None:
                wanted = replace(wanted, party_ids=ids_named(books.partners.all(), partner))
            return books.cdrs.find(wanted)

    def show(self, cdr_id: str, evse_id: str | None = None) -> CdrFile:
        """A CDR with its history. Raises UnknownId, Conflict where the id is in use at several EVSEs."""
        with self.store.books() as books:
            found = books.cdrs.with_id(cdr_id)
            if evse_id is not None:
                found = [each for each in found if each.key.evse_key == evse_key(evse_id)]
            if not found:
                raise UnknownId(f"There is no CDR {cdr_id}" + (f" at {evse_id}." if evse_id else "."))
            if len(found) > 1:
                places = ", ".join(each.info.evse_id for each in found)
                raise Conflict(f"There are CDRs {cdr_id} at {places}: say which EVSE.")
            return CdrFile(record=found[0], history=tuple(books.cdrs.history(found[0].key)))

    def clarify(self, cdr_id: str, *, upheld: bool, why: str, evse_id: str | None = None) -> CdrRecord:
        """Decide about a declined CDR after talking to both sides (OCHP 1.3). Raises UnknownId, Conflict, Malformed."""
        if not why.strip():
            raise Malformed("Say why: it goes into the history.")
        key = self.show(cdr_id, evse_id).record.key
        with self.store.books() as books:
            record = books.cdrs.get([key], lock=True)[key]
            done = moved(record, Move.UPHOLD if upheld else Move.DISMISS, self.clock(), f"house: {self.actor}", why)
            if done is None:
                raise Conflict(f"CDR {cdr_id} is {record.info.status}; only declined CDRs are clarified.")
            books.cdrs.put([done[0]], [done[1]])
        return done[0]

    def lost(self, limit: int = 1000) -> list[LostSession]:
        """Sessions that the house relayed, begun `lost_after` ago or longer, for which no CDR came; oldest first."""
        with self.store.books() as books:
            return books.settlement.lost(self.clock() - self.lost_after, limit)

    def settlement(self, month: str | None = None) -> MonthlySettlement:
        """What is owed for a month, `2027-01`, or for the present one, from approved CDRs. Raises Malformed."""
        month = month or self.clock().strftime(MONTH_FORMAT)
        if not MONTH.fullmatch(month):
            raise Malformed(f"'{month}' is no month: write year and month, for example 2027-01.")
        with self.store.books() as books:
            lines = books.settlement.lines(month)
            partners = books.partners.all()
        operators = {each: partner.name for partner in partners for each in partner.operator_ids}
        providers = {each: partner.name for partner in partners for each in partner.provider_ids}
        return MonthlySettlement(lines=tuple(lines), balances=tuple(netted(lines, operators, providers)))

    def checks(self, operator_id: str | None = None, provider_id: str | None = None) -> list[CheckSetting]:
        """Every check as it is set for the house, or for a pair."""
        with self.store.books() as books:
            found = severities(books.cdr_evidence.strictness(), _party(operator_id) or "", _party(provider_id) or "")
        return [
            CheckSetting(code=each.code, severity=found[each.code], is_fixed=each.is_fixed, says=each.says)
            for each in CHECKS
        ]

    def set_check(
        self, code: str, severity: Severity, operator_id: str | None = None, provider_id: str | None = None
    ) -> None:
        """Set how grave a check is, for the house or a pair. Raises UnknownId, Malformed."""
        check = BY_CODE.get(code)
        if check is None:
            raise UnknownId(f"There is no check '{code}'.")
        if check.is_fixed:
            raise Malformed(f"The check '{code}' cannot be changed: ownership depends on it.")
        if (operator_id is None) is not (provider_id is None):
            raise Malformed("Name both the operator ID and the provider ID, or none of them.")
        setting = Strictness(
            code=code, severity=severity, operator_id=_party(operator_id), provider_id=_party(provider_id)
        )
        with self.store.books() as books:
            books.cdr_evidence.set_strictness(setting, self.clock(), self.actor)


def _party(text: str | None) -> str | None:
    return None if text is None else next(iter(party_ids([text])))
