"""Alerts: what rules found, each cause once for as long as it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import polars as pl

from defimon.alerts._base import Rule
from defimon.core.provenance import text_hash
from defimon.core.tables import ALERTS
from defimon.flows.alert_facts import Gathered, in_scope
from defimon.flows.alert_messages import Message, write_message
from defimon.flows.alert_rules import AlertRule, find_rule, shared_rules, visible_rules, write_rule
from defimon.flows.catalogue import Catalogue
from defimon.flows.not_known import NotKnown
from defimon.store.database import Store

DIGITS = 16
MOST_AT_ONCE = 200
"""New alerts of one rule in one look; what is beyond comes with the next one."""

MOST_LINES = 20
"""Alerts that a message lists; it tells how many more there are."""

AlertState = Literal["open", "cleared"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a look came to: alerts that are new, and such as are over; `whole` unless there are more new ones
    than are told at once.
    """

    opened: int = 0
    cleared: int = 0
    whole: bool = True

    def __add__(self, other: "Judged") -> "Judged":
        whole = self.whole and other.whole
        return Judged(self.opened + other.opened, self.cleared + other.cleared, whole)


def judge_rule(store: Store, rule: AlertRule, gathered: Gathered) -> Judged:
    """Open alerts for causes that are there now and were not, and clear those that are over.

    Alerts and the messages that tell of them are written in one transaction, which admits one writer at a
    time: of many workers that look at once, one finds a cause new. A rule that was changed or removed since
    `rule` was read is left to the next look.
    """
    judge = rule.judge()
    found = judge.judge(gathered.of(rule)).drop_nulls("subject").unique("subject", keep="last")
    if found.is_empty():
        return Judged()
    with store.transaction():
        if not _stands(store, rule):
            return Judged()
        newest = _newest(store, rule.rule_id)
        beside = found.join(newest, on="subject", how="left", suffix="_known")
        open_ = pl.col("ts_known").is_not_null() & pl.col("cleared_at").is_null()
        new = pl.col("ts_known").is_null() | (pl.col("ts") > pl.col("ts_known"))
        unrested = beside.filter(pl.col("holds") & ~open_ & new)
        every = _rested(store, rule.rule_id, judge, unrested).sort("subject")
        fresh = every.head(MOST_AT_ONCE)
        over = beside.filter(~pl.col("holds") & open_)
        now = store.now()
        if fresh.height:
            _open(store, rule, judge, fresh.to_dicts(), now)
        _clear(store, newest.join(over, on="subject", how="semi"), now)
        return Judged(fresh.height, over.height, whole=every.height == fresh.height)


def clear_rule(store: Store, rule_id: str) -> int:
    """End the open alerts of a rule that is judged no more; how many there were."""
    with store.transaction():
        newest = _newest(store, rule_id)
        lasting = newest.filter(pl.col("cleared_at").is_null())
        _clear(store, lasting, store.now())
        return lasting.height


def clear_dropped(store: Store, rule: AlertRule, catalogue: Catalogue) -> int:
    """End the open alerts of what the rule looks at no more; how many there were."""
    with store.transaction():
        newest = _newest(store, rule.rule_id)
        lasting = newest.filter(pl.col("cleared_at").is_null())
        dropped = lasting.join(in_scope(catalogue, rule, lasting), on="subject", how="anti")
        _clear(store, dropped, store.now())
        return dropped.height


def remove_rule(store: Store, rule: AlertRule) -> None:
    """Take the rule away; what it found stays, and is over."""
    with store.transaction():
        write_rule(store, replace(rule, removed=True))
        clear_rule(store, rule.rule_id)


