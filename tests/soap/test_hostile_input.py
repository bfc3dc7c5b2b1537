"""Hostile and broken input, at every role: a clear fault or HTTP error, soon, and nothing of it in the logs."""

import dataclasses
import gzip
import logging
import socket
import threading
import time

import pytest
import structlog
from lxml import etree

from clearinghouse.soap.faults import ENVELOPE
from tests.soap.posts import ROLES, SEEN, SELECT, control, enveloped, post, report, server

GOOD = enveloped(SELECT)
MARK = "confidential-marker"
ENTITIES = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
LAUGHS = f'<!DOCTYPE l [<!ENTITY a0 "lolololol">{ENTITIES}]>'
QUADRATIC = f'<!DOCTYPE l [<!ENTITY a "{"x" * 50_000}">]>'


def deep(levels):
    return enveloped("<n:ReportDiscrepancyRequest>" + "<n:report>" * levels + "</n:report>" * levels + "</n:x>")


def many_attributes(count):
    attributes = " ".join(f'a{i}="{i}"' for i in range(count))
    return enveloped(SELECT.replace("<n:evseId>", f"<n:evseId {attributes}>"))


def many_namespaces(count):
    declared = " ".join(f'xmlns:p{i}="urn:{i}"' for i in range(count))
    return enveloped(SELECT.replace("<n:evseId>", f"<n:evseId {declared}>"))


def many_header_attributes(count):
    attributes = " ".join(f'a{i}="{i}"' for i in range(count))
    return enveloped(SELECT, f'<x:Foo xmlns:x="urn:x" {attributes}/>')


REFUSED = {
    "malformed": (b"<soapenv:Envelope><a>" + MARK.encode(), {}),
    "no XML": (MARK, {}),
    "nothing": (b"", {}),
    "white space": (b"  \r\n\t ", {}),
    "an empty Body": (enveloped(""), {}),
    "no Body": ('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/></s:Envelope>', {}),
    "an empty Envelope": ('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>', {}),
    "text in the Body": (enveloped(MARK), {}),
    "SOAP 1.2": (
        GOOD.replace(ENVELOPE, "http://www.w3.org/2003/05/soap-envelope"),
        {},
    ),
    "no envelope": (SELECT.replace("<n:SelectEvseRequest", '<n:SelectEvseRequest xmlns:n="http://ochp.eu/1.4"', 1), {}),
    "an unknown operation": (GOOD.replace("SelectEvse", "FooBar"), {}),
    "an unknown namespace": (GOOD.replace("ochp.eu/1.4", "ochp.eu/9.9"), {}),
    "an operation without namespace": (GOOD.replace("n:SelectEvseRequest", "SelectEvseRequest"), {}),
    "a missing element": (GOOD.replace("<n:contractId>YY-ABC-C12345678-X</n:contractId>", ""), {}),
    "a bad pattern": (GOOD.replace("YY*XYZ*E1234", "!!!"), {}),
    "a doubled element": (GOOD.replace("<n:evseId>", "<n:evseId>YY*XYZ*E9</n:evseId><n:evseId>"), {}),
    "two body entries": (enveloped(SELECT + SELECT), {}),
    "a header to be understood": (enveloped(SELECT, '<x:Foo xmlns:x="urn:x" soapenv:mustUnderstand="1"/>'), {}),
    "a number that is none": (control(f"<n:maxPower>{MARK}</n:maxPower>"), {}),
    "an infinite number": (control("<n:maxPower>INF</n:maxPower>"), {}),
    "a boolean that is none": (control("<n:onePhase>maybe</n:onePhase>"), {}),
    "a NUL": (GOOD.replace("XYZ", "X\0Z"), {}),
    "a control character": (GOOD.replace("XYZ", "&#1;"), {}),
    "an href to nowhere": (GOOD.replace("<n:evseId>YY*XYZ*E1234", '<n:evseId id="a"/><n:evseId href="#nope">'), {}),
    "an href cycle": (
        enveloped(
            '<n:SelectEvseRequest><n:evseId href="#b"/><n:x id="b"><n:y href="#c"/></n:x>'
            '<n:x id="c"><n:y href="#b"/></n:x></n:SelectEvseRequest>'
        ),
        {},
    ),
    "3 MB": (report("x" * (3 << 20)), {}),
    "depth 300": (deep(300), {}),
    "depth 50000": (deep(50_000), {}),
    "billion laughs": (LAUGHS + report("&a9;"), {}),
    "billion laughs in an attribute": (LAUGHS + report("a").replace("<n:report>", '<n:report z="&a9;">'), {}),
    "quadratic blow-up": (QUADRATIC + report("&a;" * 4000), {}),
    "a small entity": ('<!DOCTYPE l [<!ENTITY x "foo">]>' + report("a&x;b"), {}),
    "a default attribute": ('<!DOCTYPE l [<!ATTLIST n:report z CDATA "d">]>' + report("a"), {}),
    "a document type after a comment": ("<!-- Envelope -->" + LAUGHS + report("&a9;"), {}),
    "100,000 attributes": (many_attributes(100_000), {}),
    "envelopes three deep": (enveloped(enveloped(enveloped(SELECT))), {}),
    "an unknown charset": (GOOD, {"content_type": "text/xml; charset=bogus"}),
    "an unknown declared encoding": ('<?xml version="1.0" encoding="x-bogus"?>' + GOOD, {"content_type": "text/xml"}),
    "JSON": (GOOD, {"content_type": "application/json"}),
    "multipart": (GOOD, {"content_type": "multipart/related; boundary=x"}),
    "no Content-Type": (GOOD, {"content_type": ""}),
    "broken gzip": (MARK, {"content_encoding": "gzip"}),
    "cut gzip": (gzip.compress(GOOD.encode())[:-20], {"content_encoding": "gzip"}),
    "a gzip bomb": (gzip.compress(b" " * (200 << 20), 9), {"content_encoding": "gzip"}),
    "brotli": (GOOD, {"content_encoding": "br"}),
}
ACCEPTED = {
    "a nil operation with content": (GOOD.replace("<n:SelectEvseRequest>", '<n:SelectEvseRequest xsi:nil="true">'), {}),
    "a wrong SOAPAction": (GOOD, {"soapaction": '"http://evil/"'}),
    "a declaration": ('<?xml version="1.0" encoding="utf-8"?>' + GOOD, {}),
    "Latin-1 declared": (
        ('<?xml version="1.0" encoding="iso-8859-1"?>' + report("é")).encode("latin1"),
        {"content_type": "text/xml"},
    ),
    "Latin-1 declared, UTF-8 in the header": (
        ('<?xml version="1.0" encoding="iso-8859-1"?>' + report("é")).encode("latin1"),
        {},
    ),
    "UTF-16 with byte order mark": (report("é").encode("utf-16"), {"content_type": "text/xml"}),
    "UTF-16 in the header, UTF-8 in truth": (report("é"), {"content_type": "text/xml; charset=utf-16"}),
    "Windows-1252 that says it is UTF-8": (report("é").encode("cp1252"), {}),
    "a processing instruction": (GOOD.replace("<n:evseId>", "<?p q?><n:evseId>"), {}),
    "a comment in a text": (GOOD.replace("XYZ", "X<!--x-->YZ"), {}),
    "an unknown xsi:type": (GOOD.replace("<n:evseId>", '<n:evseId xsi:type="n:Nope">'), {}),
    "an xsi:type without prefix": (GOOD.replace("<n:evseId>", '<n:evseId xsi:type="zz:Nope">'), {}),
    "an empty optional boolean": (control("<n:onePhase/>"), {}),
    "an unknown element": (GOOD.replace("<n:evseId>", "<n:zz>1</n:zz><n:evseId>"), {}),
    "children without namespace": (GOOD.replace("n:evseId", "evseId"), {}),
    "100,000 attributes in a header": (many_header_attributes(100_000), {}),
    "gzip": (gzip.compress(GOOD.encode()), {"content_encoding": "gzip"}),
    "a header of WS-Addressing": (
        enveloped(
            SELECT,
            '<a:To xmlns:a="http://www.w3.org/2005/08/addressing" soapenv:mustUnderstand="1">https://x</a:To>',
        ),
        {},
    ),
}


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as entries:
        yield lambda: caplog.text + str(entries)


