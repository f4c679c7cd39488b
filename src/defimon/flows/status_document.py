"""The state of all series as a JSON document, as docs/collecting.md describes it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from defimon.flows.job_runs import Run
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


def _quality(one: Quality) -> dict[str, Any]:
    return {**asdict(one), "share": one.share}


def _job(run: Run) -> dict[str, Any]:
    told = asdict(run)
    told.pop("rested")
    return _plain(told)


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