def list_alerts(
    store: Store,
    owner: str | None,
    *,
    every: bool = False,
    rule_id: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    state: AlertState | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[dict[str, Any]]:
    """Alerts of the owner's rules and of such as are shared now, or of everybody's; rows of
    `core.tables.ALERTS` with `state`, the newest first.
    """
    where: dict[str, Sequence[str]] = {} if rule_id is None else {"rule_id": [rule_id]}
    rows = store.read(ALERTS.name, where=where, since=since, until=until)
    kept = [
        pl.col(name) == value for name, value in (("kind", kind), ("subject", subject)) if value is not None
    ]
    if not every:
        kept.append(
            (pl.col("owner") == pl.lit(owner, pl.String)).fill_null(value=False)
            | pl.col("rule_id").is_in(list(shared_rules(store)))
        )
    stands = pl.when(pl.col("cleared_at").is_null()).then(pl.lit("open")).otherwise(pl.lit("cleared"))
    told = rows.filter(kept) if kept else rows
    told = told.with_columns(stands.alias("state"))
    if state is not None:
        told = told.filter(pl.col("state") == state)
    return told.sort("ts", "alert_id", descending=True).to_dicts()


def judged_rules(store: Store) -> list[AlertRule]:
    """Every rule that is to be judged."""
    return [rule for rule in visible_rules(store, None, every=True) if rule.enabled]


def _stands(store: Store, rule: AlertRule) -> bool:
    """Whether the rule still is what it was when it was read; to save it as it is changes nothing."""
    try:
        now = find_rule(store, rule.rule_id, rule.owner)
    except NotKnown:
        return False
    return now == replace(rule, saved_at=now.saved_at)


def _rested(store: Store, rule_id: str, judge: Rule, causes: pl.DataFrame) -> pl.DataFrame:
    """Causes whose subject has had its rest since its last alert, by the time of both or since that opened:
    the time of a cause may stand still as long as it lasts.
    """
    if not judge.rest or causes.is_empty():
        return causes
    long_open = _newest(store, rule_id, store.now() - judge.rest).select("subject", ts_known="ts")
    rested = causes.join(long_open, on=["subject", "ts_known"], how="semi")
    later = pl.col("ts_known").is_null() | (pl.col("ts") > pl.col("ts_known") + judge.rest)
    return pl.concat([causes.filter(later), rested]).unique("subject")


def _newest(store: Store, rule_id: str, as_of: datetime | None = None) -> pl.DataFrame:
    """The last alert of each subject, of those that were known at `as_of`."""
    rows = store.read(ALERTS.name, as_of=as_of, where={"rule_id": [rule_id]})
    return rows.sort("ts").unique("subject", keep="last", maintain_order=True)


def _open(
    store: Store, rule: AlertRule, judge: Rule, causes: Sequence[dict[str, Any]], now: datetime
) -> None:
    told = [judge.words(cause) for cause in causes]
    ids = [text_hash(rule.rule_id, cause["subject"], cause["ts"].isoformat())[:DIGITS] for cause in causes]
    message_id = text_hash(*ids)[:DIGITS] if rule.channels else None
    rows = [
        {
            "rule_id": rule.rule_id,
            "subject": cause["subject"],
            "ts": cause["ts"],
            "alert_id": alert_id,
            "owner": rule.owner,
            "kind": rule.kind,
            "told": words,
            "value": cause["value"],
            "unit": judge.unit,
            "message_id": message_id,
            "shared": rule.shared,
            "known_at": now,
            "source": "defimon",
            "origin": "derived",
        }
        for cause, words, alert_id in zip(causes, told, ids, strict=True)
    ]
    store.write(ALERTS.name, ALERTS.rows(rows))
    if message_id is not None:
        title, body = _message(rule, told)
        for channel in rule.channels:
            write_message(store, Message(now, message_id, channel, rule.rule_id, title, body, next_at=now))


def _clear(store: Store, lasting: pl.DataFrame, now: datetime) -> None:
    if lasting.height:
        moment = pl.lit(now).cast(ALERTS.schema["ts"])
        over = lasting.with_columns(moment.alias("cleared_at"), moment.alias("known_at"))
        store.write(ALERTS.name, over.select(ALERTS.names))


def _message(rule: AlertRule, told: Sequence[str]) -> tuple[str, str]:
    """Title and body."""
    count = f"{len(told)} alerts" if len(told) > 1 else "alert"
    more = [f"and {len(told) - MOST_LINES} more"] if len(told) > MOST_LINES else []
    return f"defimon: {rule.name}: {count}", "\n".join([*told[:MOST_LINES], *more])
