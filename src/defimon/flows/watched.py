"""What a monitor asks of the store: how old each series is, how jobs ended, how services do."""

from dataclasses import dataclass
from datetime import datetime

from defimon.core.units import utc_now
from defimon.flows.job_runs import Run, last_runs
from defimon.flows.status import EndpointStatus, endpoints_of
from defimon.store.database import Store


@dataclass(frozen=True, slots=True)
class Watched:
    """The last run of each job, each host over its last day, by series the time of what was stored last."""

    jobs: list[Run]
    endpoints: tuple[EndpointStatus, ...]
    series: dict[str, datetime]


def watched(store: Store) -> Watched:
    """Read it; a few milliseconds a job, host and series."""
    series = {}
    for name in store.names("cursors"):
        rows = store.read("cursors", where={"series": [name]}, columns=["ts"])
        series[name] = rows["ts"][0]
    return Watched(last_runs(store), endpoints_of(store, utc_now()), series)
