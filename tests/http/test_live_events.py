"""Server-sent events through the real server."""

import json
import threading
import time

import pytest

from tests.http.conftest import running, until
from tests.http.memory_desks import CONTRACT, EVSE, KEY

HEADERS = {"authorization": f"Bearer {KEY}"}


def events(response, wanted):
    """The first so many events of a stream, as (number, kind, data)."""
    found, fields = [], {}
    for line in response.iter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
            fields = {}
        if len(found) == wanted:
            return found
    return found


def start(client):
    made = client.post("/api/v1/charges", headers=HEADERS, json={"evseId": EVSE, "contractId": CONTRACT})
    assert made.status_code == 201, made.text
    return made.headers["location"]


def test_a_listener_sees_what_happens_and_resumes_where_it_left(server):
    with server.client() as client:
        path = start(client)
        with client.stream("GET", f"{path}/events", headers=HEADERS) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            threading.Timer(0.2, lambda: client.post(f"{path}/stop", headers=HEADERS)).start()
            seen = events(stream, 2)
        assert [kind for _, kind, _ in seen] == ["selected", "ended"]
        assert seen[1][2]["detail"] == {"state": "ended"}
        client.post(f"{path}/release", headers=HEADERS)
        with client.stream("GET", f"{path}/events", headers=HEADERS | {"last-event-id": str(seen[1][0])}) as stream:
            assert [kind for _, kind, _ in events(stream, 1)] == ["released"]


def test_one_charge_tells_nothing_of_another(server):
    with server.client() as client:
        path = start(client)
        with client.stream("GET", f"{path}/events", headers=HEADERS) as stream:

            def others():
                time.sleep(0.2)
                start(client)
                client.post(f"{path}/stop", headers=HEADERS)

            threading.Thread(target=others).start()
            assert {data["chargeId"] for _, _, data in events(stream, 2)} == {path.rpartition("/")[2]}


def test_all_events_come_without_gap_or_repetition_while_a_listener_catches_up(server):
    with server.client() as client:
        start(client)
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                start(client)

        writer = threading.Thread(target=busy)
        writer.start()
        try:
            with client.stream("GET", "/api/v1/events", headers=HEADERS | {"last-event-id": "0"}) as stream:
                numbers = [number for number, _, _ in events(stream, 60)]
        finally:
            stop.set()
            writer.join()
    assert numbers == list(range(1, 61))


def test_a_listener_without_a_number_hears_only_what_is_new(server):
    with server.client() as client:
        start(client)
        with client.stream("GET", "/api/v1/events", headers=HEADERS) as stream:
            time.sleep(0.3)
            path = start(client)
            assert events(stream, 1)[0][2]["chargeId"] == path.rpartition("/")[2]


def test_a_hundred_listeners_leave_the_threads_to_others(server):
    with server.client() as client:
        connections = [server.raw() for _ in range(100)]
        try:
            for connection in connections:
                connection.sendall(
                    f"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n\r\n".encode()
                )
            time.sleep(0.5)
            began = time.perf_counter()
            start(client)
            assert time.perf_counter() - began < 1
            assert all(read_until(connection, b"event: selected") for connection in connections)
        finally:
            for connection in connections:
                connection.close()
        assert until(lambda: "clearinghouse_open_requests 1.0" in client.get("/metrics").text), "listeners stayed"


def read_until(connection, wanted):
    received = b""
    while wanted not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return False
        received += chunk
    return True


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30])
def test_a_number_that_cannot_be_resumed_from_is_refused(server, number):
    with server.client() as client:
        refused = client.get("/api/v1/events", headers=HEADERS | {"last-event-id": number})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "Last-Event-ID")


def test_a_server_that_stops_ends_the_streams_at_once(tmp_path):
    with running(tmp_path) as server, server.client() as client:
        with client.stream("GET", "/api/v1/events", headers=HEADERS) as stream:
            time.sleep(0.2)
            server.process.terminate()
            began = time.perf_counter()
            assert events(stream, 1) == []
        assert server.process.wait(10) == 0
        assert time.perf_counter() - began < 5
    log = server.log.read_text()
    assert "refused to gracefully stop" not in log
    assert "Traceback" not in log
