"""One readable sentence about what the schema does not accept in a message; secrets are never repeated."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from clearinghouse.soap.elements import SECRETS, local_name, place

LONGEST_COMPLAINT = 300
NAMESPACES = re.compile(r"\{http[^}]*\}")
SUBJECT = re.compile(r"^Element '[^']*'(, attribute '([^']*)')?: (\[[^\]]*\] )?")
VALUE = re.compile(r"^The value '(.{40}).+?'(?= (?:is|has) )", re.DOTALL)


def complaint(element: etree._Element, error: Any) -> str:
    """One sentence about the first thing that the schema does not accept in a message."""
    culprit = _culprit(element, error.path)
    text = NAMESPACES.sub("", error.message)
    attribute = SUBJECT.match(text)
    where = place(culprit) + (f"/@{attribute[2]}" if attribute and attribute[2] else "")
    if local_name(culprit).lower() in SECRETS:
        return f"{where}: the value is not acceptable."
    text = VALUE.sub(r"The value '\1…'", SUBJECT.sub("", text)).strip()
    return f"{where}: {text[:1].lower()}{text[1:]}"[:LONGEST_COMPLAINT]


def _culprit(element: etree._Element, path: str | None) -> etree._Element:
    """The element that an XPath of libxml2 points to; the message itself where there is none."""
    found: Any = element.getroottree().xpath(path) if path and path.startswith("/") else []
    return found[0] if found and etree.iselement(found[0]) else element


def errors_of(schema: etree.XMLSchema) -> list[Any]:
    """What the schema complained about in its last validation, in document order."""
    log: Any = schema.error_log
    return list(log)
