"""Alerts on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.flows.alert_rules import AlertRule, Scope


def show_alerts(rows: Sequence[dict[str, Any]], limit: int) -> None:
    """Print a row an alert, the newest first, and how many more there are."""
    if not rows:
        out().print("There is no such alert.")
        return
    table = Table("when (UTC)", "kind", "what", "over since", title="Alerts", title_justify="left")
    for row in rows[:limit]:
        over = "" if row["cleared_at"] is None else f"{row['cleared_at']:%Y-%m-%d %H:%M}"
        table.add_row(f"{row['ts']:%Y-%m-%d %H:%M}", row["kind"], plain(row["told"]), over)
    out().print(table)
    if len(rows) > limit:
        out().print(f"{len(rows) - limit:,} older ones: --limit shows more.")


def show_rules(rules: Sequence[AlertRule], channels: Sequence[str]) -> None:
    """Print a row a rule, and the names of the channels."""
    if rules:
        table = Table("id", "name", "kind", "settings", "scope", "channels", "owner", "judged", title="Rules")
        for rule in rules:
            table.add_row(
                rule.rule_id,
                plain(rule.name),
                rule.kind,
                ", ".join(f"{name} {value:g}" for name, value in rule.settings.items()),
                plain(_scope(rule.scope)),
                plain(", ".join(rule.channels)),
                plain(rule.owner),
                "yes" if rule.enabled else "no",
            )
        out().print(table)
    else:
        out().print("There is no rule. POST /v1/alerts/rules saves one (docs/alerts.md).")
    out().print(f"Channels: {', '.join(channels) or 'none; DEFIMON_ALERT_CHANNELS sets them'}.")


def _scope(scope: Scope) -> str:
    told = [", ".join(names) for names in (scope.names, scope.chains, scope.protocols) if names]
    if scope.stablecoin is not None:
        told.append("stablecoins" if scope.stablecoin else "no stablecoins")
    if scope.min_tvl_usd is not None:
        told.append(f"TVL from {scope.min_tvl_usd:,.0f} USD")
    return "; ".join(told) or "all"
