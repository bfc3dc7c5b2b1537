"""The published contract: the WSDL files of each version, written from the table of operations, and served."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from lxml import etree

from clearinghouse.ochp.operations import Operation, Port
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.soap.interfaces import (
    DOCUMENTS,
    INTERFACES,
    Document,
    message_names,
    operations_of,
    path_of,
    port_at,
    ports_of,
)
from clearinghouse.soap.markup import PREFIXES, SOAP, WSDL, XS, render
from clearinghouse.soap.xsd import schema

PLACEHOLDER = "https://localhost"
TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
SCHEMA_FILE = "ochp.xsd"


def definitions(document: Document, version: Version) -> etree._Element:
    """The WSDL document of a version."""
    ports = ports_of(document, version)
    operations = [each for port in ports for each in operations_of(port, version)]
    root = WSDL.root("definitions", version.namespace, name=document.definitions.format(v=version))
    root.append(WSDL("documentation", text=document.title.format(v=version)))
    if document.imports:
        root.append(WSDL("import", namespace=version.namespace, location=document.imports.filename))
    imported = XS("import", namespace=version.namespace, schemaLocation=SCHEMA_FILE)
    root.append(WSDL("types", XS("schema", imported)))
    root.extend(message for each in operations for message in _messages(each, version))
    root.extend(_port_type(port, version) for port in ports)
    root.extend(_binding(port, version) for port in ports)
    inherited = ports_of(document.imports, version) if document.imports else []
    addresses = [each for port in (*inherited, *ports) for each in _ports(port, version)]
    root.append(WSDL("service", *addresses, name=document.service))
    return root


def _messages(operation: Operation, version: Version) -> Iterator[etree._Element]:
    said = (operation.request, operation.response)
    for name, cls in zip(message_names(operation, version), said, strict=True):
        part = WSDL("part", name="parameters", element=f"tns:{wire_of(cls).name_at(version)}")
        yield WSDL("message", part, name=name)


def _port_type(port: Port, version: Version) -> etree._Element:
    return WSDL(
        "portType",
        *(_abstract(each, version) for each in operations_of(port, version)),
        name=INTERFACES[port].port_type.format(v=version),
    )


def _abstract(operation: Operation, version: Version) -> etree._Element:
    request, response = message_names(operation, version)
    return WSDL(
        "operation",
        WSDL("documentation", text=operation.documentation),
        WSDL("input", message=f"tns:{request}"),
        WSDL("output", message=f"tns:{response}"),
        name=operation.name_at(version),
    )


def _binding(port: Port, version: Version) -> etree._Element:
    interface = INTERFACES[port]
    return WSDL(
        "binding",
        SOAP("binding", style="document", transport=TRANSPORT),
        *(_bound(each, version) for each in operations_of(port, version)),
        name=interface.binding.format(v=version),
        type=f"tns:{interface.port_type.format(v=version)}",
    )


def _bound(operation: Operation, version: Version) -> etree._Element:
    return WSDL(
        "operation",
        SOAP("operation", soapAction=operation.action_at(version)),
        WSDL("input", SOAP("body", use="literal")),
        WSDL("output", SOAP("body", use="literal")),
        name=operation.name_at(version),
    )


def _ports(port: Port, version: Version) -> Iterator[etree._Element]:
    interface = INTERFACES[port]
    for name in interface.ports:
        address = SOAP("address", location=PLACEHOLDER + path_of(port, version))
        yield WSDL("port", address, name=name, binding=f"tns:{interface.binding.format(v=version)}")


@cache
def documents(version: Version) -> dict[str, bytes]:
    """The files of a version's contract: name to content."""
    described = [document for document in DOCUMENTS if ports_of(document, version)]
    return {
        SCHEMA_FILE: render(schema(version)),
        **{document.filename: render(definitions(document, version)) for document in described},
    }


def published(folder: Path) -> dict[Path, bytes]:
    """Every file of the contract with its place below the folder."""
    return {
        folder / f"ochp-{version.value}" / name: content
        for version in ORDER
        for name, content in documents(version).items()
    }


def write(folder: Path) -> None:
    """Write the contract of every version. Raises OSError where a file cannot be written."""
    for path, content in published(folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def stale(folder: Path) -> list[str]:
    """The files below the folder that are not what `write` would write: missing, different or superfluous."""
    expected = published(folder)
    there = {path for suffix in ("wsdl", "xsd") for path in folder.glob(f"ochp-*/*.{suffix}")}
    wrong = [path for path, content in expected.items() if path not in there or path.read_bytes() != content]
    return sorted(path.relative_to(folder).as_posix() for path in {*wrong, *(there - expected.keys())})


REFERENCES = ((".//wsdl:import", "location", "wsdl"), (".//xs:import", "schemaLocation", "xsd"))
"""Where a document names another file, and the query by which that file is served."""


@lru_cache(maxsize=256)
def served(version: Version, name: str | None, base_url: str, path: str) -> bytes | None:
    """A file of the contract as a caller of `base_url + path` gets it, or None if there is no such file or port.

    Without a name it is the WSDL of the port at that path. That port gets exactly the address called, the others
    `base_url` and their official path; other files are named by `?wsdl=` and `?xsd=`.
    Raises ValueError if the address holds characters that cannot stand in XML.
    """
    port = port_at(path, version)
    if port is None:
        return None
    content = documents(version).get(name or INTERFACES[port].document.filename)
    if content is None:
        return None
    base = base_url.rstrip("/")
    official = {PLACEHOLDER + path_of(each, version): base + path_of(each, version) for each in Port}
    return addressed(content, {**official, PLACEHOLDER + path_of(port, version): base + path})


def addressed(content: bytes, addresses: dict[str, str]) -> bytes:
    """The document with other addresses for its own, and its references to files turned into queries."""
    root = etree.fromstring(content)
    for address in root.iterfind(".//soap:address", PREFIXES):
        address.set("location", addresses[str(address.get("location"))])
    for where, attribute, query in REFERENCES:
        for reference in root.iterfind(where, PREFIXES):
            reference.set(attribute, f"?{query}={reference.get(attribute)}")
    return render(root)
