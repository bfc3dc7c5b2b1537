"""What the real server of these tests runs: `python served.py '{"port": 1, ...}'`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from clearinghouse.http.app import build
from clearinghouse.http.bodies import Bounds
from clearinghouse.http.certificates import TlsFiles
from clearinghouse.http.serve import Listening, serve
from clearinghouse.services.calls_port import HttpAnswer, HttpRequest


def answer(request: HttpRequest) -> HttpAnswer:
    """Say what was asked; sleep or fail when told to."""
    word, _, number = request.body[:40].decode("latin-1").partition(" ")
    if word == "sleep":
        time.sleep(float(number))
    if word == "crash":
        raise RuntimeError("password=hunter2")
    said = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "base_url": request.base_url,
        "length": len(request.body),
    }
    return HttpAnswer(
        200, {"Content-Type": "text/xml"}, json.dumps(said).encode(), {"operation": "SelectEvse", "version": "1.4"}
    )


def application(**bounds: float):
    """A provider in memory."""
    from clearinghouse.http.provider_api import provider_api
    from tests.http.memory_desks import MemoryProviderDesk, find_key

    api = provider_api(MemoryProviderDesk(), find_key, interval=0.05)
    return build(answer=answer, ready=lambda: None, threads=2, api=api, bounds=Bounds(**bounds))


def bare(**bounds: float):
    """SOAP alone."""
    return build(answer=answer, ready=lambda: None, threads=2, bounds=Bounds(**bounds))


def long_answer(request: HttpRequest) -> HttpAnswer:
    """Say how long the body was and how it came; or sleep; or stream so many pieces, and tell the log of the end."""
    body = request.body if isinstance(request.body, bytes) else request.body.read()
    word, _, number = body[:20].decode("latin-1").partition(" ")
    if word == "sleep":
        print("asleep", flush=True)
        time.sleep(float(number))
    if word in ("stream", "break"):
        return HttpAnswer(200, {"Content-Type": "text/xml"}, pieces(int(number), breaks=word == "break"))
    said = {"length": len(body), "in_file": not isinstance(request.body, bytes)}
    return HttpAnswer(200, {"Content-Type": "text/xml"}, json.dumps(said).encode())


def pieces(count, *, breaks):
    made = 0
    try:
        for made in range(1, count + 1):
            yield b"%06d\n" % made * 10_000
        if breaks:
            raise RuntimeError("the middle")
    finally:
        print(f"closed after {made} of {count}", flush=True)


def welcome(request: HttpRequest) -> HttpAnswer | None:
    """Strangers are not."""
    if request.body.startswith(b"stranger"):
        return HttpAnswer(500, {"Content-Type": "text/xml"}, b"who are you?", {"outcome": "unauthenticated"})
    return None


def long(**bounds: float):
    """SOAP with uploads and streams."""
    return build(answer=long_answer, welcome=welcome, ready=lambda: None, threads=2, bounds=Bounds(**bounds))


def slow(**bounds: float):
    """A role that takes its time to start."""
    time.sleep(1.5)
    return bare(**bounds)


if __name__ == "__main__":
    stated = json.loads(sys.argv[1])
    factory = stated.pop("factory", "served:application")
    if "tls" in stated:
        stated["tls"] = TlsFiles(**{name: Path(path) for name, path in stated["tls"].items()})
    serve(factory, Listening(**stated))
