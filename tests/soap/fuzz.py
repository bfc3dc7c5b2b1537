"""`make fuzz`: golden messages, changed at random, against the SOAP server of every role for so many seconds.

Whatever comes in, an answer has to come out, soon, as an envelope with the operation's response or a fault; nothing
may be logged as unexpected, and no secret may be in what is answered or logged. `--seed` repeats a run.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree
from rich.console import Console
from structlog.testing import capture_logs

from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.operations import OPERATIONS, Operation, Role
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.services.calls_port import Caller, HttpAnswer, HttpRequest, Login, TokenPair
from clearinghouse.soap.codec import decode
from clearinghouse.soap.elements import local_name
from clearinghouse.soap.faults import ENVELOPE, WSSE
from clearinghouse.soap.interfaces import path_of
from clearinghouse.soap.server import SoapServer

GOLDEN = Path(__file__).parents[1] / "golden"
SECRET = "Hq7-fuzz-secret-Zx9"
PARSER = etree.XMLParser(remove_blank_text=True, resolve_entities=False)
LONGEST = 1.0
"""Seconds of processor time that an answer may take."""
STATUSES = frozenset({200, 400, 401, 405, 413, 415, 500})
HEADERS = {
    "content-type": "text/xml; charset=utf-8",
    "authorization": "Basic " + base64.b64encode(f"receiver:{SECRET}".encode()).decode(),
}
SECURITY = (
    f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken><w:Username>partner</w:Username>'
    f"<w:Password>{SECRET}</w:Password></w:UsernameToken></w:Security>"
).encode()
OPENING = b'<s:Envelope xmlns:s="%s"><s:Header>%s</s:Header><s:Body>' % (ENVELOPE.encode(), SECURITY)
CLOSING = b"</s:Body></s:Envelope>"


class Finding(Exception):  # noqa: N818
    """The server did what it must not do."""


@dataclass
class Report:
    """What happened: answers by HTTP status and outcome, and the longest one in seconds."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


# -- The servers ------------------------------------------------------------------------------------------------


def door(credentials: Login | TokenPair | None, role: Role) -> Caller:
    """Lets in who has the secret."""
    if credentials in (Login("partner", SECRET), TokenPair("receiver", SECRET)):
        return Partner(name="partner")
    raise NotAuthenticated


def golden(version: Version, operation: Operation, direction: str) -> etree._Element:
    """The plain golden message of an operation."""
    path = GOLDEN / version.value / f"{operation.name_at(version)}.{direction}.xml"
    return etree.parse(path, PARSER).getroot()


def canned(operation: Operation) -> Callable[..., Any]:
    """A handler that gives the golden answer."""
    answers = {
        version: decode(operation.response, golden(version, operation, "response"), version)
        for version in ORDER
        if operation.exists_in(version)
    }
    return lambda request, caller, version: answers[version]


def servers() -> dict[Role, SoapServer]:
    """A server of each role with all operations: the house relays what partners serve."""
    return {
        role: SoapServer(role, {each: canned(each) for each in OPERATIONS if role in (Role.HOUSE, each.at)}, door)
        for role in Role
    }


# -- Changes ----------------------------------------------------------------------------------------------------

NASTY = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"&#0;",
    b"&x;",
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
    b"<![CDATA[",
    b"<!--",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"]]>",
    b"<a:b/>",
    b" xmlns=''",
    b" s:mustUnderstand='1'",
    b" href='#a' id='a'",
    b"A" * 70_000,
    b"<e>" * 300,
    b"9" * 5000,
    b"-1e999999999",
    b"0000-00-00T25:61:61Z",
    "\U0001f50c\u0000\u202e".encode(),
)


def spliced(dice: random.Random, message: bytes) -> bytes:
    """Something nasty at some place."""
    at = dice.randrange(len(message) + 1)
    return message[:at] + dice.choice(NASTY) + message[at + dice.choice((0, 0, 1, 10)) :]


