"""The real server over TLS: SOAP passes, bad bodies harm only themselves."""

import socket
import threading
import time

import httpx
import pytest

SOAP = "/service/ochp/v1.4"


def read_head(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            break
        received += chunk
    return received


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/service/ochp/v1.4", "/service/ochp/v1.4"),
        ("/live/ochp/v1.3/", "/live/ochp/v1.3"),
        ("//direct//ochp/v1.4.1//", "/direct/ochp/v1.4.1"),
        ("/direct/operator/ochp/v1.4", "/direct/operator/ochp/v1.4"),
        ("/direct/provider/ochp/v1.4/any/deeper", "/direct/provider/ochp/v1.4/any/deeper"),
    ],
)
def test_every_port_passes_the_request_as_it_came(server, path, seen):
    with server.client() as client:
        got = client.post(server.url + path + "?wsdl", content=b"<x/>").json()
    assert got == {"method": "POST", "path": seen, "query": "wsdl", "base_url": server.url, "length": 4}


def test_a_contract_is_fetched_with_get(server):
    with server.client() as client:
        assert client.get(SOAP + "?wsdl").json()["method"] == "GET"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_which_there_are(server, method):
    with server.client() as client:
        refused = client.request(method, SOAP)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


def test_a_path_where_nothing_is_gives_a_problem(server):
    with server.client() as client:
        missing = client.get("/nowhere")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_a_host_that_is_none_never_reaches_a_contract(server):
    with server.client() as client:
        refused = client.get(SOAP, headers={"host": 'x"><script>'})
    assert refused.status_code == 400


def test_a_longer_body_than_allowed_is_refused_before_it_is_sent(server):
    with server.raw() as connection:
        connection.sendall(f"POST {SOAP} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999\r\n\r\n".encode())
        assert b" 413 " in read_head(connection)


def test_a_longer_body_than_allowed_is_refused_with_and_without_a_length(server):
    with server.client() as client:
        sized = client.post(SOAP, content=b"x" * 100_001)
        chunked = client.post(SOAP, content=(b"x" * 10_000 for _ in range(20)))
        fitting = client.post(SOAP, content=(b"x" * 10_000 for _ in range(10)))
    assert [sized.status_code, chunked.status_code, fitting.status_code] == [413, 413, 200]
    assert sized.json()["detail"] == chunked.json()["detail"] == "The body is longer than 100000 bytes."


def test_slow_bodies_block_nobody_and_are_ended(server):
    slow = [server.raw() for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(f"POST {SOAP} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx".encode())
        began = time.perf_counter()
        with server.client() as client:
            assert client.post(SOAP, content=b"<x/>").status_code == 200
        assert time.perf_counter() - began < 0.8
        assert all(b" 408 " in read_head(connection) for connection in slow)
    finally:
        for connection in slow:
            connection.close()


def test_clients_that_hang_up_harm_nobody(server):
    for _ in range(10):
        with server.raw() as connection:
            connection.sendall(f"POST {SOAP} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx".encode())
        with server.raw() as connection:
            connection.sendall(
                f"POST {SOAP} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nsleep 0.1".encode()
            )
    with server.client() as client:
        assert client.post(SOAP, content=b"<x/>").status_code == 200
    time.sleep(0.3)
    assert "Traceback" not in server.log.read_text()


def test_a_crash_inside_shows_and_logs_no_secret(server):
    with server.client() as client:
        crashed = client.post(SOAP, content=b"crash ", headers={"authorization": "Basic c2VjcmV0OnNlY3JldA=="})
    assert (crashed.status_code, crashed.json()["title"]) == (500, "Internal Server Error")
    log = server.log.read_text()
    assert "RuntimeError" in log
    assert "hunter2" not in log + crashed.text
    assert "c2VjcmV0" not in log


def test_probes_and_figures(server):
    with server.client() as client:
        client.post(SOAP, content=b"<x/>")
        assert client.get("/healthz").json() == {"status": "up"}
        assert client.get("/readyz").json() == {"status": "ready"}
        figures = client.get("/metrics").text
    assert 'clearinghouse_requests_total{operation="SelectEvse",outcome="200",version="1.4"}' in figures
    assert 'clearinghouse_request_seconds_bucket{le="0.25",operation="SelectEvse"}' in figures


def test_the_access_log_leaves_out_queries(server):
    with server.client() as client:
        client.get(SOAP + "?token=very-secret")
    deadline = time.monotonic() + 2
    while "'operation': 'SelectEvse'" not in (log := server.log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "path=/service/ochp/v1.4" in log.replace("\x1b[0m", "").replace("\x1b[36m", "").replace("\x1b[35m", "")
    assert "very-secret" not in log


def test_small_messages_pass_while_answers_are_slow(server):
    """Two threads: one slow answer leaves one."""
    slow = threading.Thread(target=lambda: httpx.post(server.url + SOAP, content=b"sleep 1", verify=server.trust))
    slow.start()
    began = time.perf_counter()
    with server.client() as client:
        assert all(client.post(SOAP, content=b"<x/>").status_code == 200 for _ in range(5))
        assert client.get("/healthz").status_code == 200
    assert time.perf_counter() - began < 0.9
    slow.join()


def test_a_silent_connection_costs_no_answer(server):
    silent = [socket.create_connection(("localhost", server.port)) for _ in range(30)]
    try:
        with server.client() as client:
            assert client.post(SOAP, content=b"<x/>").status_code == 200
    finally:
        for connection in silent:
            connection.close()
