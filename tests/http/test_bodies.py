import asyncio
import time

import pytest

from clearinghouse.http.app import build, loggable
from clearinghouse.http.bodies import Bodies, Bounds, ClientGone
from clearinghouse.http.problems import Refusal
from clearinghouse.http.soap_door import caller_url
from clearinghouse.services.calls_port import HttpAnswer


def scope(*headers):
    return {"headers": [(b"host", b"hub.example"), *headers], "scheme": "http", "server": None}


def arriving(*chunks, then=None):
    """A client that sends these chunks, and no more after them unless `then` says so."""
    waiting = list(chunks)

    async def receive():
        if waiting:
            body = waiting.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(waiting) or then is not None}
        if then:
            return {"type": then}
        return await asyncio.Future()

    return receive


def read(bodies, receive, *headers):
    return asyncio.run(bodies.read(scope(*headers), receive))


def test_chunks_become_one_body():
    assert read(Bodies(Bounds()), arriving(b"ab", b"", b"c")) == b"abc"


def test_a_last_chunk_too_many_is_refused_at_once():
    began = time.monotonic()
    with pytest.raises(Refusal, match="longer than 3 bytes"):
        read(Bodies(Bounds(max_body=3)), arriving(b"ab", b"cd"))
    assert time.monotonic() - began < 0.5


def test_who_waits_for_a_go_ahead_gets_none():
    asked = []

    async def receive():
        asked.append(1)
        return {"type": "http.disconnect"}

    with pytest.raises(Refusal) as refused:
        read(Bodies(Bounds(max_body=3)), receive, (b"content-length", b"4"), (b"expect", b"100-continue"))
    assert (refused.value.status, asked) == (413, [])


def test_a_client_that_hangs_up_is_no_body():
    with pytest.raises(ClientGone):
        read(Bodies(Bounds()), arriving(b"ab", then="http.disconnect"))


def test_all_bodies_together_are_bounded_and_forgotten_when_done():
    bodies = Bodies(Bounds(max_buffered=10))
    first = read(bodies, arriving(b"12345678"))
    for _ in range(3):
        with pytest.raises(Refusal) as refused:
            read(bodies, arriving(b"12", b"3"))
        assert (refused.value.status, refused.value.headers) == (503, {"retry-after": "5"})
    bodies.forget(first)
    assert read(bodies, arriving(b"1234567890")) == b"1234567890"


@pytest.mark.parametrize("length", [b"-1", b"x", b"1e3"])
def test_a_length_that_is_no_number_is_refused(length):
    with pytest.raises(Refusal) as refused:
        read(Bodies(Bounds()), arriving(b""), (b"content-length", length))
    assert refused.value.status == 400


FORWARDED = {"host": "inside:8080", "x-forwarded-proto": "http, https", "x-forwarded-host": "evil, hub.example"}


@pytest.mark.parametrize(("trusted", "url"), [(True, "https://hub.example"), (False, "http://inside:8080")])
def test_a_proxys_word_counts_only_where_it_is_trusted(trusted, url):
    assert caller_url(scope(), FORWARDED, trust_forwarded=trusted) == url


@pytest.mark.parametrize("host", ["", "a b", "a/b", 'a"', "[::1", "x:123456", "host\n"])
def test_a_host_that_could_be_none_is_refused(host):
    with pytest.raises(Refusal):
        caller_url(scope(), {"host": host}, trust_forwarded=False)


@pytest.mark.parametrize("host", ["hub.example", "hub.example:8443", "127.0.0.1:1", "[::1]:8443"])
def test_hosts_of_every_kind_pass(host):
    assert caller_url(scope(), {"host": host}, trust_forwarded=False) == f"http://{host}"


@pytest.mark.parametrize("why", ["no store", RuntimeError("password=hunter2")])
def test_a_process_without_its_store_is_up_but_not_ready(why):
    from tests.http.asgi_call import call

    def ready():
        if isinstance(why, str):
            return why
        raise why

    app = build(answer=lambda request: HttpAnswer(200, {}, b""), ready=ready)
    assert call(app, "GET", "/healthz").status_code == 200
    refused = call(app, "GET", "/readyz")
    assert (refused.status_code, refused.json()["detail"]) == (503, why if isinstance(why, str) else "RuntimeError")


def test_a_path_cannot_write_lines_into_the_log():
    assert loggable("/a\nlevel=error") == "/a\\nlevel=error"
    assert len(loggable("/" + "a" * 5000)) == 200
