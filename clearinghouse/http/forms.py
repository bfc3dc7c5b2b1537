"""The JSON forms of the values that the APIs take and show: camelCase names, numbers as numbers, instants in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from clearinghouse.domain.charges import ChargeState
from clearinghouse.domain.sessions import Limits, State
from clearinghouse.ochp.direct import DirectMessage
from clearinghouse.ochp.identifiers import contract_key, evse_key
from clearinghouse.ochp.live import MajorStatus, MinorStatus
from clearinghouse.ochp.versions import Version


class Form(BaseModel):
    """A JSON object whose members are spelled in camelCase and read from attributes of the same snake_case name."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, from_attributes=True)


class StrictForm(Form):
    """A JSON object sent to us: members that nobody knows are errors, not wishes that are lost."""

    model_config = ConfigDict(extra="forbid")


def _number(value: Any) -> Any:
    if isinstance(value, (str, bool)):
        raise ValueError("a JSON number is needed")  # noqa: TRY004 - what pydantic turns into a fault
    return value


def _evse_id(value: str) -> str:
    if evse_key(value) is None:
        raise ValueError("this is no EVSE-ID (as DE*ABC*E1234 or DEABCE1234)")
    return value


def _contract_id(value: str) -> str:
    key = contract_key(value)
    if len(key) != CONTRACT_KEY or not (key.isascii() and key.isalnum() and key[:2].isalpha()):
        raise ValueError("this is no Contract-ID (as DE-ABC-C12345678-X or DEABCC12345678X)")
    return value


CONTRACT_KEY = 14
SHOWN = PlainSerializer(float, return_type=float, when_used="json")
Number = Annotated[Decimal, SHOWN, WithJsonSchema({"type": "number"})]
"""Exact up to 15 significant digits, which is what a JSON number can carry."""
Amount = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(ge=0, max_digits=15),
    SHOWN,
    WithJsonSchema({"type": "number", "minimum": 0}),
]
Instant = Annotated[
    AwareDatetime,
    PlainSerializer(lambda instant: instant.astimezone(UTC), return_type=datetime, when_used="json"),
]
EvseIdText = Annotated[str, Field(max_length=50, examples=["DE*ABC*E1234"]), AfterValidator(_evse_id)]
Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,255}$")]
"""The id of a charge or a session."""
Prose = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+$")]
"""What a person wrote: characters that XML can carry."""
ContractIdText = Annotated[str, Field(max_length=50, examples=["DE-ABC-C12345678-X"]), AfterValidator(_contract_id)]


class LimitsForm(StrictForm):
    """What the driver allows: kW, A, kWh; what is absent is not limited."""

    max_power: Amount | None = None
    max_current: Amount | None = None
    one_phase: bool | None = None
    max_energy: Amount | None = None
    min_energy: Amount | None = None
    departure: Instant | None = None

    def limits(self) -> Limits:
        """The domain's limits."""
        return Limits(**{name: getattr(self, name) for name in type(self).model_fields})


class LimitsShown(Form):
    """The limits that hold: kW, A, kWh; what is absent is not limited."""

    max_power: Number | None = None
    max_current: Number | None = None
    one_phase: bool | None = None
    max_energy: Number | None = None
    min_energy: Number | None = None
    departure: Instant | None = None


class EvseStatusForm(Form):
    """The live status of an EVSE, believed until `ttl`."""

    evse_id: str
    major: MajorStatus
    minor: MinorStatus | None = None
    ttl: Instant | None = None


class EvseStatusListForm(Form):
    """The live status of those EVSEs that are known."""

    evses: list[EvseStatusForm]


class ChargeForm(Form):
    """A charge as it stands: energy in kWh, power in kW, meter in kWh, cost in `currency`."""

    id: str
    evse_id: str
    contract_id: str
    state: ChargeState
    created_at: Instant
    changed_at: Instant
    direct_id: str | None = None
    operator: str | None = None
    ttl: Instant | None = None
    limits: LimitsShown
    energy: Number | None = None
    power: Number | None = None
    meter: Number | None = None
    cost: Number | None = None
    currency: str | None = None
    announced: bool
    reason: str | None = None


class ChargeEventForm(Form):
    """One entry of a charge's history."""

    number: int
    charge_id: str
    at: Instant
    kind: str
    detail: dict[str, Any]


class ReadingForm(Form):
    """What the station measured: meter in kWh, power in kW."""

    meter: Number
    power: Number
    at: Instant


class SessionForm(Form):
    """A direct session as it stands; energy in kWh."""

    direct_id: str
    evse_id: str
    contract_id: str
    state: State
    deadline: Instant | None = None
    selected_at: Instant
    started_at: Instant | None = None
    ended_at: Instant | None = None
    limits: LimitsShown
    energy: Number
    meter_start: Number | None = None
    reading: ReadingForm | None = None
    local: bool


class MessageForm(LimitsShown):
    """What was told: its kind, the limits that hold, and the measured values."""

    message: DirectMessage
    ttl: Instant | None = None
    current_power: Number | None = None
    charged_energy: Number | None = None
    current_cost: Number | None = None
    currency: str | None = None


class ParcelForm(Form):
    """One message to the provider and how its delivery went."""

    number: int
    message: MessageForm
    created_at: Instant
    next_attempt_at: Instant
    attempts: int
    delivered_at: Instant | None = None
    given_up_at: Instant | None = None
    last_error: str | None = None


class DiscrepancyForm(Form):
    """What a provider reported about an EVSE."""

    evse_id: str
    reporter: str
    report: str
    at: Instant


class EndpointForm(Form):
    """Where a partner's system listens and for what. Its token is nobody's business."""

    partner: str
    url: str
    version: Version
    day: date
    whitelist: list[str]
    blacklist: list[str]
