"""Charge data by number, in batches as operators send them, and the tariff by which its prices are checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from clearinghouse.ochp.cdrs import AddCdrsRequest, BillingItem, CdrInfo, CdrPeriod, CdrStatus
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard, Ratings
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.tariffs import (
    IndividualTariff,
    PriceComponent,
    TariffElement,
    TariffInfo,
    UpdateTariffsRequest,
)
from clearinghouse.ochp.tokens import EmtId, TokenSubType, TokenType
from clearinghouse.services.calls_port import Login
from tests.benchmarks.stencils import Message

BATCH = 100
LASTS = timedelta(hours=2)
CET = timezone(timedelta(hours=1))
PRICES = {BillingItem.ENERGY: Decimal("0.40"), BillingItem.PARKING_TIME: Decimal("1.20")}
"""Euros for a kilowatt-hour and for an hour."""
VALUES = {BillingItem.ENERGY: Decimal("18.75"), BillingItem.PARKING_TIME: Decimal(2)}
START, END = datetime(2001, 1, 1, 1, tzinfo=CET), datetime(2001, 1, 1, 3, tzinfo=CET)


def cdr() -> CdrInfo:
    """Two hours of charging, with the energy and the time billed."""
    return CdrInfo(
        cdr_id="DEBEN000077777777",
        evse_id="DE*BEN*E77777777",
        emt_id=EmtId(instance="66666666", token_type=TokenType.RFID, token_sub_type=TokenSubType.MIFARE_DESFIRE),
        contract_id="DE-PRV-C77777777",
        status=CdrStatus.NEW,
        start_date_time=START,
        end_date_time=END,
        duration=LASTS,
        charge_point_address=Address(
            house_number="12-14", address="Bahnhofstraße", city="Überlingen", zip_code="88662", country="DEU"
        ),
        charge_point_type=ChargePointType.AC,
        connector_type=Connector(
            connector_standard=ConnectorStandard.IEC_62196_T2,
            connector_format=ConnectorFormat.SOCKET,
            tariff_id="DE*BEN*T1",
        ),
        ratings=Ratings(maximum_power=Decimal(22)),
        meter_id="METER-77777777",
        charging_periods=tuple(
            CdrPeriod(
                start_date_time=START,
                end_date_time=END,
                billing_item=item,
                billing_value=VALUES[item],
                item_price=price,
                period_cost=VALUES[item] * price,
                taxrate=19,
            )
            for item, price in PRICES.items()
        ),
        total_cost=sum((VALUES[item] * price for item, price in PRICES.items()), Decimal(0)),
        currency="EUR",
    )


def tariff(operator_id: str) -> UpdateTariffsRequest:
    """What the operator asks for a charge."""
    elements = tuple(
        TariffElement(price_component=PriceComponent(billing_item=item, item_price=price, step_size=Decimal(0)))
        for item, price in PRICES.items()
    )
    prices = IndividualTariff(tariff_element=elements, currency="EUR")
    name = f"{operator_id[:2]}*{operator_id[2:]}*T1"
    return UpdateTariffsRequest(tariff_info_array=(TariffInfo(tariff_id=name, individual_tariff=(prices,)),))


ADD = Message.of(
    AddCdrsRequest(cdr_info_array=(cdr(),)),
    {
        "DEBEN": b"DE%(party)b",
        "DE*BEN*": b"DE*%(party)b*",
        "77777777": b"%(number)08d",
        "66666666": b"%(number)08X",
        START.isoformat(): b"%(start)b",
        END.isoformat(): b"%(end)b",
    },
)


def batch(login: Login, operator_id: str, first: int, start: datetime) -> bytes:
    """The envelope of CDRs `first` to `first + BATCH` of an operator, all of charges from `start` on."""
    times = (f"{each.astimezone(CET):%Y-%m-%dT%H:%M:%S}+01:00".encode() for each in (start, start + LASTS))
    said: dict[bytes, Any] = dict(zip((b"start", b"end"), times, strict=True)) | {b"party": operator_id[2:].encode()}
    return b"".join(ADD.stream(login, range(first, first + BATCH), lambda number: said | {b"number": number}))


def batches(logins: Sequence[tuple[Login, str]], first: int, start: datetime) -> Any:
    """One batch after the other, of the operators by turns, with CDRs from number `first` on."""
    while True:
        for login, operator_id in logins:
            yield batch(login, operator_id, first, start)
            first += BATCH
