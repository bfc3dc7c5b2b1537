"""What a caller is told of an error: a result in the response where it has one, else a SOAP fault."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Sequence
from typing import Any

import structlog

from clearinghouse.domain.errors import ClearinghouseError, Malformed, NotAuthenticated, UnknownSession
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.results import DirectResult, Result, ResultCode
from clearinghouse.ochp.shape import fields_of, members_of, once
from clearinghouse.ochp.versions import NEWEST, Version
from clearinghouse.soap.faults import FaultCode, Refusal

log = structlog.get_logger(__name__)

INTERNAL = "Internal error"
MOST_NAMED = 20
"""Records that are named when they cannot be read."""
NOT_AUTHENTICATED = "The security token could not be authenticated or authorized"
REALM = {"WWW-Authenticate": 'Basic realm="OCHPdirect"'}


def told(operation: Operation, error: ClearinghouseError, request: Any, version: Version) -> Any:
    """The response that carries the error, or a Refusal where none can be built.

    Direct results know no code for a malformed message, and no message is built about an unknown session.
    """
    kind = result_kind(operation.response)
    if isinstance(error, NotAuthenticated):
        return unauthenticated(by_basic=False)
    if kind is Result:
        return operation.response(result=Result.of(_sayable(error.code, version), text_of(error)))
    if kind is None or isinstance(error, (Malformed, UnknownSession)):
        return Refusal(FaultCode.SERVER if _is_ours(error) else FaultCode.CLIENT, text_of(error))
    session = {"direct_id": request.direct_id} if _names_session(operation) else {}
    return operation.response(result=DirectResult.of(error.direct_code, text_of(error)), **session)


def unauthenticated(*, by_basic: bool) -> Refusal:
    """Who calls is not known: a challenge where HTTP Basic was the way, a fault of WS-Security where it was not."""
    if by_basic:
        return Refusal(FaultCode.FAILED_AUTHENTICATION, NOT_AUTHENTICATED, 401, REALM)
    return Refusal(FaultCode.FAILED_AUTHENTICATION, NOT_AUTHENTICATED)


def text_of(error: ClearinghouseError) -> str:
    """The error's text, or what its class says of itself."""
    return str(error) or (type(error).__doc__ or INTERNAL).partition("\n")[0]


def amended(answer: Any, unreadable: Sequence[Malformed]) -> Any:
    """An answer that says too which records of the request could not be read; the others were dealt with."""
    if not unreadable:
        return answer
    result: Result = answer.result
    code = ResultCode.PARTLY if result.result_code is ResultCode.OK else result.result_code
    named = "; ".join(str(each) for each in unreadable[:MOST_NAMED])
    more = f"; and {len(unreadable) - MOST_NAMED} more" if len(unreadable) > MOST_NAMED else ""
    said = f"{len(unreadable)} could not be read: {named}{more}"
    description = f"{result.result_description}; {said}" if result.result_description else said
    return dataclasses.replace(answer, result=Result.of(code, description))


@once
def result_kind(response: type) -> type | None:
    """The class of the result in a response that needs nothing else; None where an error cannot be said in it."""
    needed = {
        item.name
        for item in dataclasses.fields(response)
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    }
    if needed != {"result"}:
        return None
    return next(field.kind for field in fields_of(response, NEWEST) if field.attr == "result")


def _names_session(operation: Operation) -> bool:
    """Whether both the request and the response name a session."""
    return all("direct_id" in cls.__dataclass_fields__ for cls in (operation.request, operation.response))


def _sayable(code: ResultCode, version: Version) -> ResultCode:
    """`roaming` is `ok` to a reader whose version does not know it: the answer is an empty list."""
    return code if code.value in members_of(ResultCode, version) else ResultCode.OK


def _is_ours(error: ClearinghouseError) -> bool:
    """Whether the fault lies on this side of the wire."""
    return error.code is ResultCode.SERVER and error.direct_code.value == "server" and type(error) is not UnknownSession


def log_unexpected(error: Exception, **facts: str) -> None:
    """Log where an unexpected exception came from; its text may repeat the request, so that is left out."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    log.error("unexpected", error=type(error).__name__, stack=stack, **facts)
