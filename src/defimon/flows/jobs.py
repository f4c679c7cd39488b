"""The jobs of a worker: which series each collects, and how often, from the settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from defimon.core.errors import FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.flows._job_turns import Schedule
from defimon.flows.alert_job import alerting
from defimon.flows.alert_messages import MessageQueue
from defimon.flows.backtest_retention import drop_old_backtests
from defimon.flows.backtest_work import BacktestQueue
from defimon.flows.chain_aggregates import aggregate_chains
from defimon.flows.collect_sources import collect_sources, list_series
from defimon.flows.collection import SeriesResult
from defimon.flows.follow_sources import follow_for
from defimon.flows.forecast_job import forecasting
from defimon.flows.impact_job import observing
from defimon.flows.pool_aliases import propose_aliases
from defimon.flows.retention import drop_old_answers
from defimon.flows.retrain import retraining
from defimon.flows.run_job import Held, Job, Outcome, Task
from defimon.flows.truth_job import telling_truth
from defimon.sources._memory import Memory
from defimon.sources._series import Series

__all__ = ["Held", "Job", "Outcome", "Schedule", "jobs_of"]

NAMES = {
    "aave": "yields:{chain}",
    "coingecko": "prices",
    "defillama": "yields",
    "etherscan": "contracts",
    "evm_rpc": "chain:{chain}",
    "github": "development",
    "holdings": "holdings:{chain}",
    "substrate_rpc": "chain:{chain}",
    "uniswap": "yields:{chain}",
}
"""Names of the jobs that collect a source; one that is not here gives its own.

What is asked of a chain's nodes has a job for each chain: a chain whose nodes are slow holds up no other.
What is asked of one service has one job, so that its limits are kept.
"""

AGGREGATES = Schedule(timedelta(hours=1), delay=timedelta(minutes=20))
"""An hour is aggregated once a later block is final: on Ethereum after 13 to 19 minutes (two epochs of 32
slots of 12 s, and the rest of the one under way)."""

UPKEEP = Schedule(timedelta(days=1), delay=timedelta(minutes=40))
"""When yesterday's snapshots are complete."""

UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
"""Seconds of a unit of time, longest first."""


def jobs_of(settings: Settings, only: Sequence[str] = (), *, follow: bool = False) -> list[Task]:
    """Jobs that collect every series of the settings, aggregate chains, take swaps into the statistics of
    impact, keep the store in order, forecast, tell forecasts their truth and train challengers, judge alerts
    and send them, and run backtests that were asked for; by name.

    A job's name is that of NAMES, with its pace where another of that name has a quicker one: `yields`,
    `chain:astar`, `yields:1d`. `only` keeps those whose name, or a beginning of it up to a colon, is given.
    With `follow` a run of series that are announced goes on to the end of its slot. Raises FixSettings for a
    name that is no job's.
    """
    groups = _grouped(list_series(settings))
    if settings.files is not None:  # files may come while the worker runs
        groups.setdefault("files", _Group("files", timedelta(seconds=settings.yields_every_s), {"files"}))
    memory = Memory()
    jobs: list[Task] = [_job(name, group, settings, memory, follow=follow) for name, group in groups.items()]
    if any(name.startswith("chain:") for name in groups):
        jobs.append(Job("aggregates", AGGREGATES, _aggregate))
    if any("uniswap" in group.sources for group in groups.values()):
        jobs.append(observing(settings))
    jobs.append(Job("upkeep", UPKEEP, partial(_keep_up, settings=settings)))
    jobs += [forecasting(settings), telling_truth(settings), retraining(settings)]
    jobs += [alerting(settings), BacktestQueue(settings), MessageQueue(settings)]
    return _chosen(sorted(jobs, key=lambda job: job.name), only)


def job_by_series(series: Iterable[Series]) -> dict[str, str]:
    """Name of the job that collects each series, by the name of the series."""
    known = list(series)
    jobs = {(group.name, group.every): name for name, group in _grouped(known).items()}
    return {one.name: jobs[_name(one), one.every] for one in known}


def _chosen(jobs: list[Task], only: Sequence[str]) -> list[Task]:
    known = ", ".join(job.name for job in jobs)
    for name in only:
        if not any(_is_of(job, name) for job in jobs):
            raise FixSettings(f"{name[:60]!r} is no job.", variable="--only", remedy=f"Known: {known}.")
    return [job for job in jobs if not only or any(_is_of(job, name) for name in only)]


