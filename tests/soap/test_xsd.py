"""Compiling schemas, which threads do side by side when a process begins."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from clearinghouse.ochp.versions import Version
from clearinghouse.soap import xsd


def test_no_two_threads_compile_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """libxml2 sets itself up in the first schema; two at once left a process that could not read any message."""
    compiling = threading.Semaphore()
    schema = etree.XMLSchema

    def compiled(tree: etree._Element) -> etree.XMLSchema:
        assert compiling.acquire(blocking=False), "another thread is compiling"
        time.sleep(0.05)
        try:
            return schema(tree)
        finally:
            compiling.release()

    monkeypatch.setattr(xsd.etree, "XMLSchema", compiled)
    together = threading.Barrier(3)

    def first(version: Version) -> etree.XMLSchema:
        together.wait()
        return xsd.validator(version)

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(first, Version))) == 3
