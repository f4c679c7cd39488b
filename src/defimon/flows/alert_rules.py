"""Rules of alerts as their owners keep them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import Any

import polars as pl

from defimon.alerts._base import FAMILY, REST, About, Rule, Setting
from defimon.core.errors import FixSettings
from defimon.core.tables import ALERT_RULES
from defimon.core.units import utc_now
from defimon.flows.not_known import NotKnown, near
from defimon.store.database import Store

MOST_RULES = 100
"""Of one owner: each is judged whenever new figures come."""

MOST_NAMES = 500
"""That one rule may look at by name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule looks at. `names`: pools, assets, series or models, by what the kind is about; all of them
    when empty, but for assets. The rest narrows pools.
    """

    names: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    stablecoin: bool | None = None
    min_tvl_usd: float | None = None


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule; `settings` are numbers of its kind, `channels` names of the settings' channels."""

    owner: str
    name: str
    kind: str
    settings: Mapping[str, float] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    channels: tuple[str, ...] = ()
    enabled: bool = True
    shared: bool = False
    rule_id: str = ""
    saved_at: datetime | None = None
    removed: bool = False

    def judge(self) -> Rule:
        """What judges for it. Raises FixSettings when a setting does not fit."""
        return FAMILY.load(self.kind)(self.settings)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rule, as somebody who wants to save one has to know it."""

    name: str
    doc: str
    about: About
    unit: str
    settings: tuple[Setting, ...]


def kinds() -> list[Kind]:
    """Every kind, by name."""
    found = []
    for name in FAMILY.names():
        kind = FAMILY.load(name)
        doc = " ".join((kind.__doc__ or "").split())
        found.append(Kind(name, doc, kind.about, kind.unit, (*kind.settings, REST)))
    return found


def visible_rules(store: Store, owner: str | None, *, every: bool = False) -> list[AlertRule]:
    """Rules of `owner`, or of everybody, by name."""
    rows = store.read(ALERT_RULES.name).iter_rows(named=True)
    seen = [one for one in map(_of, rows) if not one.removed and (every or one.owner == owner)]
    return sorted(seen, key=lambda one: (one.name, one.rule_id))


def shared_rules(store: Store) -> frozenset[str]:
    """Ids of the rules whose alerts whoever may read sees, as they are now."""
    rows = store.read(ALERT_RULES.name, columns=["rule_id", "shared", "removed"])
    shared, removed = (pl.col(name).fill_null(value=False) for name in ("shared", "removed"))
    return frozenset(rows.filter(shared & ~removed)["rule_id"])


def find_rule(store: Store, rule_id: str, owner: str | None, *, every: bool = False) -> AlertRule:
    """The rule of that id, if it is the owner's or `every` may be seen. Raises NotKnown."""
    simple = rule_id.isascii() and rule_id.isalnum()
    rows = store.read(ALERT_RULES.name, where={"rule_id": [rule_id]}) if simple else ALERT_RULES.empty()
    found = _of(rows.row(0, named=True)) if rows.height else None
    if found is None or found.removed or not (every or found.owner == owner):
        raise NotKnown(
            f"There is no rule {rule_id[:60]!r} of yours.", variable="rule_id", unknown={rule_id[:60]: []}
        )
    return found


def save_rule(store: Store, rule: AlertRule, known_channels: Sequence[str]) -> AlertRule:
    """Keep the rule, in place of the one of its id if it has one. Raises FixSettings that names the field."""
    _refuse_unfit(rule, known_channels)
    with store.transaction():
        own = visible_rules(store, rule.owner)
        if not rule.rule_id and len(own) >= MOST_RULES:
            raise FixSettings(
                f"{rule.owner} has {len(own)} rules.",
                variable="name",
                remedy="Remove one that is not needed.",
            )
        saved = replace(
            rule, rule_id=rule.rule_id or token_hex(8), saved_at=utc_now(), settings=dict(rule.judge().values)
        )
        write_rule(store, saved)
        return saved


def write_rule(store: Store, rule: AlertRule) -> None:
    """Note the rule as it stands."""
    row = {
        "rule_id": rule.rule_id,
        "ts": rule.saved_at,
        "owner": rule.owner,
        "name": rule.name,
        "kind": rule.kind,
        "settings": json.dumps(dict(rule.settings), sort_keys=True),
        "scope": json.dumps(asdict(rule.scope), sort_keys=True),
        "channels": json.dumps(rule.channels),
        "enabled": rule.enabled,
        "shared": rule.shared,
        "removed": rule.removed,
        "known_at": utc_now(),
        "source": "api",
        "origin": "observed",
    }
    store.write(ALERT_RULES.name, ALERT_RULES.rows([row]))


def _refuse_unfit(rule: AlertRule, known_channels: Sequence[str]) -> None:
    words = {"name": (rule.name,), "scope.names": rule.scope.names}
    for field_name, texts in words.items():
        if not all(text.strip() and text.isprintable() for text in texts):
            raise FixSettings(
                "A name is empty or unprintable.", variable=field_name, remedy="Leave such characters out."
            )
    if rule.kind not in FAMILY.names():
        known = ", ".join(near(rule.kind, FAMILY.names()) or FAMILY.names())
        raise FixSettings(
            f"There is no kind {rule.kind[:60]!r}.", variable="kind", remedy=f"There are {known}."
        )
    about = rule.judge().about
    for channel in rule.channels:
        if channel not in known_channels:
            told = ", ".join(known_channels) or "none; set DEFIMON_ALERT_CHANNELS"
            raise FixSettings(
                f"There is no channel {channel[:60]!r}.", variable="channels", remedy=f"Known: {told}."
            )
    scope = rule.scope
    if about == "assets" and not scope.names:
        raise FixSettings(
            f"A rule {rule.kind} has to name its assets.",
            variable="scope.names",
            remedy="Give the ids under which market_prices holds them, such as usd-coin.",
        )
    if about != "pools" and (
        scope.chains or scope.protocols or (scope.stablecoin, scope.min_tvl_usd) != (None,) * 2
    ):
        raise FixSettings(
            f"A rule {rule.kind} is about {about}, which have no such scope.",
            variable="scope",
            remedy="Give names alone.",
        )


def _of(row: dict[str, Any]) -> AlertRule:
    scope = json.loads(row["scope"])
    lists = {name: tuple(scope[name]) for name in ("names", "chains", "protocols")}
    return AlertRule(
        owner=row["owner"],
        name=row["name"],
        kind=row["kind"],
        settings=json.loads(row["settings"]),
        scope=Scope(**{**scope, **lists}),
        channels=tuple(json.loads(row["channels"])),
        enabled=bool(row["enabled"]),
        shared=bool(row["shared"]),
        rule_id=row["rule_id"],
        saved_at=row["ts"],
        removed=bool(row["removed"]),
    )
