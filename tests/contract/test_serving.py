"""The contract over HTTP: `?wsdl` and `?xsd=` with the address that the caller used."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import zeep
from lxml import etree

from clearinghouse.ochp.operations import OPERATIONS, Port
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4
from clearinghouse.soap.interfaces import INTERFACES, binding_of, operations_of, path_of, port_at
from clearinghouse.soap.markup import WSDL, XS, render
from clearinghouse.soap.wsdl import addressed, served

BASE = "https://hub.example:8443"


class Contract(BaseHTTPRequestHandler):
    """Answers what `served` gives for the address in the Host header."""

    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        version = next(each for each in reversed(ORDER) if url.path.rstrip("/").endswith(each.path))
        name = query["xsd"][0] if "xsd" in query else query["wsdl"][0] or None
        body = served(version, name, f"http://{self.headers['Host']}", url.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Contract) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("port", Port)
@pytest.mark.parametrize("version", ORDER)
def test_zeep_loads_it_over_http_and_calls_the_address_it_used(server, version, port):
    called = server + path_of(port, version)
    client = zeep.Client(f"{called}?wsdl", settings=zeep.Settings(strict=True))
    service = client.bind(INTERFACES[port].document.service, INTERFACES[port].ports[0])
    assert service._binding_options["address"] == called
    assert sorted(service._operations) == sorted(each.name_at(version) for each in operations_of(port, version))
    assert client.wsdl.bindings[binding_of(port, version)]
    client.transport.session.close()


def locations(content):
    root = etree.fromstring(content)
    return [each.get("location") for each in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")]


def test_the_port_called_has_the_address_called_and_the_others_their_official_path():
    assert locations(served(V1_4, None, BASE, "//direct/operator/ochp/v1.4/")) == [
        f"{BASE}/service/ochp/v1.4",
        f"{BASE}/service/ochp/v1.4",
        f"{BASE}/live/ochp/v1.4",
        f"{BASE}/live/ochp/v1.4",
        f"{BASE}/direct/ochp/v1.4",
        f"{BASE}/direct/ochp/v1.4",
        f"{BASE}//direct/operator/ochp/v1.4/",
        f"{BASE}/direct/provider/ochp/v1.4",
    ]


def test_a_prefix_of_a_proxy_and_a_trailing_slash_of_the_base_are_kept_apart():
    assert locations(served(V1_4, None, f"{BASE}/hub/", "/service/ochp/v1.4"))[0] == f"{BASE}/hub/service/ochp/v1.4"


def test_an_address_with_markup_in_it_stays_an_address():
    hostile = 'https://"><evil>&amp;'
    assert locations(served(V1_4, None, hostile, "/service/ochp/v1.4"))[0] == f"{hostile}/service/ochp/v1.4"


def test_an_address_that_cannot_stand_in_xml_is_refused():
    with pytest.raises(ValueError, match="XML compatible"):
        served(V1_4, None, "https://hub\x00.example", "/direct/ochp/v1.4")


def test_two_callers_get_their_own_addresses():
    for base in "https://a.example", "https://b.example", "https://a.example":
        assert all(each.startswith(base) for each in locations(served(V1_4, None, base, "/direct/ochp/v1.4")))


@pytest.mark.parametrize("name", ["../ochp-1.3/ochp.xsd", "/etc/passwd", "nothing.xsd", "ochp.xsd "])
def test_a_file_that_is_not_of_the_contract_is_not_served(name):
    assert served(V1_4, name, BASE, "/direct/ochp/v1.4") is None


@pytest.mark.parametrize("path", ["/", "/direct/ochp/v1.5", "/direct/ochp/v1.4.1", "/direct/ochp/v1.4/more", ""])
def test_at_another_path_nothing_is_served(path):
    assert served(V1_4, None, BASE, path) is None


def test_references_to_other_files_become_queries():
    root = WSDL.root("definitions", V1_4.namespace)
    root.append(WSDL("import", namespace=V1_4.namespace, location="ochp.wsdl"))
    root.append(WSDL("types", XS("schema", XS("import", namespace=V1_4.namespace, schemaLocation="ochp.xsd"))))
    content = addressed(render(root), {})
    assert b'location="?wsdl=ochp.wsdl"' in content
    assert b'schemaLocation="?xsd=ochp.xsd"' in content


def test_the_schema_is_served_as_it_is_published():
    content = served(V1_3, "ochp.xsd", BASE, "/direct/ochp/v1.3")
    assert etree.XMLSchema(etree.fromstring(content))


@pytest.mark.parametrize("version", ORDER)
def test_every_official_path_leads_back_to_its_port(version):
    for operation in OPERATIONS:
        assert port_at(path_of(operation.port, version), version) is operation.port
