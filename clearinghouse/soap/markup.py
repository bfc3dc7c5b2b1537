"""Writing schema and WSDL elements as nested calls."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree


@dataclass(frozen=True)
class Vocabulary:
    """A namespace whose elements are made by calling it: `XS("element", *children, name="url")`."""

    prefix: str
    namespace: str

    def __call__(self, tag: str, /, *children: etree._Element, text: str | None = None, **said: str) -> etree._Element:
        """The element with these children, this text and what is said in its attributes."""
        element = etree.Element(f"{{{self.namespace}}}{tag}", said, {self.prefix: self.namespace})
        element.text = text
        element.extend(children)
        return element

    def root(self, tag: str, target: str, **said: str) -> etree._Element:
        """The empty outermost element of a document for a target namespace, which it calls `tns`."""
        prefixes = {**PREFIXES, "tns": target}
        return etree.Element(f"{{{self.namespace}}}{tag}", {"targetNamespace": target, **said}, prefixes)


XS = Vocabulary("xs", "http://www.w3.org/2001/XMLSchema")
WSDL = Vocabulary("wsdl", "http://schemas.xmlsoap.org/wsdl/")
SOAP = Vocabulary("soap", "http://schemas.xmlsoap.org/wsdl/soap/")
PREFIXES = {each.prefix: each.namespace for each in (XS, WSDL, SOAP)}


def render(root: etree._Element) -> bytes:
    """The document as indented UTF-8 with its declaration, the same bytes each time."""
    etree.cleanup_namespaces(root, keep_ns_prefixes=["tns", XS.prefix])
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def indented(document: bytes) -> str:
    """A message as people read it: indented, without a declaration; as it is where it is no XML."""
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return document.decode(errors="replace")
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode")
