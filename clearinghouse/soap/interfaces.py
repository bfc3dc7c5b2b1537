"""The official names of the contract: its files, port types, bindings, ports and paths."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.ochp import operations as op
from clearinghouse.ochp.operations import OPERATIONS, Operation, Port
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import Version


@dataclass(frozen=True, kw_only=True)
class Document:
    """A WSDL file under its official names; `{v…}` stands for the version.

    It describes interfaces of its own; its service has their ports, and those of the document that it imports.
    """

    filename: str
    definitions: str
    service: str
    title: str
    imports: Document | None = None


@dataclass(frozen=True, kw_only=True)
class Interface:
    """What the official contract calls a port, and the path below which it is served."""

    document: Document
    port_type: str
    binding: str
    ports: tuple[str, ...]
    path: str


OCHP = Document(
    filename="ochp.wsdl",
    definitions="OCHP_{v.value}",
    service="e-clearing.net",
    title="Open Clearing House Protocol {v.value}",
)
DIRECT = Document(
    filename="ochp-direct.wsdl",
    definitions="OCHP_direct_{v.direct}",
    service="e-clearing.net-OCHP-direct",
    title="OCHP-direct {v.direct}, the extension of the Open Clearing House Protocol {v.value}",
    imports=OCHP,
)
DOCUMENTS = (OCHP, DIRECT)

INTERFACES = {
    Port.SERVICE: Interface(
        document=OCHP,
        port_type="OCHP_{v.value}",
        binding="eCHS-OCHP_{v.value}",
        ports=("eCHS_P-System", "eCHS_Q-System"),
        path="/service/ochp",
    ),
    Port.LIVE: Interface(
        document=OCHP,
        port_type="OCHP_{v.value}-live",
        binding="eCHS-OCHP_{v.value}-live",
        ports=("eCHS_P-System-live", "eCHS_Q-System-live"),
        path="/live/ochp",
    ),
    Port.DIRECT: Interface(
        document=DIRECT,
        port_type="OCHP_{v.value}-direct",
        binding="eCHS-OCHP_{v.value}-direct",
        ports=("eCHS_P-System-direct", "eCHS_Q-System-direct"),
        path="/direct/ochp",
    ),
    Port.OPERATOR: Interface(
        document=DIRECT,
        port_type="Operator_OCHP-direct_{v.direct}",
        binding="Operator_OCHP-direct_{v.direct}",
        ports=("eCHS_Q-System-direct-Operator",),
        path="/direct/operator/ochp",
    ),
    Port.PROVIDER: Interface(
        document=DIRECT,
        port_type="Provider_OCHP-direct_{v.direct}",
        binding="Provider_OCHP-direct_{v.direct}",
        ports=("eCHS_Q-System-direct-Provider",),
        path="/direct/provider/ochp",
    ),
}
"""Each port's names. The house has two port names, productive and quality system, so that clients of either find it."""


MESSAGES_NAMED_AS_ELEMENTS = frozenset(
    {
        op.GET_ROAMING_AUTHORISATION_LIST_UPDATES,
        op.UPDATE_ROAMING_AUTHORISATION_LIST,
        op.CONFIRM_CDRS,
        op.GET_CHARGE_POINT_LIST_UPDATES,
        op.UPDATE_CHARGE_POINT_LIST,
        op.REQUEST_LIVE_ROAMING_AUTHORISATION,
        op.GET_SINGLE_ROAMING_AUTHORISATION,
        op.UPDATE_TARIFFS,
        op.GET_TARIFF_UPDATES,
        op.UPDATE_STATUS,
        op.GET_STATUS,
    }
)
"""The operations whose WSDL messages are called as their elements; those of the others are `…Input` and `…Output`."""

SPELLED_IN_MESSAGES = {op.GET_CHARGE_POINT_LIST: "GetChargepointList"}
"""The operations that the names of their WSDL messages spell otherwise."""


def message_names(operation: Operation, version: Version) -> tuple[str, str]:
    """The official names of an operation's two WSDL messages; they are never seen on the wire."""
    if operation in MESSAGES_NAMED_AS_ELEMENTS:
        return wire_of(operation.request).name_at(version), wire_of(operation.response).name_at(version)
    stem = SPELLED_IN_MESSAGES.get(operation, operation.name_at(version))
    return f"{stem}Input", f"{stem}Output"


def path_of(port: Port, version: Version) -> str:
    """The official path of a port, for example `/direct/operator/ochp/v1.4`."""
    return f"{INTERFACES[port].path}/{version.path}"


def binding_of(port: Port, version: Version) -> str:
    """The qualified name of a port's binding, as zeep takes it."""
    return f"{{{version.namespace}}}{INTERFACES[port].binding.format(v=version)}"


def operations_of(port: Port, version: Version) -> list[Operation]:
    """The operations that a port offers in a version, in the protocol's order."""
    return [each for each in OPERATIONS if each.port is port and each.exists_in(version)]


def ports_of(document: Document, version: Version) -> list[Port]:
    """The ports that a document describes: those of its interfaces that have operations in the version."""
    return [port for port in Port if INTERFACES[port].document is document and operations_of(port, version)]


def port_at(path: str, version: Version) -> Port | None:
    """The port whose official path this is, however its slashes are doubled or trailing."""
    plain = "/".join(("", *filter(None, path.split("/"))))
    return next((port for port in Port if path_of(port, version) == plain), None)
