"""Valid records of every kind, to be edited by tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrPeriod, CdrStatus
from clearinghouse.ochp.charge_points import AuthMethod, ChargePointInfo
from clearinghouse.ochp.connectors import (
    ChargePointType,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    MeteringInfo,
    MeteringType,
    Ratings,
)
from clearinghouse.ochp.locations import Address, GeneralLocation, GeoPoint
from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo, TokenType

START = datetime(2027, 1, 10, 10, tzinfo=timezone(timedelta(hours=1)))
ADDRESS = Address(house_number="12", address="Main Road", city="Town", zip_code="12345", country="DEU")
TYPE_2 = Connector(connector_standard=ConnectorStandard.IEC_62196_T2, connector_format=ConnectorFormat.SOCKET)
COMBO = Connector(connector_standard=ConnectorStandard.IEC_62196_T2_COMBO, connector_format=ConnectorFormat.CABLE)
NOZZLE = Connector(connector_standard=ConnectorStandard.H2, connector_format=ConnectorFormat.NOZZLE)
METER = MeteringInfo(metering_type=MeteringType.LOCAL, metering_vendor="Example", metering_vendor_version="1")
PERIOD = CdrPeriod(
    start_date_time=START,
    end_date_time=START + timedelta(hours=1),
    billing_item=BillingItem.ENERGY,
    billing_value=Decimal(10),
    item_price=Decimal("0.5"),
)
CDR = CdrInfo(
    cdr_id="YYXYZ000001",
    evse_id="YY*XYZ*E1",
    emt_id=EmtId(instance="04A1B2C3D4E580", token_type=TokenType.RFID),
    contract_id="YYABCC00000003",
    status=CdrStatus.NEW,
    start_date_time=PERIOD.start_date_time,
    end_date_time=PERIOD.end_date_time,
    charge_point_address=ADDRESS,
    charge_point_type=ChargePointType.AC,
    connector_type=TYPE_2,
    ratings=Ratings(maximum_power=Decimal(22)),
    charging_periods=(PERIOD,),
    currency="EUR",
)
POINT = ChargePointInfo(
    evse_id="YY*XYZ*E1",
    location_id="PLACE 1",
    location_name="Place",
    location_name_lang="ENG",
    charge_point_address=ADDRESS,
    charge_point_location=GeoPoint(lat=Decimal(47), lon=Decimal(9)),
    location=GeneralLocation.PARKING_LOT,
    auth_methods=(AuthMethod.PUBLIC,),
    connectors=(TYPE_2,),
    charge_point_type=ChargePointType.AC,
)
TOKEN = RoamingAuthorisationInfo(
    emt_id=CDR.emt_id, contract_id=CDR.contract_id, expiry_date=datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC)
)


def cdr(**edits):
    """A CDR with these fields."""
    return replace(CDR, **edits)


def cdr_of(**edits):
    """A CDR whose one period has these fields."""
    return replace(CDR, charging_periods=(replace(PERIOD, **edits),))


def point(**edits):
    """A charge point with these fields."""
    return replace(POINT, **edits)


def token(permissions=TOKEN.permissions, **edits):
    """A line of the roaming list whose token has these fields."""
    return replace(TOKEN, permissions=permissions, emt_id=replace(TOKEN.emt_id, **edits))
