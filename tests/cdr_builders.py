"""Valid charge data, to be broken by one edit."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrPeriod, CdrStatus
from clearinghouse.ochp.connectors import (
    ChargePointType,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Ratings,
)
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.tokens import EmtId, Representation, TokenType

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
CET = timezone(timedelta(hours=1))
START = datetime(2027, 1, 10, 9, tzinfo=CET)
END = START + timedelta(hours=2)
EVSE = "DE*OPS*E1*1"
CONTRACT = "DE-PRO-C00000001"


def period(**changes: object) -> CdrPeriod:
    """Twenty kWh at 0.40."""
    usual = CdrPeriod(
        start_date_time=START,
        end_date_time=END,
        billing_item=BillingItem.ENERGY,
        billing_value=Decimal(20),
        item_price=Decimal("0.40"),
        period_cost=Decimal("8.00"),
    )
    return dataclasses.replace(usual, **changes)


def cdr(**changes: object) -> CdrInfo:
    """Two hours of charging at 22 kW for 8.00 EUR, as every version can say it."""
    usual = CdrInfo(
        cdr_id="DEOPS0001",
        evse_id=EVSE,
        emt_id=EmtId(instance="04A1B2C3", token_type=TokenType.RFID, representation=Representation.PLAIN),
        contract_id=CONTRACT,
        status=CdrStatus.NEW,
        start_date_time=START,
        end_date_time=END,
        charge_point_address=Address(address="Hafenstraße", city="Überlingen", zip_code="88662", country="DEU"),
        charge_point_type=ChargePointType.AC,
        connector_type=Connector(
            connector_standard=ConnectorStandard.IEC_62196_T2, connector_format=ConnectorFormat.SOCKET
        ),
        ratings=Ratings(maximum_power=Decimal(22)),
        charging_periods=(period(),),
        currency="EUR",
    )
    return dataclasses.replace(usual, **changes)


def cheaper(given: CdrInfo, **changes: object) -> CdrInfo:
    """The same charge at another price."""
    (usual,) = given.charging_periods
    less = dataclasses.replace(usual, item_price=Decimal("0.35"), period_cost=Decimal("7.00"))
    return dataclasses.replace(given, charging_periods=(less,), **changes)


def hours_later(given: CdrInfo, hours: float, **changes: object) -> CdrInfo:
    """The same charge at another time."""
    shift = timedelta(hours=hours)
    periods = tuple(
        dataclasses.replace(
            each, start_date_time=each.start_date_time + shift, end_date_time=each.end_date_time + shift
        )
        for each in given.charging_periods
    )
    return dataclasses.replace(
        given,
        start_date_time=given.start_date_time + shift,
        end_date_time=given.end_date_time + shift,
        charging_periods=periods,
        **changes,
    )
