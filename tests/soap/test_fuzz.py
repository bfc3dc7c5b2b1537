"""A few seconds of what `make fuzz` does for minutes, and proof that it would see what it looks for."""

import pytest

from clearinghouse.ochp.operations import SELECT_EVSE, Role
from clearinghouse.ochp.versions import V1_4
from clearinghouse.services.calls_port import HttpAnswer
from tests.soap import fuzz


def test_changed_messages_get_answers_and_nothing_else():
    report = fuzz.fuzz(seconds=4, seed=1)
    assert report.answers["200 ok"]
    assert report.answers["500 fault"]
    assert report.answers["401 unauthenticated"]


def answer(body=b"", status=200, **headers):
    return HttpAnswer(status, {"Content-Type": "text/xml", **headers}, body)


ENVELOPE = f'<s:Envelope xmlns:s="{fuzz.ENVELOPE}"><s:Body><{{}}/></s:Body></s:Envelope>'


@pytest.mark.parametrize(
    ("said", "logs", "seconds", "finding"),
    [
        (answer(status=502), [], 0, "status 502"),
        (answer(fuzz.SECRET.encode()), [], 0, "secret"),
        (answer(ENVELOPE.format("Other").encode()), [], 0, "says Other"),
        (answer(ENVELOPE.format("Fault").encode()), [{"event": "unexpected"}], 0, "unexpected"),
        (answer(ENVELOPE.format("Fault").encode()), [], 2, "2.00 s"),
    ],
)
def test_what_must_not_be_is_found(said, logs, seconds, finding):
    with pytest.raises(fuzz.Finding, match=finding):
        fuzz.judge(said, logs, seconds, frozenset({"SelectEvseResponse"}))


def test_a_handler_that_breaks_is_found():
    def broken(request, caller, version):
        raise ZeroDivisionError

    server = fuzz.SoapServer(Role.OPERATOR, {SELECT_EVSE: broken}, fuzz.door)
    message = fuzz.OPENING + fuzz.etree.tostring(fuzz.golden(V1_4, SELECT_EVSE, "request")) + fuzz.CLOSING
    request = fuzz.HttpRequest("POST", "/", "", fuzz.HEADERS, message, "https://server.example")
    with pytest.raises(fuzz.Finding, match="ZeroDivisionError"):
        fuzz.judged(server, request, frozenset({"SelectEvseResponse"}), fuzz.Report())
