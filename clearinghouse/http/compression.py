"""Answers as gzip, for who asks for it."""

from __future__ import annotations

import dataclasses
import re
import zlib
from collections.abc import Generator, Mapping
from contextlib import closing

from clearinghouse.services.calls_port import HttpAnswer

WORTH_IT = 1400
"""Bytes that fit a packet anyway."""
LEVEL = 1
"""Lists shrink to a sixteenth at the fastest level; better ones take longer than a usual line would save."""
GZIP = re.compile(r"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE)
"""Accept-Encoding that names gzip with a weight that is not nought (RFC 9110, 12.5.3)."""


def compressed(answer: HttpAnswer, headers: Mapping[str, str]) -> HttpAnswer:
    """The answer as the request's headers ask for it."""
    body = answer.body
    if (isinstance(body, bytes) and len(body) < WORTH_IT) or not GZIP.search(headers.get("accept-encoding", "")):
        return answer
    stated = {**answer.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    zipped = zlib.compress(body, LEVEL, wbits=31) if isinstance(body, bytes) else _zipped(body)
    return dataclasses.replace(answer, headers=stated, body=zipped)


def _zipped(pieces: Generator[bytes]) -> Generator[bytes]:
    zipper = zlib.compressobj(LEVEL, wbits=31)
    with closing(pieces):
        for piece in pieces:
            if out := zipper.compress(piece):
                yield out
        yield zipper.flush()
