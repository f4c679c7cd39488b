"""What Prometheus is told of the service."""

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from defimon.apps.api.gauges import OfService
from defimon.apps.api.service import Service
from defimon.core.errors import DefimonError
from defimon.flows.watched import watched

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
"""Others are counted as one: a caller may make up as many as it likes."""

WATCHED_S = 10.0
"""How old figures of the store may be: a monitor asks every 15 seconds, several may."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of one application."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._requests = Counter(
            "defimon_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "defimon_request_seconds", "Time of an answer.", ("route",),
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self.open_requests = Gauge("defimon_requests_open", "Requests under way.", registry=self._registry)
        self._answers = Counter(
            "defimon_answers",
            "Answers to GET under /v1 by where they came from: memory, waited for another caller's, shared "
            "by another process, or made.",
            ("origin",), registry=self._registry,
        )  # fmt: skip
        self._origins = {name: self._answers.labels(name) for name in ("memory", "waited", "shared", "made")}
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._service, self._of_service = service, OfService(service)
        self._watched_at = -WATCHED_S
        self._registry.register(self._of_service)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        known = method if method in METHODS else "other"
        counted = self._counted.get((known, route, status))
        if counted is None:
            # Looking a child up by its labels takes longer than counting.
            pair = self._requests.labels(known, route, str(status)), self._seconds.labels(route)
            counted = self._counted.setdefault((known, route, status), pair)
        counted[0].inc()
        counted[1].observe(seconds)

    def note_answer(self, origin: str) -> None:
        """Count where an answer came from."""
        self._origins[origin].inc()

    async def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        if time.monotonic() - self._watched_at > WATCHED_S:
            self._watched_at = time.monotonic()
            try:
                self._of_service.watched = await self._service.reading(watched)
            except DefimonError:
                self._of_service.watched = None
        return generate_latest(self._registry)
