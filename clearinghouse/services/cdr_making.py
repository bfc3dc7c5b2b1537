"""The CDR of a session: where and when it was, what was used, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clearinghouse.domain.bare_points import bare_point
from clearinghouse.domain.billing import Stay, bill_of, stay_of
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.informing import Bill
from clearinghouse.domain.own_cdrs import OwnCdr
from clearinghouse.domain.sessions import Session
from clearinghouse.ochp.cdrs import CdrInfo, CdrStatus
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.ochp.tokens import EmtId, TokenType
from clearinghouse.services.ports import Books

LONGEST = timedelta(hours=1000)
"""A duration on the wire is shorter."""


@dataclass(frozen=True, kw_only=True)
class CdrMaker:
    """Bills sessions by the operator's data: its charge points by EVSE key, its tariffs by id, its usual currency."""

    clock: Clock
    charge_points: Mapping[str, ChargePointInfo]
    tariffs: Mapping[str, TariffInfo] = field(default_factory=dict)
    currency: str = "EUR"

    def claim(self, books: Books, session: Session) -> OwnCdr:
        """Store the CDR of a session that charged, to be uploaded next; a session is claimed once."""
        known = books.own_cdrs.of_session(session.direct_id)
        if known is not None:
            return known
        now = self.clock()
        cdr = OwnCdr(
            info=self.info(session, cdr_id(session.evse_id, books.own_cdrs.new_number(), now)),
            direct_id=session.direct_id,
            created_at=now,
            changed_at=now,
        )
        books.own_cdrs.add(cdr)
        return cdr

    def info(self, session: Session, cdr_id: str) -> CdrInfo:
        """The CDR as it is uploaded: its times by the EVSE's wall clock, its start that of the selection."""
        point = self.charge_points.get(session.evse_key) or bare_point(session.evse_id)
        rating = point.ratings.maximum_power if point.ratings else None
        stay = stay_of(session, rating, point.time_zone or "UTC")
        bill = self.bill(session, stay, point)
        start, end = stay.selected_at, stay.ended_at
        return CdrInfo(
            cdr_id=cdr_id,
            evse_id=session.evse_id,
            emt_id=token_of(session),
            contract_id=session.contract_id,
            live_auth_id=session.live_auth_id,
            status=CdrStatus.NEW,
            start_date_time=start,
            end_date_time=end,
            duration=end - start if end - start < LONGEST else None,
            charge_point_address=point.charge_point_address,
            charge_point_type=point.charge_point_type,
            connector_type=point.connectors[0],
            ratings=point.ratings,
            charging_periods=bill.periods,
            total_cost=bill.cost,
            currency=bill.currency,
        )

    def bill(self, session: Session, stay: Stay, point: ChargePointInfo) -> Bill:
        """What the session costs by the tariff of its connector; nothing where it has none."""
        tariff = self.tariffs.get(point.connectors[0].tariff_id or "")
        return bill_of(stay, tariff, party_id(session.contract_id), self.currency)


def cdr_id(evse_id: str, number: int, now: datetime) -> str:
    """An id that starts with the operator's (OCHP 1.4, CdrId); the day keeps it unique should numbers begin anew."""
    return f"{party_id(evse_id)}{now:%Y%m%d}{number:08}"


def token_of(session: Session) -> EmtId:
    """What the driver identified with: in direct sessions their id (OCHP-direct, CDR), else the card."""
    if session.direct or session.token is None:
        return EmtId(instance=session.direct_id, token_type=TokenType.REMOTE)
    return session.token
