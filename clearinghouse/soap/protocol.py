"""SOAP 1.1 as Spyne's protocol: the envelope comes in read already, the codec does the values in both directions.

Spyne's own Soap11 copies attributes of children into their parent, follows `href`, lists attributes in quadratic
time, logs whole requests and lets several inputs escape as exceptions; what it does with values is ten times
slower than the codec. So this protocol keeps Spyne's dispatch, and replaces the rest.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from spyne import BODY_STYLE_BARE
from spyne.protocol.soap import Soap11

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.operations import OPERATIONS, Operation
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Caller
from clearinghouse.soap.codec import pieces
from clearinghouse.soap.entries import Entry
from clearinghouse.soap.faults import HEAD, TAIL, FaultCode, Refusal, client_fault
from clearinghouse.soap.records import read_request


@dataclass
class Exchange:
    """One request on its way through Spyne, and what became of it; lives in the context's `udc`."""

    entry: Entry
    caller: Caller
    version: Version
    operation: Operation | None = None
    request: Any = None
    malformed: Malformed | None = None
    unreadable: list[Malformed] = field(default_factory=list)
    """What was wrong with records of the request that were left out."""


class OchpSoap11(Soap11):  # type: ignore[misc]
    """The protocol of one version, for requests and for answers."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version
        self._operations = {each.name_at(version): each for each in OPERATIONS if each.exists_in(version)}

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """Take over the document: the envelope's reader has checked it, and asked who is calling."""
        ctx.in_document = ctx.udc.entry

    def decompose_incoming_envelope(self, ctx: Any, message: Any = Soap11.REQUEST) -> None:
        """Name the operation by the body entry's QName, in any case. Raises Refusal where there is none."""
        entry = ctx.udc.entry
        ctx.in_body_doc = entry
        known = self.app.interface.service_method_map
        name = entry.tag if entry.tag in known else _folded(known).get(entry.tag.lower())
        if name is None:
            raise client_fault(self._without(entry.tag.rpartition("}")[2]))
        ctx.method_request_string = name

    def generate_method_contexts(self, ctx: Any) -> list[Any]:
        """The context itself, for the one method that there is: Spyne would copy it for each of several."""
        (ctx.descriptor,) = self.get_call_handles(ctx)
        return [ctx]

    def _without(self, name: str) -> str:
        """What to say where a message of this name is not served: whether the version has it at all."""
        for operation in self._operations.values():
            if wire_of(operation.request).name_at(self.version).lower() == name.lower():
                return f"{operation.name_at(self.version)} is not offered here."
        return f"There is no operation {name[:80]} here in OCHP {self.version.value}."

    def deserialize(self, ctx: Any, message: Any) -> None:
        """The request's value; one that cannot be read is left for the service to answer."""
        exchange: Exchange = ctx.udc
        exchange.operation = operation = self._operations[ctx.descriptor.operation_name]
        try:
            exchange.request = read_request(operation.request, exchange.entry, self.version, exchange.unreadable)
        except Malformed as malformed:
            exchange.malformed = malformed
        # A method whose request has no fields takes no argument, and Spyne counts what it passes.
        ctx.in_object = exchange.request if ctx.descriptor.body_style is BODY_STYLE_BARE else ()

    def serialize(self, ctx: Any, message: Any) -> None:
        """The envelope with the answer's value, or with a fault."""
        value = ctx.out_error or ctx.out_object[0]
        if isinstance(value, Refusal):
            ctx.out_document = iter((value.body,))
        elif ctx.out_error is not None:
            ctx.out_document = iter((Refusal(FaultCode.SERVER, "Internal error").body,))
        else:
            ctx.out_document = enveloped(pieces(value, self.version))

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:
        """The answer's bytes, piece by piece: records are asked for while it is sent."""
        ctx.out_string = ctx.out_document


def enveloped(payload: Generator[bytes]) -> Generator[bytes]:
    """The pieces of an envelope around those of a payload, the first and the last in one with its."""
    before, held = HEAD, b""
    with closing(payload):
        for piece in payload:
            if held:
                yield held
            before, held = b"", before + piece
    yield held + TAIL


def _folded(known: dict[str, Any]) -> dict[str, str]:
    """The names of operations by their spelling in lower case; only asked for where the exact name failed."""
    return {name.lower(): name for name in known}