def flipped(dice: random.Random, message: bytes) -> bytes:
    """Some bytes replaced by any others."""
    changed = bytearray(message)
    for _ in range(dice.randint(1, 8)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def cut(dice: random.Random, message: bytes) -> bytes:
    """The end, or a part of the middle, is missing."""
    start, end = sorted(dice.choices(range(len(message) + 1), k=2))
    return message[:start] + dice.choice((b"", message[end:]))


def repeated(dice: random.Random, message: bytes) -> bytes:
    """A part is there many times."""
    start, end = sorted(dice.choices(range(len(message) + 1), k=2))
    return message[:start] + message[start:end] * dice.randint(2, 50) + message[end:]


def restructured(dice: random.Random, message: bytes) -> bytes:
    """An element is moved, doubled, renamed, emptied, given attributes or another text.

    Nothing goes from the header into the body: a sender that puts its password there has told it itself.
    """
    try:
        root = etree.fromstring(message, PARSER)
    except etree.XMLSyntaxError:
        return message
    part = dice.choice((root, *root))
    elements = [each for each in part.iter() if isinstance(each.tag, str) and SECRET not in "".join(each.itertext())]
    if not elements:
        return message
    one, other = dice.choice(elements), dice.choice(elements)
    dice.choice(REPAIRS)(dice, one, other)
    return etree.tostring(root)


def _move(dice: random.Random, one: etree._Element, other: etree._Element) -> None:
    if one.getparent() is not None and one not in (other, *other.iterancestors()):
        other.insert(dice.randint(0, len(other)), one)


def _double(dice: random.Random, one: etree._Element, other: etree._Element) -> None:
    copy = etree.fromstring(etree.tostring(one))
    other.insert(dice.randint(0, len(other)), copy)


def _rename(dice: random.Random, one: etree._Element, other: etree._Element) -> None:
    name = local_name(one)
    one.tag = dice.choice((other.tag, f"{{urn:none}}{name}", name, name.upper()))


def _empty(dice: random.Random, one: etree._Element, other: etree._Element) -> None:
    for child in list(one):
        one.remove(child)
    one.text = dice.choice((None, " ", other.text, "\u00e9\u20ac", "1,5", "true", "-0", "A" * 300))


def _adorn(dice: random.Random, one: etree._Element, other: etree._Element) -> None:
    for number in range(dice.choice((1, 1, 3, 70))):
        one.set(f"{dice.choice(('', '{http://www.w3.org/2001/XMLSchema-instance}'))}nil{number or ''}", "true")


REPAIRS = (_move, _double, _rename, _empty, _adorn)
CHANGES = (spliced, flipped, cut, repeated, restructured, restructured)


def misheaded(dice: random.Random, headers: dict[str, str]) -> dict[str, str]:
    """Headers of which one is unusual or missing."""
    unusual = {
        "content-type": (
            "text/xml; charset=bogus",
            "application/json",
            "text/xml;charset=utf-16",
            "",
            "text/xml;" * 50,
        ),
        "authorization": ("Basic ====", "Basic", "Bearer x", "Basic " + base64.b64encode(b"\xff\x00").decode()),
        "content-encoding": ("gzip", "deflate", "identity, gzip", "\u00e9"),
        "soapaction": ('"http://none.example/"', "\u0000"),
    }
    name = dice.choice(list(unusual))
    return {**headers, name: dice.choice(unusual[name])}


def request_of(dice: random.Random, operation: Operation, version: Version) -> HttpRequest:
    """A golden request with one to three changes in message and headers."""
    message = OPENING + etree.tostring(golden(version, operation, "request")) + CLOSING
    headers = HEADERS
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.1:
            headers = misheaded(dice, headers)
        elif dice.random() < 0.03:
            message, headers = gzip.compress(message), {**headers, "content-encoding": "gzip"}
        elif message:
            message = dice.choice(CHANGES)(dice, message)
    path = path_of(operation.port, dice.choice(ORDER))
    return HttpRequest("POST", path, "", headers, message, "https://server.example")


# -- The judgement ----------------------------------------------------------------------------------------------


def judge(answer: HttpAnswer, logs: list[Any], seconds: float, names: frozenset[str]) -> str:
    """The kind of the answer. Raises Finding."""
    if answer.status not in STATUSES:
        raise Finding(f"HTTP status {answer.status}")
    if seconds > LONGEST:
        raise Finding(f"the answer took {seconds:.2f} s of processor time")
    if logs:
        raise Finding(f"something unexpected was logged: {logs}")
    if SECRET.encode() in answer.body or SECRET in str(answer.headers):
        raise Finding("a secret is in the answer")
    if not answer.headers["Content-Type"].startswith("text/xml"):
        return f"{answer.status} plain"
    entry = etree.fromstring(answer.body)[-1][0]
    if local_name(entry) not in names | {"Fault"}:
        raise Finding(f"the answer says {entry.tag}")
    return f"{answer.status} {answer.facts.get('outcome', '')}"


def fuzz(seconds: float, seed: int, progress: Callable[[str], None] = lambda _: None) -> Report:
    """Try for so long. Raises Finding with what is needed to see it again."""
    report, ends = Report(), time.monotonic() + seconds
    stands = servers()
    cases = [(role, each, version) for role, server in stands.items() for each, version in served(role)]
    names = frozenset(wire_of(each.response).name_at(version) for each in OPERATIONS for version in ORDER)
    for number in numbers(ends):
        dice = random.Random(f"{seed}/{number}")
        role, operation, version = dice.choice(cases)
        request = request_of(dice, operation, version)
        try:
            kind = judged(stands[role], request, names, report)
        except Exception as error:
            raise Finding(f"{role}, {operation} {version.value}, seed {seed}/{number}: {error!r}\n{request}") from error
        report.answers[kind] += 1
        if number % 500 == 0:
            progress(f"{number:,} messages, {max(0.0, ends - time.monotonic()):.0f} s left")
    return report


def served(role: Role) -> Iterator[tuple[Operation, Version]]:
    """What a role serves, in which versions."""
    for each in OPERATIONS:
        if role in (Role.HOUSE, each.at):
            yield from ((each, version) for version in ORDER if each.exists_in(version))


def numbers(ends: float) -> Iterator[int]:
    """1, 2, 3 … until then."""
    number = 0
    while time.monotonic() < ends:
        yield (number := number + 1)


def judged(server: SoapServer, request: HttpRequest, names: frozenset[str], report: Report) -> str:
    """The kind of the answer to a request."""
    with capture_logs() as logs:
        started = time.thread_time()
        answer = server.answer(request)
        seconds = time.thread_time() - started
    report.slowest = max(report.slowest, seconds)
    return judge(answer, logs, seconds, names)


def main() -> int:
    """Fuzz as told on the command line."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked = parser.parse_args()
    console = Console()
    console.print(f"seed {asked.seed}, {asked.seconds:g} s")
    try:
        with console.status("…") as status:
            report = fuzz(asked.seconds, asked.seed, status.update)
    except Finding as finding:
        console.print(f"[red]{finding}[/red]", markup=True, highlight=False)
        return 1
    for kind, count in report.answers.most_common():
        console.print(f"{count:>10,} × {kind}")
    console.print(
        f"{report.answers.total():,} messages, none unanswered; the slowest took {report.slowest * 1e3:.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
