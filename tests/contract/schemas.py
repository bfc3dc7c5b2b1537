"""Schemas as plain values: what each says about a path such as `Result/resultDescription`, however it is written."""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
GLOBAL = {f"{XS}{kind}": kind for kind in ("element", "complexType", "simpleType")}

Said = dict[tuple[str, str], object]
"""(path, aspect) to what the schema says, for example ("Result/resultCode", "minOccurs") to "1"."""


def read(path: Path) -> dict[tuple[str, str], etree._Element]:
    """The global declarations of a schema file, or of the schema inside a WSDL file, with all that it includes."""
    declarations: dict[tuple[str, str], etree._Element] = {}
    queue = [path]
    for file in queue:
        for schema in etree.parse(file).iter(f"{XS}schema"):
            declarations |= declared(schema)
            places = (file.parent / each.get("schemaLocation") for each in schema.iter(f"{XS}include", f"{XS}import"))
            queue += [place for place in places if place not in queue]
    return declarations


def declared(schema: etree._Element) -> dict[tuple[str, str], etree._Element]:
    """The global declarations of one schema element: kind and name to the declaration."""
    return {(GLOBAL[each.tag], each.get("name")): each for each in schema if each.tag in GLOBAL}


def said(declarations: dict[tuple[str, str], etree._Element]) -> Said:
    """Everything that these declarations say."""
    return {key: value for (_, name), each in declarations.items() for key, value in about(each, name)}


def about(declaration: etree._Element, path: str) -> Iterator[tuple[tuple[str, str], object]]:
    """What one declaration says about itself and what is below it."""
    kind = etree.QName(declaration).localname
    if kind in ("simpleType", "complexType"):
        yield (path, "kind"), kind
    if kind == "simpleType":
        yield (path, "type"), restriction(declaration)
    elif kind == "complexType":
        yield from content(declaration, path)
    else:
        yield from typed(declaration, path)


def typed(declaration: etree._Element, path: str) -> Iterator[tuple[tuple[str, str], object]]:
    """What an element or attribute says of its type, named or its own."""
    named, own = declaration.get("type"), declaration.find(f"{XS}complexType")
    if own is not None:
        yield from about(own, path)
        return
    simple = declaration.find(f"{XS}simpleType")
    yield (path, "type"), restriction(simple) if simple is not None else qualified(declaration, named)


def content(declaration: etree._Element, path: str) -> Iterator[tuple[tuple[str, str], object]]:
    """What a complex type says: what it extends, how its children go together, and each child and attribute."""
    extension = declaration.find(f"{XS}complexContent/{XS}extension")
    if extension is not None:
        yield (path, "extends"), qualified(extension, extension.get("base"))
        declaration = extension
    group = next((each for each in declaration if each.tag in (f"{XS}sequence", f"{XS}choice")), None)
    children = list(particles(group))
    if children:
        yield (path, "group"), grouped(group)
    yield (path, "attributes"), frozenset(each.get("name") for each in declaration.findall(f"{XS}attribute"))
    for child in children:
        assert child.tag == f"{XS}element", f"{path} holds a {child.tag}, which this comparison does not understand"
        here = f"{path}/{child.get('name')}"
        for aspect, default in (("minOccurs", "1"), ("maxOccurs", "1"), ("nillable", "false")):
            yield (here, aspect), child.get(aspect, default)
        yield from typed(child, here)
    for attribute in declaration.findall(f"{XS}attribute"):
        here = f"{path}/@{attribute.get('name')}"
        yield (here, "use"), attribute.get("use", "optional")
        yield (here, "default"), attribute.get("default")
        yield from typed(attribute, here)


def particles(group: etree._Element | None) -> Iterator[etree._Element]:
    """The elements of a group and of the groups inside it, in their order."""
    for child in () if group is None else group.iterchildren(etree.Element):
        if child.tag in (f"{XS}sequence", f"{XS}choice"):
            yield from particles(child)
        elif child.tag != f"{XS}annotation":
            yield child


def grouped(group: etree._Element) -> tuple[object, ...]:
    """How the elements of a group go together: its kind, then names and groups in their order."""
    assert group.get("minOccurs", "1") == group.get("maxOccurs", "1") == "1"
    inside = [each for each in group.iterchildren(etree.Element) if each.tag != f"{XS}annotation"]
    members = (each.get("name") if each.tag == f"{XS}element" else grouped(each) for each in inside)
    return etree.QName(group).localname, *members


def restriction(simple: etree._Element) -> tuple[object, ...]:
    """The base of a simple type and its facets; patterns are alternatives, so their order says nothing."""
    limits = simple.find(f"{XS}restriction")
    facets = [(etree.QName(each).localname, each.get("value")) for each in limits if each.tag != f"{XS}annotation"]
    values = tuple(value for facet, value in facets if facet == "enumeration")
    return qualified(limits, limits.get("base")), frozenset(each for each in facets if each[0] != "enumeration"), values


def qualified(element: etree._Element, name: str) -> str:
    """The name with the namespace that its prefix stands for."""
    prefix, _, local = name.rpartition(":")
    return f"{{{element.nsmap[prefix or None]}}}{local}"


def differences(ours: Said, theirs: Said) -> dict[tuple[str, str], tuple[object, object]]:
    """Where the two say different things: path and aspect to what ours says and what theirs says."""
    return {key: (ours.get(key), theirs.get(key)) for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)}
