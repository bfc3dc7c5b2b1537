"""The roaming list: which tokens may charge under which contract, as lists, deltas and single look-ups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.marks import (
    Attribute,
    Boxed,
    Default,
    Named,
    Required,
    Since,
    Text,
    When,
    members_since,
    message,
    named_type,
)
from clearinghouse.ochp.results import Result
from clearinghouse.ochp.scalars import ContractId, EvseId, LiveAuthId, UtcDateTime
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1


@members_since(OTHER=V1_4_1)
class TokenType(StrEnum):
    """What a driver identifies with; `remote` stands in charge data only, never in the roaming list."""

    RFID = "rfid"
    REMOTE = "remote"
    ISO_15118 = "15118"
    OTHER = "other"


class TokenSubType(StrEnum):
    """The kind of an RFID card."""

    MIFARE_CLASSIC = "mifareCls"
    MIFARE_DESFIRE = "mifareDes"
    CALYPSO = "calypso"


class Representation(StrEnum):
    """Whether the instance is the token's own number or a hash of it, in hexadecimal digits."""

    PLAIN = "plain"
    SHA_160 = "sha-160"
    SHA_256 = "sha-256"


class Permission(StrEnum):
    """What a contract may charge or fill up."""

    AC = "AC"
    DC = "DC"
    CNG = "CNG"
    LNG = "LNG"
    FUEL = "Fuel"
    H2 = "H2"
    ETHANOL = "Ethanol"
    OTHER = "Other"


ELECTRIC = (Permission.AC, Permission.DC)
"""What every contract may do for a peer whose version knows no permissions."""


@named_type("EmtId")
@dataclass(frozen=True, kw_only=True)
class EmtId:
    """A token: the number of a card, a certificate or a remote session, and how it is written."""

    instance: Annotated[str, Text(min=1, max=512)]
    token_type: TokenType
    token_sub_type: TokenSubType | None = None
    representation: Annotated[
        Representation,
        Attribute(),
        When((Default(Representation.SHA_160),), until=V1_3),
        When((Default(Representation.PLAIN),), since=V1_4),
    ] = Representation.PLAIN


@named_type("RoamingAuthorisationInfo")
@dataclass(frozen=True, kw_only=True)
class RoamingAuthorisationInfo:
    """One line of the roaming list: this token may charge under this contract until it expires."""

    emt_id: Annotated[EmtId, Named("EmtId")]
    contract_id: ContractId
    permissions: Annotated[
        tuple[Annotated[Permission, Boxed("PermissionsType", "PermissionsType")], ...],
        Since(V1_4_1, assume=ELECTRIC),
        Required(),
    ] = ELECTRIC
    printed_number: Annotated[str, Text(min=1, max=150)] | None = None
    expiry_date: UtcDateTime


@message()
@dataclass(frozen=True, kw_only=True)
class SetRoamingAuthorisationListRequest:
    """A provider uploads its complete list; it replaces what the provider uploaded before."""

    roaming_authorisation_info_array: Annotated[Iterable[RoamingAuthorisationInfo], Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class SetRoamingAuthorisationListResponse:
    """What the clearing house made of the list, and the lines that it did not take."""

    result: Result
    refused_roaming_authorisation_info: tuple[RoamingAuthorisationInfo, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateRoamingAuthorisationListRequest:
    """A provider uploads new and changed lines."""

    roaming_authorisation_info_array: Annotated[Iterable[RoamingAuthorisationInfo], Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateRoamingAuthorisationListResponse:
    """What the clearing house made of the lines, and those that it did not take."""

    result: Result
    refused_roaming_authorisation_info: tuple[RoamingAuthorisationInfo, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class GetRoamingAuthorisationListRequest:
    """An operator asks for the lists of all providers connected to it."""


@message()
@dataclass(frozen=True, kw_only=True)
class GetRoamingAuthorisationListResponse:
    """The lines of all providers connected to the caller."""

    result: Result
    roaming_authorisation_info_array: Iterable[RoamingAuthorisationInfo] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class GetRoamingAuthorisationListUpdatesRequest:
    """An operator asks for what changed since it asked last."""

    last_update: UtcDateTime


@message()
@dataclass(frozen=True, kw_only=True)
class GetRoamingAuthorisationListUpdatesResponse:
    """The lines that changed; one that expires in the past is gone."""

    result: Result
    roaming_authorisation_info: Iterable[RoamingAuthorisationInfo] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class RequestLiveRoamingAuthorisationRequest:
    """An operator asks about a token that its list lacks, at one of its EVSEs (1.3 only)."""

    emt_id: EmtId
    evse_id: EvseId


@message()
@dataclass(frozen=True, kw_only=True)
class RequestLiveRoamingAuthorisationResponse:
    """The token's line, and an id that its charge data shall repeat (1.3 only)."""

    result: Result
    roaming_authorisation_info: RoamingAuthorisationInfo | None = None
    live_auth_id: LiveAuthId | None = None


@message()
@dataclass(frozen=True, kw_only=True)
class GetSingleRoamingAuthorisationRequest:
    """An operator asks about a token that its list lacks (since 1.4)."""

    emt_id: EmtId


@message()
@dataclass(frozen=True, kw_only=True)
class GetSingleRoamingAuthorisationResponse:
    """The token's line, if it may charge at the caller's EVSEs (since 1.4)."""

    result: Result
    roaming_authorisation_info: RoamingAuthorisationInfo | None = None
