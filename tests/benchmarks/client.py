"""What calls a role, in a process of its own: `python -m tests.benchmarks.client` obeys orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.benchmarks.bulk import download, downloads, upload
from tests.benchmarks.load import make_calls
from tests.benchmarks.measuring import obey

ORDERS: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "upload": upload,
    "download": download,
    "downloads": downloads,
    "calls": make_calls,
}

if __name__ == "__main__":
    obey(lambda order, **said: ORDERS[order](**said))
