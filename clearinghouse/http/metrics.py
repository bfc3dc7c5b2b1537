"""Figures for Prometheus: requests by operation, version and outcome, and how long they took.

With PROMETHEUS_MULTIPROC_DIR set, which `serve` does for several workers, every worker shows the sum of all.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SETTLED_AFTER = 0.1
"""Seconds after which a request is among the figures."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        # Imported in the worker: the library decides on the way in whether processes share their figures.
        import prometheus_client
        from prometheus_client import CollectorRegistry, Gauge, Histogram

        self._now_open = 0
        self._closed: list[tuple[tuple[str, str, str], float]] = []
        self._settling: asyncio.TimerHandle | None = None
        self._registry = CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "clearinghouse_requests",
            "Requests answered.",
            ("operation", "version", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "clearinghouse_request_seconds",
            "Time from the request's first byte to the answer's last, bodies included.",
            ("operation",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._open = Gauge(
            "clearinghouse_open_requests",
            "Requests not yet answered.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def opened(self) -> None:
        """A request came in."""
        self._now_open += 1
        self._settle_soon()

    def closed(self, operation: str, version: str, outcome: str, seconds: float) -> None:
        """A request was answered, or its client is gone."""
        self._now_open -= 1
        self._closed.append(((operation, version, outcome), seconds))
        self._settle_soon()

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(SETTLED_AFTER, self.settle)

    def settle(self) -> None:
        """Count what happened since the last time: one by one it would take a tenth of a short request's time."""
        self._settling = None
        closed, self._closed = self._closed, []
        for labels, count in Counter(labels for labels, _ in closed).items():
            self._requests.labels(*labels).inc(count)
        taken = {operation: self._seconds.labels(operation) for operation in {labels[0] for labels, _ in closed}}
        for (operation, _, _), seconds in closed:
            taken[operation].observe(seconds)
        self._open.set(self._now_open)

    def text(self) -> bytes:
        """The exposition of all workers where they share a folder, else of this process."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
