"""The job that tells stored forecasts their truth, and watches the models by it."""

from datetime import timedelta
from functools import partial

from defimon.core.settings import Settings
from defimon.flows._job_turns import Schedule
from defimon.flows.drift import watch
from defimon.flows.run_job import Held, Job, Outcome
from defimon.flows.truth import write_truth

DAILY = Schedule(timedelta(days=1), delay=timedelta(minutes=90))
"""Half an hour after the forecasts of the day."""


def telling_truth(settings: Settings) -> Job:
    """The job `truth`."""
    return Job("truth", DAILY, partial(_work, settings=settings))


def _work(held: Held, *, settings: Settings) -> Outcome:
    """A store without forecasts has nothing to watch."""
    rows = write_truth(held.store)
    return Outcome(rows, tuple(watch(held.store, settings)))
