"""Messages about alerts: written once with them, sent by one worker, tried again with limits, never twice."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from defimon.core.errors import DefimonError, FixSettings, TryAgain
from defimon.core.provenance import text_hash
from defimon.core.settings import Settings
from defimon.core.tables import ALERT_MESSAGES
from defimon.flows._job_turns import Turn
from defimon.flows._leased_store import LeasedStore, Stop
from defimon.flows._lull import Lull
from defimon.flows.alert_channels import send
from defimon.flows.alert_rules import AlertRule
from defimon.flows.job_runs import Run
from defimon.flows.run_job import Place
from defimon.store.database import Store

NAME = "messages"
ATTEMPTS = 8
FIRST_REST = timedelta(seconds=30)
"""Doubled each time: the last of eight attempts is an hour after the first."""

SENDING = timedelta(minutes=5)
"""A channel takes a message within seconds; whoever sent it and says nothing for so long is gone."""

WAITING = timedelta(days=2)
"""An older message is no news."""

TEST_REST = timedelta(seconds=10)
"""Between messages that are tests: nobody reads faster."""

NOTHING = timedelta(0)
UNDER_WAY = ("waiting", "sending")


class TooSoon(TryAgain):
    """A test was asked for just before."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one channel; columns of `core.tables.ALERT_MESSAGES`."""

    ts: datetime
    message_id: str
    channel: str
    rule_id: str
    title: str
    body: str
    state: str = "waiting"
    attempts: int = 0
    next_at: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None

    def due(self, now: datetime) -> bool:
        """Whether something is to be done about it: send it, or note that its sender is gone."""
        return self.state in UNDER_WAY and (self.next_at is None or self.next_at <= now)


@dataclass(frozen=True, slots=True)
class MessageQueue:
    """What a worker does about messages that wait: the rows of the store are the queue."""

    settings: Settings
    name: str = NAME
    whole_slot: bool = False
    lull: Lull = field(default_factory=lambda: Lull("alert_messages"), repr=False)

    def look(self, store: Store) -> tuple[Turn | None, timedelta]:
        """The message that is due first, if any; claims nothing."""
        if self.lull.holds(store):
            return None, NOTHING
        under_way = [one for one in _recent(store) if one.state in UNDER_WAY]
        if not under_way:
            self.lull.note()
        waiting = [one for one in under_way if one.due(store.now())]
        if not waiting:
            return None, NOTHING
        first = min(waiting, key=lambda one: (one.ts, one.message_id, one.channel))
        return Turn(first.ts, first.attempts + 1), NOTHING

    def run(self, place: Place, store: LeasedStore, worker: Stop) -> Run | None:  # noqa: ARG002 - as any task
        """Send what is due, until the worker stops; each message tells itself what became of it."""
        while not worker and (taken := take(store)) is not None:
            deliver(store, taken, self.settings)
        return None


def write_message(store: Store, message: Message) -> None:
    """Note how it stands; the same message again changes nothing."""
    row = {name: getattr(message, name) for name in Message.__slots__}
    told = {"known_at": store.now(), "source": "defimon", "origin": "derived"}
    store.write(ALERT_MESSAGES.name, ALERT_MESSAGES.rows([row | told]))


def write_test(store: Store, rule: AlertRule) -> list[Message]:
    """A message to each channel of the rule that says that it arrives; it waits for a worker.

    Raises FixSettings for a rule without channels, TooSoon when another test was written just before.
    """
    now = store.now()
    if not rule.channels:
        raise FixSettings(
            "The rule tells no channel.", variable="channels", remedy="Give it one that the settings have."
        )
    title = f"defimon: {rule.name}: test"
    lately = list_messages(store, {rule.rule_id}, since=now - TEST_REST)
    if any(one.title == title for one in lately):
        rest = TEST_REST.total_seconds()
        raise TooSoon(
            "A test of this rule was written just before.", after_seconds=rest, remedy="Wait for it."
        )
    message_id = text_hash("test", rule.rule_id, now)[:16]
    body = f"A test of rule {rule.name!r} ({rule.kind}). Nothing has happened."
    made = [Message(now, message_id, name, rule.rule_id, title, body, next_at=now) for name in rule.channels]
    with store.transaction():
        for message in made:
            write_message(store, message)
    return made


def list_messages(store: Store, rule_ids: set[str], since: datetime | None = None) -> list[Message]:
    """Messages about those rules, the newest first."""
    rows = store.read(ALERT_MESSAGES.name, since=since).iter_rows(named=True)
    seen = [_of(row) for row in rows if row["rule_id"] in rule_ids]
    return sorted(seen, key=lambda one: (one.ts, one.message_id, one.channel), reverse=True)


def take(store: Store) -> Message | None:
    """A message to send now, which is this caller's until it says what became of it; None when none is due.

    One whose sender is gone may have arrived: it is noted as unsure and not sent again.
    """
    if not any(one.due(store.now()) for one in _recent(store)):
        return None
    with store.transaction():
        now = store.now()
        for one in _recent(store):
            if not one.due(now):
                continue
            if one.state == "sending":
                gone = "whoever sent it is gone; it may have arrived"
                write_message(store, replace(one, state="unsure", next_at=None, error=gone))
                continue
            taken = replace(one, state="sending", attempts=one.attempts + 1, next_at=now + SENDING)
            write_message(store, taken)
            return taken
    return None


def deliver(store: Store, taken: Message, settings: Settings) -> Message:
    """Send it, and note whether the channel took it; as it stands then."""
    try:
        fault = send(settings, taken.channel, taken.title, taken.body)
    except DefimonError as error:
        fault = str(error)
    now = store.now()
    if not fault:
        ended = replace(taken, state="sent", sent_at=now, next_at=None, error=None)
    elif taken.attempts >= ATTEMPTS:
        ended = replace(taken, state="failed", next_at=None, error=fault)
    else:
        rest = FIRST_REST * 2 ** (taken.attempts - 1)
        ended = replace(taken, state="waiting", next_at=now + rest, error=fault)
    write_message(store, ended)
    return ended


def _recent(store: Store) -> list[Message]:
    rows = store.read(ALERT_MESSAGES.name, since=store.now() - WAITING)
    return [_of(row) for row in rows.iter_rows(named=True)]


def _of(row: dict[str, Any]) -> Message:
    return Message(**{name: row[name] for name in Message.__slots__})
