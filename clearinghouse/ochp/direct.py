"""OCHP-direct 0.1 and 0.2: endpoints and their tokens, sessions, and what partners tell about them.

The text of 0.1 that this project follows leaves out ReportDiscrepancy and the `ttl` of control, release and
inform; they are optional here, and nobody who leaves them out is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.cdrs import CdrPeriod
from clearinghouse.ochp.marks import Boxed, Nillable, Plain, Required, Since, Text, Until, When, message, named_type
from clearinghouse.ochp.results import DirectResult, DirectResultCode, Result
from clearinghouse.ochp.scalars import (
    Amperes,
    ContractId,
    ContractPattern,
    Currency,
    Day,
    DirectId,
    EvseId,
    EvsePattern,
    KilowattHours,
    Kilowatts,
    LocalDateTime,
    Money,
    UtcDateTime,
)
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1

NS_1_3, NS_1_4, NS_1_4_1 = V1_3.namespace, V1_4.namespace, V1_4_1.namespace


class DirectOperation(StrEnum):
    """What a provider may ask of a selected EVSE."""

    START = "start"
    CHANGE = "change"
    END = "end"


class DirectMessage(StrEnum):
    """What an operator tells about a session, in the order in which it happens."""

    START = "start"
    CHANGE = "change"
    INFO = "info"
    END = "end"
    FINISH = "finish"


NamespaceUrl = Annotated[
    str | None,
    Required(since=V1_4),
    When((Text(max=255),), until=V1_3),
    When((Text(max=255, values=(NS_1_3, NS_1_4)),), since=V1_4, until=V1_4),
    When((Text(max=255, values=(NS_1_3, NS_1_4_1)),), since=V1_4_1),
]
"""The dialect an endpoint speaks; absent, which 0.1 allows, it speaks 1.3."""


@named_type("DirectEndpoint")
@dataclass(frozen=True, kw_only=True)
class DirectEndpoint:
    """Where a partner's system listens, and the secret of one day to speak with it.

    0.1 says when the token ends (`valid_until`), 0.2 for which day it is (`valid_date`); `bridges` converts.
    """

    url: Annotated[str, Text(max=255, patterns=(r"https:\/\/.+",))]
    namespace_url: NamespaceUrl = None
    access_token: Annotated[str, Text(max=255)]
    valid_until: Annotated[UtcDateTime | None, Until(V1_3), Required(until=V1_3)] = None
    valid_date: Annotated[Day, Since(V1_4)]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url} for {self.valid_date}>"


@named_type("ProviderEndpoint")
@dataclass(frozen=True, kw_only=True, repr=False)
class ProviderEndpoint(DirectEndpoint):
    """A provider's MDM, and the contracts it answers for."""

    whitelist: Annotated[tuple[ContractPattern, ...], Required()]
    blacklist: tuple[ContractPattern, ...] = ()


