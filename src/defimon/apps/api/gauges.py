"""Figures of the service and of its store that are looked up when Prometheus asks."""

from collections.abc import Iterator
from datetime import datetime

import polars as pl
from prometheus_client.core import GaugeMetricFamily

from defimon.apps.api.service import Service
from defimon.core.tables import JOB_STATUSES
from defimon.flows.job_runs import Run
from defimon.flows.status import EndpointStatus
from defimon.flows.watched import Watched

Gauges = Iterator[GaugeMetricFamily]


class OfService:
    """Gauges of the last look at the store; `watched` is what was read of the store for this answer."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.watched: Watched | None = None

    def collect(self) -> Gauges:
        """As a collector of prometheus_client."""
        age = self._service.age_s
        if age is not None:
            yield _one("defimon_look_age_seconds", "Age of the last look at the store.", age)
        yield from self._of_look()
        up = self.watched is not None
        yield _one("defimon_store_up", "Whether the store answers (1) or not (0).", float(up))
        if self.watched is not None:
            yield from _of_series(self.watched.series)
            yield from _of_jobs(self.watched.jobs)
            yield from _of_endpoints(self.watched.endpoints)

    def _of_look(self) -> Gauges:
        known = self._service.last
        if known is None:
            return
        pools, forecasts = known.catalogue.pools, known.catalogue.forecasts
        yield _one("defimon_pools", "Pools in the store.", pools.height)
        newest = pools["ts"].max()
        if isinstance(newest, datetime):
            name = "defimon_newest_yield_timestamp_seconds"
            yield _one(name, "When the newest yield was true.", newest.timestamp())
        said = _many("defimon_newest_forecast_timestamp_seconds", "Day of the newest forecast.", "target")
        for target, moment in forecasts.group_by("target").agg(pl.col("ts").max()).sort("target").iter_rows():
            said.add_metric([target], moment.timestamp())
        yield said


def _one(name: str, doc: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, doc, value)


def _many(name: str, doc: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, doc, labels=labels)


def _of_series(series: dict[str, datetime]) -> Gauges:
    ages = _many("defimon_series_timestamp_seconds", "Time of what was stored last of a series.", "series")
    for name, moment in series.items():
        ages.add_metric([name], moment.timestamp())
    yield ages


def _of_jobs(jobs: list[Run]) -> Gauges:
    status = _many("defimon_job_status", "1 for how the last run of a job stands.", "job", "status")
    began = _many("defimon_job_started_timestamp_seconds", "When the last run of a job began.", "job")
    took = _many("defimon_job_seconds", "How long the last run of a job took.", "job")
    rows = _many("defimon_job_rows", "Rows that the last run of a job added or corrected.", "job")
    attempt = _many("defimon_job_attempt", "How often the last slot of a job was begun.", "job")
    due = _many("defimon_job_next_timestamp_seconds", "When a job is to run again.", "job")
    for run in jobs:
        for one in JOB_STATUSES:
            status.add_metric([run.job, one], float(run.status == one))
        began.add_metric([run.job], run.started_at.timestamp())
        attempt.add_metric([run.job], run.attempt)
        if run.ended_at is not None:
            took.add_metric([run.job], (run.ended_at - run.started_at).total_seconds())
        if run.rows is not None:
            rows.add_metric([run.job], run.rows)
        if run.next_at is not None:
            due.add_metric([run.job], run.next_at.timestamp())
    yield from (status, began, took, rows, attempt, due)


def _of_endpoints(endpoints: tuple[EndpointStatus, ...]) -> Gauges:
    calls = _many("defimon_source_calls", "Calls to a host on the last day it was asked on.", "endpoint")
    failures = _many("defimon_source_failures", "Those of them that failed.", "endpoint")
    latency = _many("defimon_source_latency_seconds", "Mean time of a host's answers.", "endpoint")
    resting = _many("defimon_source_resting", "1 while a host is left alone.", "endpoint")
    for one in endpoints:
        calls.add_metric([one.endpoint], one.calls)
        failures.add_metric([one.endpoint], one.failures)
        resting.add_metric([one.endpoint], float(one.state == "open"))
        if one.latency_s is not None:
            latency.add_metric([one.endpoint], one.latency_s)
    yield from (calls, failures, latency, resting)
