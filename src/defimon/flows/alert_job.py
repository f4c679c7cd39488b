"""The job that judges every rule of alerts, soon after new figures have come."""

from dataclasses import dataclass, field
from datetime import timedelta

from defimon.core.errors import DefimonError
from defimon.core.settings import Settings
from defimon.flows._job_turns import Schedule
from defimon.flows.alert_facts import gather
from defimon.flows.alert_rules import AlertRule
from defimon.flows.alerts import Judged, judge_rule, judged_rules
from defimon.flows.catalogue import Catalogue, read_catalogue
from defimon.flows.run_job import Held, Job, Outcome
from defimon.store.database import Store


def alerting(settings: Settings) -> Job:
    """The job `alerts`, for a worker beside those of collection."""
    watch = Watch(settings)
    return Job("alerts", Schedule(timedelta(seconds=settings.alerts_every_s)), watch.work)


OF_POOLS = ("yields", "pools", "forecasts", "pool_aliases", "alert_rules")
"""Tables without a change of which nothing can be new about pools."""


@dataclass(slots=True)
class Watch:
    """Looks at the store again and again, each time from what it saw the last time."""

    settings: Settings
    _before: Catalogue | None = field(default=None, repr=False)
    _counts: tuple[int, ...] = ()

    def work(self, held: Held) -> Outcome:
        """One look: rows are alerts opened or cleared; a rule that cannot be judged is a warning."""
        return self.look(held.store)

    def look(self, store: Store) -> Outcome:
        """As `work`, on any store."""
        changes = store.changes()
        counts = tuple(changes.get(table, 0) for table in OF_POOLS)
        rules, warnings = _judgeable(judged_rules(store))
        if counts == self._counts:
            rules = [rule for rule in rules if rule.judge().about != "pools"]
        if not rules:
            return Outcome(0, warnings)
        if self._before is None or counts != self._counts:
            self._before = read_catalogue(store, self._before)
        gathered = gather(store, self.settings, rules, self._before, store.now())
        done = sum((judge_rule(store, rule, gathered) for rule in rules), Judged())
        # Noted at the end: a look that was cut off is taken again, as is one that left causes over.
        self._counts = counts if done.whole else ()
        return Outcome(done.opened + done.cleared, warnings)


def _judgeable(rules: list[AlertRule]) -> tuple[list[AlertRule], tuple[str, ...]]:
    """Rules whose kind is still there and takes their settings, and what is wrong with the others."""
    fit, warnings = [], []
    for rule in rules:
        try:
            rule.judge()
        except DefimonError as fault:
            warnings.append(f"rule {rule.rule_id} is not judged: {fault}")
        else:
            fit.append(rule)
    return fit, tuple(warnings)
