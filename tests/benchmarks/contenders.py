"""Who answers SelectEvse within one process: stock Spyne, a few lines of lxml, and this project's SOAP layer.

Each runs in a process of its own, `python -m tests.benchmarks.contenders NAME`, so that none gains or suffers from
what another has changed in a library, and each one's memory is its own.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.benchmarks import messages
from tests.benchmarks.measuring import obey, peak_memory

BATCH = 50
WARM_UP = 200
Answer = Callable[[bytes], bytes]


def stock_spyne() -> Answer:
    """Spyne as it comes: Soap11 in and out without validation, behind WSGI, the handler giving a canned answer."""
    from spyne import Application, Service
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

    import clearinghouse.soap  # noqa: F401 - without it Spyne cannot be imported from Python 3.12 on
    from clearinghouse.ochp import operations as op
    from clearinghouse.ochp.direct import SelectEvseResponse
    from clearinghouse.ochp.results import DirectResult
    from clearinghouse.ochp.versions import V1_4
    from clearinghouse.soap.models import method, model

    response, result = model(SelectEvseResponse, V1_4), model(DirectResult, V1_4)
    ttl, code = member(response, "ttl"), member(result, "resultCode")

    def handle(ctx: Any, request: Any) -> Any:
        assert request.evseId
        assert request.contractId
        return response(
            result=result(resultCode=code(resultCode="ok"), resultDescription="ok"),
            directId=messages.DIRECT_ID,
            ttl=ttl(DateTime=messages.TTL.strftime("%Y-%m-%dT%H:%M:%SZ")),
        )

    service = type("Operator", (Service,), {"SelectEvse": method(op.SELECT_EVSE, V1_4, handle)})
    application = Application([service], tns=V1_4.namespace, in_protocol=Soap11(), out_protocol=Soap11())
    wsgi = WsgiApplication(application)

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        assert status == "200 OK", status

    def answer(body: bytes) -> bytes:
        return b"".join(wsgi(environment(body), start_response))

    return answer


def member(cls: Any, name: str) -> Any:
    """The class of a model's member as it was declared: Spyne warns at each object of a customized one."""
    return cls.get_flat_type_info(cls)[name].__orig__


def environment(body: bytes) -> dict[str, Any]:
    """A POST as WSGI says it."""
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": messages.PATH,
        "QUERY_STRING": "",
        "SERVER_NAME": "operator.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": messages.HEADERS["content-type"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "https",
        "wsgi.errors": sys.stderr,
    }


def bare_lxml() -> Answer:
    """The least that can be done: parse, find the two values, fill a template. It checks nothing."""
    from lxml import etree

    from clearinghouse.ochp.versions import V1_4
    from clearinghouse.soap.faults import HEAD, TAIL

    evse, contract = (f".//{{{V1_4.namespace}}}{name}" for name in ("evseId", "contractId"))
    canned = (
        HEAD
        + (
            f'<SelectEvseResponse xmlns="{V1_4.namespace}"><result><resultCode><resultCode>ok</resultCode></resultCode>'
            f"<resultDescription>ok</resultDescription></result><directId>{messages.DIRECT_ID}</directId>"
            "<ttl><DateTime>%s</DateTime></ttl></SelectEvseResponse>"
        ).encode()
    )
    ttl = messages.TTL.strftime("%Y-%m-%dT%H:%M:%SZ").encode()

    def answer(body: bytes) -> bytes:
        root = etree.fromstring(body)
        assert root.findtext(evse)
        assert root.findtext(contract)
        return canned % ttl + TAIL

    return answer


def our_soap() -> Answer:
    """This project's SOAP server with a handler and a doorkeeper that do nothing: everything but TLS and the store."""
    from clearinghouse.domain.partners import Partner
    from clearinghouse.ochp import operations as op
    from clearinghouse.ochp.direct import SelectEvseResponse
    from clearinghouse.ochp.operations import Role
    from clearinghouse.ochp.results import DirectResult, DirectResultCode
    from clearinghouse.services.calls_port import HttpRequest, TokenPair
    from clearinghouse.soap.security import basic_header
    from clearinghouse.soap.server import SoapServer

    caller = Partner(name="partner")
    result = DirectResult.of(DirectResultCode.OK)

    def handle(request: Any, caller: Any, version: Any) -> SelectEvseResponse:
        assert request.evse_id
        assert request.contract_id
        return SelectEvseResponse(result=result, direct_id=messages.DIRECT_ID, ttl=messages.TTL)

    server = SoapServer(Role.OPERATOR, {op.SELECT_EVSE: handle}, lambda credentials, role: caller)
    basic = basic_header(TokenPair("r" * 43, "s" * 43))["Authorization"]
    headers = {**messages.HEADERS, "authorization": basic}

    def answer(body: bytes) -> bytes:
        return server.answer(HttpRequest("POST", messages.PATH, "", headers, body, "https://operator.example")).body

    return answer


CONTENDERS: Mapping[str, Callable[[], Answer]] = {"spyne": stock_spyne, "lxml": bare_lxml, "soap": our_soap}


def main(name: str) -> None:
    """Work as this contender until the input ends."""
    answer = CONTENDERS[name]()
    bodies = [messages.request(number) for number in range(BATCH)]
    for _ in range(WARM_UP // BATCH):
        check(answer, bodies)

    def work(seconds: float) -> Mapping[str, Any]:
        done, started, cpu = 0, time.perf_counter(), time.process_time()
        while (taken := time.perf_counter() - started) < seconds:
            check(answer, bodies)
            done += len(bodies)
        return {"done": done, "seconds": taken, "cpu": time.process_time() - cpu, "peak_memory": peak_memory()}

    obey(work)


def check(answer: Answer, bodies: list[bytes]) -> None:
    """Answer each; raises RuntimeError for an answer that is not `ok`."""
    for body in bodies:
        answered = answer(body)
        if b">ok<" not in answered:
            raise RuntimeError(f"not ok: {answered!r}")


if __name__ == "__main__":
    main(sys.argv[1])
