"""Connectors of an EVSE: their standards, what they are rated for, and how their meters sign."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.marks import UNUSED, Boxed, Range, Since, Text, members_since, members_spelled, named_type
from clearinghouse.ochp.scalars import Kilowatts, TariffId
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1


@members_since(
    SUPER_95=V1_4_1,
    SUPER_PLUS=V1_4_1,
    SUPER_E10=V1_4_1,
    DIESEL=V1_4_1,
    LPG=V1_4_1,
    CNG=V1_4_1,
    LNG=V1_4_1,
    H2=V1_4_1,
    ETHANOL=V1_4_1,
    ADBLUE=V1_4_1,
    OTHER=V1_4_1,
)
class ChargePointType(StrEnum):
    """What comes out: alternating or direct current, or one of the fuels of 1.4.1."""

    AC = "AC"
    DC = "DC"
    SUPER_95 = "Super_95"
    SUPER_PLUS = "Super_Plus"
    SUPER_E10 = "Super_E10"
    DIESEL = "Diesel"
    LPG = "LPG"
    CNG = "CNG"
    LNG = "LNG"
    H2 = "H2"
    ETHANOL = "Ethanol"
    ADBLUE = "AdBlue"
    OTHER = "Other"


UNUSED.append(Annotated[ChargePointType, Boxed("ChargePointType", "ChargePointType"), Since(V1_4_1)])


@members_since(
    LPG=V1_4_1,
    LNG=V1_4_1,
    CNG=V1_4_1,
    H2=V1_4_1,
    SUPER_95=V1_4_1,
    SUPER_PLUS=V1_4_1,
    SUPER_E10=V1_4_1,
    DIESEL=V1_4_1,
    ETHANOL=V1_4_1,
    ADBLUE=V1_4_1,
)
@members_spelled(V1_3, lambda value: value.replace("_", "-"))
class ConnectorStandard(StrEnum):
    """The standard of a socket, plug or nozzle; 1.3 writes hyphens."""

    CHADEMO = "Chademo"
    IEC_62196_T1 = "IEC_62196_T1"
    IEC_62196_T1_COMBO = "IEC_62196_T1_COMBO"
    IEC_62196_T2 = "IEC_62196_T2"
    IEC_62196_T2_COMBO = "IEC_62196_T2_COMBO"
    IEC_62196_T3A = "IEC_62196_T3A"
    IEC_62196_T3C = "IEC_62196_T3C"
    DOMESTIC_A = "DOMESTIC_A"
    DOMESTIC_B = "DOMESTIC_B"
    DOMESTIC_C = "DOMESTIC_C"
    DOMESTIC_D = "DOMESTIC_D"
    DOMESTIC_E = "DOMESTIC_E"
    DOMESTIC_F = "DOMESTIC_F"
    DOMESTIC_G = "DOMESTIC_G"
    DOMESTIC_H = "DOMESTIC_H"
    DOMESTIC_I = "DOMESTIC_I"
    DOMESTIC_J = "DOMESTIC_J"
    DOMESTIC_K = "DOMESTIC_K"
    DOMESTIC_L = "DOMESTIC_L"
    TESLA_R = "TESLA_R"
    TESLA_S = "TESLA_S"
    IEC_60309_2_SINGLE_16 = "IEC_60309_2_single_16"
    IEC_60309_2_THREE_16 = "IEC_60309_2_three_16"
    IEC_60309_2_THREE_32 = "IEC_60309_2_three_32"
    IEC_60309_2_THREE_64 = "IEC_60309_2_three_64"
    LPG = "LPG"
    LNG = "LNG"
    CNG = "CNG"
    H2 = "H2"
    SUPER_95 = "SUPER_95"
    SUPER_PLUS = "SUPER_PLUS"
    SUPER_E10 = "SUPER_E10"
    DIESEL = "DIESEL"
    ETHANOL = "ETHANOL"
    ADBLUE = "ADBLUE"


@members_since(NOZZLE=V1_4_1, OTHER=V1_4_1)
class ConnectorFormat(StrEnum):
    """Whether the driver brings the cable."""

    SOCKET = "Socket"
    CABLE = "Cable"
    NOZZLE = "Nozzle"
    OTHER = "Other"


class MeteringType(StrEnum):
    """Where signed meter values come from."""

    LOCAL = "local"
    SOFTWARE = "software"
    OTHER = "other"


VOLTS = Range(above=0, most=1000)


@named_type("ConnectorType")
@dataclass(frozen=True, kw_only=True)
class Connector:
    """A socket, plug or nozzle of an EVSE, and the tariff that applies to it."""

    connector_standard: Annotated[ConnectorStandard, Boxed("ConnectorStandard", "ConnectorStandard")]
    connector_format: Annotated[ConnectorFormat, Boxed("ConnectorFormat", "ConnectorFormat")]
    tariff_id: Annotated[TariffId | None, Since(V1_4)] = None


@named_type("RatingsType")
@dataclass(frozen=True, kw_only=True)
class Ratings:
    """What an EVSE is made for, in kW and volts."""

    maximum_power: Kilowatts
    guaranteed_power: Kilowatts | None = None
    nominal_voltage: Annotated[int, VOLTS] | None = None


Signed = Annotated[str, Text(min=1, max=255)]


@named_type("MeteringInfoType")
@dataclass(frozen=True, kw_only=True)
class MeteringInfo:
    """Signed meter values and the public keys to check them with, in pieces of 255 characters."""

    metering_type: MeteringType
    metering_vendor: Annotated[str, Text(min=1, max=32)]
    metering_vendor_version: Annotated[str, Text(min=1, max=32)]
    metering_data: tuple[Signed, ...] = ()
    metering_key: tuple[Signed, ...] = ()
