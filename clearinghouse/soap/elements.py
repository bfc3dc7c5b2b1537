"""Elements of a message: what they are called, where they stand, and what of them may be repeated."""

from __future__ import annotations

from typing import Any

from lxml import etree

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
SECRETS = frozenset({"accesstoken", "password"})
"""Local names, in lower case, whose text is never repeated in an error or a log."""


def place(element: etree._Element) -> str:
    """The path of local names from the message's root to an element, for example `SelectEvseRequest/evseId`."""
    names = [local_name(element)]
    for ancestor in element.iterancestors():
        name = local_name(ancestor)
        if name == "Body" or len(names) > 8:
            break
        names.append(name)
    return "/".join(reversed(names))


def found(element: etree._Element, text: str) -> str:
    """What stands there instead, shortened; nothing at all where it may be a secret."""
    if local_name(element).lower() in SECRETS:
        return ""
    return f", not {text[:40]!r}"


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace; empty for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def is_nil(element: Any) -> bool:
    """Whether it says that it says nothing."""
    return element.text is None and len(element) == 0 and element.get(NIL) in ("true", "1")