@named_type("OperatorEndpoint")
@dataclass(frozen=True, kw_only=True, repr=False)
class OperatorEndpoint(DirectEndpoint):
    """An operator's CMS, and the EVSEs it answers for."""

    whitelist: Annotated[tuple[EvsePattern, ...], Required()]
    blacklist: tuple[EvsePattern, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class AddServiceEndpointsRequest:
    """A partner publishes where it listens."""

    provider_endpoint_array: tuple[ProviderEndpoint, ...] = ()
    operator_endpoint_array: tuple[OperatorEndpoint, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class AddServiceEndpointsResponse:
    """What the clearing house made of the endpoints; its description names refused ones."""

    result: Result


@message()
@dataclass(frozen=True, kw_only=True)
class GetServiceEndpointsRequest:
    """A partner asks where its roaming partners listen."""


@message()
@dataclass(frozen=True, kw_only=True)
class GetServiceEndpointsResponse:
    """The endpoints of all partners connected to the caller."""

    result: Result
    provider_endpoint_array: tuple[ProviderEndpoint, ...] = ()
    operator_endpoint_array: tuple[OperatorEndpoint, ...] = ()


@message("DirectEvseStatusRequest")
@dataclass(frozen=True, kw_only=True)
class GetEvseStatusRequest:
    """A provider asks an operator for the live status of these EVSEs."""

    requested_evse_id: Annotated[tuple[EvseId, ...], Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class ReportDiscrepancyRequest:
    """A provider tells an operator that something about an EVSE is not as described."""

    evse_id: EvseId
    report: Annotated[str, Text(max=2000)]


@message()
@dataclass(frozen=True, kw_only=True)
class ReportDiscrepancyResponse:
    """The report was received."""


@message()
@dataclass(frozen=True, kw_only=True)
class SelectEvseRequest:
    """A provider reserves an EVSE for one of its contracts; this opens the session."""

    evse_id: EvseId
    contract_id: ContractId
    reserve_until: Annotated[UtcDateTime | None, Since(V1_4)] = None


@message()
@dataclass(frozen=True, kw_only=True)
class SelectEvseResponse:
    """The session's id and the time until which the selection holds, on success."""

    result: DirectResult
    direct_id: DirectId | None = None
    ttl: UtcDateTime | None = None


@message()
@dataclass(frozen=True, kw_only=True)
class ControlEvseRequest:
    """A provider starts, changes or ends the charge; limits that are absent stay as they are."""

    direct_id: DirectId
    operation: Annotated[DirectOperation, Boxed("DirectOperation", "operation")]
    max_power: Kilowatts | None = None
    max_current: Annotated[Amperes | None, Since(V1_4)] = None
    one_phase: Annotated[bool | None, Since(V1_4)] = None
    max_energy: KilowattHours | None = None
    min_energy: Annotated[KilowattHours | None, Since(V1_4)] = None
    departure: Annotated[UtcDateTime | None, Since(V1_4)] = None


@message()
@dataclass(frozen=True, kw_only=True)
class ControlEvseResponse:
    """Whether the limits were applied, and the session's time-out. 0.1 always names the session."""

    result: DirectResult
    direct_id: Annotated[DirectId | None, Required(until=V1_3)] = None
    ttl: UtcDateTime | None = None


@message()
@dataclass(frozen=True, kw_only=True)
class ReleaseEvseRequest:
    """A provider gives the EVSE free; this closes the session."""

    direct_id: DirectId


@message()
@dataclass(frozen=True, kw_only=True)
class ReleaseEvseResponse:
    """Whether the EVSE was released. 0.1 always names the session."""

    result: DirectResult
    direct_id: Annotated[DirectId | None, Required(until=V1_3)] = None
    ttl: UtcDateTime | None = None


@named_type("MeterReading")
@dataclass(frozen=True, kw_only=True)
class MeterReading:
    """What the meter showed, in kWh, and when by the charge point's clock."""

    meter_value: KilowattHours
    meter_time: LocalDateTime


OK = DirectResult(result_code=DirectResultCode.OK)


@message(spelled={V1_3: "InformProviderRequest"})
@dataclass(frozen=True, kw_only=True)
class InformProviderMessage:
    """An operator tells about a session: on its own account, or (0.2) in answer to a provider's poll."""

    result: Annotated[DirectResult, Since(V1_4, assume=OK)] = OK
    message: Annotated[DirectMessage, Boxed("DirectMessage", "message")]
    evse_id: EvseId
    contract_id: ContractId
    direct_id: DirectId
    ttl: UtcDateTime | None = None
    max_power: Kilowatts | None = None
    max_current: Annotated[Amperes | None, Since(V1_4)] = None
    one_phase: Annotated[bool | None, Since(V1_4)] = None
    max_energy: KilowattHours | None = None
    min_energy: Annotated[KilowattHours | None, Since(V1_4)] = None
    departure: Annotated[UtcDateTime | None, Since(V1_4)] = None
    current_power: Kilowatts | None = None
    charged_energy: KilowattHours | None = None
    meter_reading: Annotated[MeterReading | None, Since(V1_4)] = None
    charging_periods: Annotated[tuple[CdrPeriod, ...], Since(V1_4)] = ()
    current_cost: Annotated[Money | None, Plain("float"), Since(V1_4)] = None
    currency: Annotated[Currency | None, Since(V1_4), Nillable()] = None


@message()
@dataclass(frozen=True, kw_only=True)
class InformProviderResponse:
    """The provider took note."""

    result: DirectResult


@message()
@dataclass(frozen=True, kw_only=True)
class InformProviderRequest:
    """A provider polls an operator for the newest about a session (0.2 only)."""

    direct_id: DirectId