def _is_of(job: Task, name: str) -> bool:
    return f"{job.name}:".startswith(f"{name}:")


@dataclass(frozen=True, slots=True)
class _Group:
    """Series of one name and pace; which they are is looked up in each run, since there may be new ones."""

    name: str
    every: timedelta
    sources: set[str]
    announced: bool = False

    def holds(self, series: Series) -> bool:
        return (_name(series), series.every) == (self.name, self.every)


def _name(series: Series) -> str:
    return NAMES.get(series.source, series.source).format(chain=series.chain)


def _grouped(series: Iterable[Series]) -> dict[str, _Group]:
    """Groups by the name of their job."""
    found: dict[str, dict[timedelta, list[Series]]] = {}
    for one in series:
        found.setdefault(_name(one), {}).setdefault(one.every, []).append(one)
    return {
        f"{name}:{_shown(pace)}" if place else name: _Group(
            name,
            pace,
            {one.source for one in paces[pace]},
            any(one.announced for one in paces[pace]),
        )
        for name, paces in found.items()
        for place, pace in enumerate(sorted(paces))
    }


def _shown(pace: timedelta) -> str:
    seconds = pace.total_seconds()
    length, sign = next((unit for unit in UNITS if seconds % unit[0] == 0), (1, "s"))
    return f"{seconds / length:g}{sign}"


def _job(name: str, group: _Group, settings: Settings, memory: Memory, *, follow: bool) -> Job:
    """`memory` is the process's own: what a run finds out of services, the next one knows."""
    schedule = Schedule(group.every)
    if not (follow and group.announced):
        return Job(name, schedule, partial(_collect, settings=settings, group=group, memory=memory))
    work = partial(_follow, settings=settings, group=group, memory=memory, schedule=schedule)
    return Job(name, schedule, work, whole_slot=True)


def _follow(held: Held, *, settings: Settings, group: _Group, memory: Memory, schedule: Schedule) -> Outcome:
    """As `_collect`, and again whenever a service says that there is more, to the end of the slot."""
    left = schedule.begins(held.run.slot) - held.store.now()
    results = follow_for(
        settings,
        sorted(group.sources),
        left.total_seconds(),
        chosen=group.holds,
        store=held.store,
        stopped=lambda: bool(held.stop),
        memory=memory,
    )
    return _outcome(results)


def _collect(held: Held, *, settings: Settings, group: _Group, memory: Memory) -> Outcome:
    done = collect_sources(
        settings,
        sorted(group.sources),
        chosen=group.holds,
        store=held.store,
        stopped=lambda: bool(held.stop),
        memory=memory,
    )
    return _outcome(done.results)


def _outcome(results: Sequence[SeriesResult]) -> Outcome:
    """Raises TryAgain when every series failed; else one that did is a warning, tried again a slot later."""
    failed = [f"{result.series}: {result.error}" for result in results if result.error]
    if failed and len(failed) == len(results):
        asked = [result.again_after_s for result in results if result.again_after_s is not None]
        waits = len(asked) == len(results)  # one that may be asked sooner is
        raise TryAgain("\n".join(failed), after_seconds=min(asked) if waits else None)
    notes = [f"{result.series}: {text}" for result in results for text in result.warnings]
    return Outcome(sum(result.inserted + result.corrected for result in results), (*failed, *notes))


def _aggregate(held: Held) -> Outcome:
    done = aggregate_chains(held.store)
    return Outcome(sum(one.written.inserted + one.written.corrected for one in done))


def _keep_up(held: Held, *, settings: Settings) -> Outcome:
    """Ids that changed are proposed as aliases; old raw answers give up their bodies, old backtests go."""
    proposed = propose_aliases(held.store)
    dropped, gone = drop_old_answers(held.store, settings), drop_old_backtests(held.store, settings)
    said = []
    if dropped.answers:
        said += [f"bodies of {dropped.answers} old raw answers dropped, {dropped.length} bytes uncompressed"]
    if gone:
        said += [
            f"{gone} backtests taken out that ended {settings.backtests_keep_days} days ago or were removed"
        ]
    return Outcome(proposed.inserted + proposed.corrected, tuple(said))
