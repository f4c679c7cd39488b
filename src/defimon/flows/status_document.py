"""The state of all series as a JSON document, as docs/collecting.md describes it."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from defimon.flows.job_runs import Run
from defimon.flows.shown_faults import shown_fault, shown_warnings
from defimon.flows.status import Quality, Status

FORMAT = "defimon.status"
VERSION = 1


def status_document(status: Status) -> dict[str, Any]:
    """Versioned; times are ISO 8601 in UTC, shares fractions, lengths of time seconds."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "at": status.at.isoformat(),
        "series": [_plain(asdict(one)) for one in status.series],
        "quality": [_quality(one) for one in status.quality],
        "health": [_plain(asdict(one)) for one in status.health],
        "jobs": [_job(one) for one in status.jobs],
    }


def public_status_document(status: Status) -> dict[str, Any]:
    """The same for whoever may read, who is told neither the workers' machines nor places on their disks."""
    jobs = []
    for run in status.jobs:
        error = shown_fault(run.error, run.owner)
        jobs.append(replace(run, error=error, warnings=shown_warnings(run.warnings)))
    document = status_document(replace(status, jobs=tuple(jobs)))
    for job in document["jobs"]:
        del job["owner"]
    return document


def _quality(one: Quality) -> dict[str, Any]:
    return {**asdict(one), "share": one.share}


def _job(run: Run) -> dict[str, Any]:
    told = asdict(run)
    told.pop("rested")
    return _plain(told)


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
