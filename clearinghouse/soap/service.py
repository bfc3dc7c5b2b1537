"""Spyne applications generated from the table of operations: one per version, with whatever there are handlers for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spyne import Application, Service

from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Handler
from clearinghouse.soap.faults import Refusal
from clearinghouse.soap.models import method
from clearinghouse.soap.protocol import Exchange, OchpSoap11
from clearinghouse.soap.verdicts import INTERNAL, amended, log_unexpected, told


def application(version: Version, handlers: Mapping[Operation, Handler]) -> Application:
    """The Spyne application of a version: dispatch by the QName of the body's entry."""
    served = {each: handler for each, handler in handlers.items() if each.exists_in(version)}
    methods = {
        each.name_at(version): method(each, version, serving(each, version, handler))
        for each, handler in served.items()
    }
    service = type("OchpService", (Service,), methods)
    return Application(
        [service],
        tns=version.namespace,
        name=f"OCHP_{version.value}",
        in_protocol=OchpSoap11(version),
        out_protocol=OchpSoap11(version),
    )


def serving(operation: Operation, version: Version, handler: Handler) -> Callable[[Any, Any], Any]:
    """What Spyne calls for an operation. It returns a Refusal rather than raise it, since Spyne logs what is raised."""

    def serve(ctx: Any, _: Any) -> Any:
        return answer(operation, version, handler, ctx.udc)

    return serve


def answer(operation: Operation, version: Version, handler: Handler, exchange: Exchange) -> Any:
    """The handler's answer, or what the caller is told of its failure; never raises."""
    if exchange.malformed:
        return told(operation, exchange.malformed, exchange.request, version)
    try:
        return amended(expected(operation, handler(exchange.request, exchange.caller, version)), exchange.unreadable)
    except Refusal as refusal:
        return refusal  # the message breaks off in the middle of its records
    except ClearinghouseError as error:
        return told(operation, error, exchange.request, version)
    except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the caller gets an answer
        log_unexpected(error, operation=operation.name, caller=exchange.caller.name)
        return told(operation, ClearinghouseError(INTERNAL), exchange.request, version)


def expected(operation: Operation, value: Any) -> Any:
    """The handler's answer, if it is one. Raises TypeError, as only an error of ours can make it something else."""
    if not isinstance(value, operation.response):
        raise TypeError(f"{operation} answers with {operation.response.__name__}")
    return value
