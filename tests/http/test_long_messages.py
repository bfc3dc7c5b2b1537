"""Uploads and lists over TLS: they wait in files, leave piece by piece, and hold nothing for clients that are gone."""

import gzip
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from clearinghouse.http.soap_door import COURTESY, MOMENT
from tests.http.conftest import running, until
from tests.http.served import pieces

SOAP = "/service/ochp/v1.4"
MOST = 3_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    bounds = {"max_body": 100_000, "max_upload": MOST, "body_seconds": 2.0}
    with running(tmp_path_factory.mktemp("long"), factory="served:long", arguments=bounds) as each:
        yield each


def said(server):
    return server.log.read_text()


@pytest.mark.parametrize(("length", "in_file"), [(100_000, False), (100_001, True), (MOST, True)])
def test_what_is_too_long_for_memory_waits_in_a_file(server, length, in_file):
    with server.client() as client:
        got = client.post(SOAP, content=b"x" * length).json()
    assert got == {"length": length, "in_file": in_file}


def test_an_upload_without_a_length_is_taken_up_to_the_bound(server):
    def chunks(count):
        yield from (b"x" * 50_000 for _ in range(count))

    with server.client() as client:
        assert client.post(SOAP, content=chunks(60)).json()["length"] == MOST
        refused = client.post(SOAP, content=chunks(61))
    assert (refused.status_code, "longer than 3000000 bytes" in refused.text) == (413, True)


def test_a_stranger_is_answered_before_the_upload_is_there(server):
    def chunks():
        yield b"stranger" * 20_000
        time.sleep(0.5)
        yield b"x" * 100_000

    with server.client() as client:
        refused = client.post(SOAP, content=chunks())
    assert (refused.status_code, refused.text) == (500, "who are you?")


def test_an_upload_may_take_long_as_long_as_it_goes_on(server):
    def chunks():
        for _ in range(5):
            yield b"x" * 100_001
            time.sleep(0.7)

    with server.client() as client:
        assert client.post(SOAP, content=chunks()).json() == {"length": 500_005, "in_file": True}


def test_a_long_answer_comes_in_pieces_and_whole(server):
    with server.client() as client:
        got = client.post(SOAP, content=b"stream 40")
    assert "content-length" not in got.headers
    assert got.content == b"".join(pieces(40, breaks=False))
    assert until(lambda: "closed after 40 of 40" in said(server))


def test_a_long_answer_is_compressed_for_who_asks(server):
    with (
        server.client(headers={"accept-encoding": "gzip;q=0.5, br"}) as client,
        client.stream("POST", SOAP, content=b"stream 41") as got,
    ):
        raw = b"".join(got.iter_raw())
    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == b"".join(pieces(41, breaks=False))
    with server.client(headers={"accept-encoding": "gzip;q=0, identity"}) as client:
        assert "content-encoding" not in client.post(SOAP, content=b"stream 2").headers


def test_an_answer_that_breaks_off_does_not_look_complete(server):
    with server.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(SOAP, content=b"break 30")
    with server.client() as client:
        assert client.post(SOAP, content=b"x").status_code == 200


def test_a_reader_that_leaves_frees_what_its_list_holds_at_once(server):
    with server.client() as client, client.stream("POST", SOAP, content=b"stream 9000") as got:
        next(got.iter_raw())
    assert until(lambda: " of 9000" in said(server), 3)
    assert "closed after 9000" not in said(server)


def test_a_reader_that_takes_nothing_is_left_in_the_end(server):
    with server.client() as client, client.stream("POST", SOAP, content=b"stream 9001") as got:
        next(got.iter_raw())
        assert until(lambda: " of 9001" in said(server), 8)
    assert "closed after 9001" not in said(server)


def test_short_calls_pass_while_lists_are_sent_and_files_come_in(server):
    stop = threading.Event()

    def read_slowly():
        with server.client() as client, client.stream("POST", SOAP, content=b"stream 2000") as got:
            for _ in got.iter_raw(1 << 16):
                if stop.wait(0.01):
                    return

    readers = [threading.Thread(target=read_slowly) for _ in range(8)]
    for reader in readers:
        reader.start()
    try:
        with server.client() as client:
            assert {client.post(SOAP, content=b"x").json()["length"] for _ in range(50)} == {1}
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_lists_give_way_to_short_calls_but_go_on(server):
    def read(count):
        with server.client() as client:
            return client.post(SOAP, content=b"stream %d" % count, headers={"accept-encoding": "identity"}).content

    def call():
        with server.client() as client:
            client.post(SOAP, content=b"sleep 4")

    calling = threading.Thread(target=call)
    calling.start()
    assert until(lambda: "asleep" in said(server))
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(read, [8, 8]))
    took = time.monotonic() - began
    assert calling.is_alive()
    calling.join()
    assert got == [b"".join(pieces(8, breaks=False))] * 2
    assert took > 16 * COURTESY * MOMENT, "each piece waited, and one list at a time"
