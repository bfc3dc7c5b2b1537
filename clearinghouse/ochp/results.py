"""Result codes and the two result types: OCHP's and OCHP-direct's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.marks import Boxed, Nillable, Text, members_replaced, members_since, named_type
from clearinghouse.ochp.versions import V1_4

ACCEPTED = "Data accepted and processed."
MAX_DESCRIPTION = 1000


@members_since(ROAMING=V1_4)
@members_replaced(ROAMING="OK")
class ResultCode(StrEnum):
    """How the clearing house disposed of a request."""

    OK = "ok"
    PARTLY = "partly"
    NOT_AUTHORIZED = "not-authorized"
    INVALID_ID = "invalid-id"
    SERVER = "server"
    FORMAT = "format"
    ROAMING = "roaming"


class DirectResultCode(StrEnum):
    """How a partner's back end disposed of a direct request."""

    OK = "ok"
    PARTLY = "partly"
    NOT_FOUND = "not-found"
    NOT_SUPPORTED = "not-supported"
    INVALID_ID = "invalid-id"
    SERVER = "server"


def describe(text: str) -> str:
    """A description as every reader takes it: never empty, at most 1000 characters."""
    text = " ".join(text.split()) or ACCEPTED
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 1] + "…"


@named_type("Result")
@dataclass(frozen=True, kw_only=True)
class Result:
    """The clearing house's verdict on a request."""

    result_code: Annotated[ResultCode, Boxed("ResultCodeType", "resultCode")]
    result_description: Annotated[str, Text(max=MAX_DESCRIPTION), Nillable()] = ACCEPTED

    @classmethod
    def of(cls, code: ResultCode, text: str = "") -> Result:
        """A result with its description made fit for the wire."""
        return cls(result_code=code, result_description=describe(text))


@named_type("DirectResult")
@dataclass(frozen=True, kw_only=True)
class DirectResult:
    """A partner's verdict on a direct request."""

    result_code: Annotated[DirectResultCode, Boxed("DirectResultCodeType", "resultCode")]
    result_description: Annotated[str, Text(max=MAX_DESCRIPTION), Nillable()] = ACCEPTED

    @classmethod
    def of(cls, code: DirectResultCode, text: str = "") -> DirectResult:
        """A result with its description made fit for the wire."""
        return cls(result_code=code, result_description=describe(text))
