"""Problems: every error of the JSON APIs and of the door in front of them, as RFC 9457 says it."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from clearinghouse.domain import errors
from clearinghouse.domain.errors import ClearinghouseError, EvseUnavailable, RefusedByPartner
from clearinghouse.ochp.results import DirectResultCode

MEDIA_TYPE = "application/problem+json"
URN = "urn:clearinghouse:problem:"

STATUSES: dict[type[ClearinghouseError], int] = {
    errors.NotAuthenticated: 401,
    errors.NotAuthorized: 403,
    errors.UnknownId: 404,
    errors.UnknownSession: 404,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.EvseUnavailable: 409,
    errors.NotSupported: 409,
    errors.Malformed: 422,
    errors.PartnerFailed: 502,
    errors.PartnerTimedOut: 504,
    errors.ClearinghouseError: 500,
}
"""The HTTP status of each error; a class that is not here has that of its nearest ancestor."""

REFUSALS: dict[DirectResultCode, int] = {
    DirectResultCode.OK: 502,
    DirectResultCode.PARTLY: 409,
    DirectResultCode.NOT_FOUND: 404,
    DirectResultCode.NOT_SUPPORTED: 409,
    DirectResultCode.INVALID_ID: 409,
    DirectResultCode.SERVER: 502,
}
"""The HTTP status of a partner's refusal, by its result code."""

UNAVAILABLE = str(EvseUnavailable(""))


class Refusal(Exception):  # noqa: N818
    """A request that is refused before anybody looks at what it says."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def document(status: int, detail: str | None = None, **members: Any) -> dict[str, Any]:
    """A problem document; without a type of its own it is the HTTP status and no more."""
    title = HTTPStatus(status).phrase
    stated = {"type": "about:blank", "title": title, "status": status, "detail": detail} | members
    return {name: value for name, value in stated.items() if value is not None}


def of_error(error: ClearinghouseError) -> dict[str, Any]:
    """The problem that names an error, and the partner's own result where it was the partner who refused."""
    kind = type(error)
    result = None
    if isinstance(error, RefusedByPartner):
        result = {"code": error.direct_code.value, "description": error.description}
    return document(
        status_of(error),
        str(error) or None,
        type=URN + re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower(),
        title=re.split(r"[.:;]", (kind.__doc__ or kind.__name__).strip(), maxsplit=1)[0],
        result=result,
    )


def status_of(error: ClearinghouseError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, RefusedByPartner):
        return 409 if error.description.startswith(UNAVAILABLE.strip()) else REFUSALS[error.direct_code]
    return next(STATUSES[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUSES)


def encode(problem: dict[str, Any]) -> bytes:
    """The bytes of a problem document."""
    return json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()
