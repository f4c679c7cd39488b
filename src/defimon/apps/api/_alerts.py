"""What alerts, their rules and messages look like in questions and answers."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from defimon.apps.api.documents import Document, row_model
from defimon.apps.api.questions import WRITABLE, Name
from defimon.core.tables import ALERTS
from defimon.flows.alert_messages import Message
from defimon.flows.alert_rules import MOST_NAMES, AlertRule, Scope, kinds

KINDS = tuple(kind.name for kind in kinds())
Few = Annotated[list[Name], Field(max_length=50)]
SHOWN = ("alert_id", "rule_id", "owner", "kind", "subject", "ts", "told", "value", "unit", "cleared_at")

AlertRow = row_model(
    "AlertRow", "A cause that a rule found.", ALERTS, (*SHOWN, "message_id", "known_at"), ("value", "unit")
)


class Alert(AlertRow):  # type: ignore[misc, valid-type]
    """A cause that a rule found, told once as long as it lasts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "alert_id": "4f0a1c2b3d4e5f60",
                "rule_id": "9a8b7c6d5e4f3a2b",
                "owner": "my bot",
                "kind": "apy_below",
                "subject": "aave-v3:ethereum:USDC",
                "ts": "2026-04-01T09:15:00Z",
                "told": "USDC aave-v3 ethereum pays 1.85 % a year, below 2.00 %.",
                "value": 0.0185,
                "unit": "fraction a year",
                "cleared_at": None,
                "message_id": "77aa66bb55cc44dd",
                "known_at": "2026-04-01T09:20:00Z",
                "state": "open",
            }
        },
    )

    state: Literal["open", "cleared"]


class AlertPage(Document):
    """Alerts, the newest first."""

    alerts: list[Alert]
    total: int = Field(description="on all pages")
    next: str | None = Field(description="cursor of the next page; null on the last one")


class RuleSetting(Document):
    """A number that a rule of the kind is set to."""

    name: str
    doc: str
    unit: str
    low: float
    high: float
    default: float | None = Field(description="null where it has to be given")


class Kind(Document):
    """A kind of rule."""

    name: str
    doc: str
    about: Literal["pools", "assets", "series", "models"]
    unit: str = Field(description="of the figure that it finds")
    settings: list[RuleSetting]


class Kinds(Document):
    """Every kind of rule."""

    kinds: list[Kind]


class Channels(Document):
    """Names of the channels of the settings; their addresses are secrets."""

    channels: list[str]


class ScopeIn(Document):
    """What a rule looks at; all that there is where nothing is given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    names: Annotated[list[Name], Field(max_length=MOST_NAMES)] = Field(
        default=[], description="pools, assets, series or models, by what the kind is about"
    )
    chains: Few = Field(default=[], description="pools of these chains")
    protocols: Few = Field(default=[], description="pools of these protocols")
    stablecoin: bool | None = Field(None, description="pools of stablecoins alone, or of others")
    min_tvl_usd: float | None = Field(None, ge=0, le=1e15, description="pools of at least this TVL (USD)")


EXAMPLE: dict[str, Any] = {
    "name": "my stablecoins",
    "kind": "apy_below",
    "settings": {"limit": 0.02},
    "scope": {"names": ["aave-v3:ethereum:USDC"]},
    "channels": [],
}


class RuleIn(Document):
    """What somebody wants to be told of; `/v1/alerts/kinds` tells the settings of each kind."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": EXAMPLE})

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=WRITABLE)]
    kind: Literal[KINDS]  # type: ignore[valid-type]
    settings: dict[Annotated[str, Field(max_length=40)], Annotated[float, Field(allow_inf_nan=False)]] = (
        Field(default={}, max_length=10, description="numbers by name")
    )
    scope: ScopeIn | None = Field(None, description="all that there is unless given")
    channels: Annotated[list[Name], Field(max_length=10)] = Field(
        default=[], description="names of channels that are told; the history keeps what none is told"
    )
    enabled: bool = Field(default=True, description="it is judged")
    shared: bool = Field(default=False, description="whoever may read sees its alerts")


class RuleOut(Document):
    """A rule as it is kept."""

    rule_id: str
    owner: str
    name: str
    kind: str
    settings: dict[str, float]
    scope: ScopeIn
    channels: list[str]
    enabled: bool
    shared: bool
    saved_at: AwareDatetime


class Rules(Document):
    """Rules by name."""

    rules: list[RuleOut]


class MessageOut(Document):
    """A message to one channel, and whether it arrived."""

    message_id: str
    channel: str
    rule_id: str
    written_at: AwareDatetime
    title: str
    body: str
    state: Literal["waiting", "sending", "sent", "failed", "unsure"] = Field(
        description="failed: given up; unsure: its sender vanished, and it is not sent again"
    )
    attempts: int
    next_at: AwareDatetime | None = Field(description="when it is tried again")
    sent_at: AwareDatetime | None
    error: str | None = Field(description="why it was not taken")


class MessagePage(Document):
    """Messages, the newest first."""

    messages: list[MessageOut]
    total: int = Field(description="on all pages")
    next: str | None = Field(description="cursor of the next page; null on the last one")


class Sent(Document):
    """Messages that wait for a worker to send them."""

    messages: list[MessageOut]


def rule_of(given: RuleIn, owner: str, rule_id: str = "") -> AlertRule:
    """The rule that was given."""
    told = given.model_dump(exclude={"scope"})
    wanted = given.scope or ScopeIn(stablecoin=None, min_tvl_usd=None)
    scope = Scope(
        tuple(wanted.names), tuple(wanted.chains), tuple(wanted.protocols), wanted.stablecoin,
        wanted.min_tvl_usd,
    )  # fmt: skip
    told["channels"] = tuple(dict.fromkeys(told["channels"]))
    return AlertRule(owner=owner, rule_id=rule_id, scope=scope, **told)


def shown_rule(rule: AlertRule) -> dict[str, Any]:
    """The members of RuleOut."""
    return {name: value for name, value in asdict(rule).items() if name != "removed"}


def shown_alert(row: dict[str, Any]) -> dict[str, Any]:
    """The members of Alert."""
    return {name: row[name] for name in Alert.model_fields}


def shown_message(message: Message) -> dict[str, Any]:
    """The members of MessageOut."""
    told = asdict(message)
    return {"written_at": told.pop("ts"), **told}