@pytest.fixture(scope="module", params=ROLES)
def house(request):
    return server(request.param)


def timed(soap, request):
    began = time.thread_time()
    answer = soap.answer(request)
    assert time.thread_time() - began < 2
    return answer


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_gets_a_clear_fault_and_leaves_no_trace(house, case, logged):
    body, headers = REFUSED[case]
    answer = timed(house, post(body, **headers))
    assert answer.status in (413, 415, 500)
    text = etree.fromstring(answer.body).findtext(".//faultstring")
    assert len(text) > 20 and "Internal error" not in text
    assert len(answer.body) < 1200
    assert MARK not in logged() and "YY*XYZ" not in logged() and "unexpected" not in logged()


@pytest.mark.parametrize("case", ACCEPTED)
def test_odd_but_clear_input_is_served(house, case, logged):
    body, headers = ACCEPTED[case]
    answer = timed(house, post(body, **headers))
    assert answer.status == 200, answer.body
    assert "unexpected" not in logged()


def test_60_000_namespaces_are_no_burden(house):
    assert timed(house, post(many_namespaces(60_000))).status in (200, 500)


@pytest.mark.parametrize("version", ["1.3", "1.4.1"])
def test_the_namespace_decides_the_version(house, version):
    answer = house.answer(post(GOOD.replace("ochp.eu/1.4", f"ochp.eu/{version}")))
    assert answer.facts["version"] == version and f"http://ochp.eu/{version}".encode() in answer.body


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_other_methods_are_refused_with_what_is_allowed(house, method):
    request = post(GOOD)
    answer = house.answer(dataclasses.replace(request, method=method))
    assert answer.status == 405 and "POST" in answer.headers["Allow"]


@pytest.fixture
def listener():
    hits = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)

        def run():
            try:
                while True:
                    connection, _ = listening.accept()
                    hits.append(connection.recv(100))
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=run)
        thread.start()
        yield listening.getsockname()[1], hits
    thread.join()


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE l [<!ENTITY x SYSTEM "URL">]>' + report("&x;"),
        '<!DOCTYPE l SYSTEM "URL">' + report("a"),
        '<!DOCTYPE l [<!ENTITY % p SYSTEM "URL"> %p;]>' + report("a"),
        report("a").replace("<n:report>", '<n:report xsi:schemaLocation="http://ochp.eu/1.4 URL">'),
        report("a").replace("<n:report>", '<n:report xsi:noNamespaceSchemaLocation="URL">'),
        GOOD.replace("<n:evseId>", '<n:evseId xsi:schemaLocation="urn:x URL">'),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "file"])
def test_nothing_is_fetched_for_a_message(house, document, scheme, listener, tmp_path):
    port, hits = listener
    secret = tmp_path / "secret.xsd"
    secret.write_text("TOP-SECRET")
    url = f"http://127.0.0.1:{port}/x" if scheme == "http" else secret.as_uri()
    SEEN.clear()
    answer = house.answer(post(document.replace("URL", url)))
    assert hits == [] and b"TOP-SECRET" not in answer.body and "TOP-SECRET" not in str(SEEN)
