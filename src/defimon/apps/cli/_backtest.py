"""How a backtest is printed."""

import polars as pl
from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.flows.backtest import BacktestResult

MONEY = (
    ("final USD", "final_value_usd", ",.2f", 1.0),
    ("total", "total_return", "+.2%", 1.0),
    ("a year", "annual_return", "+.2%", 1.0),
    ("costs USD", "costs_usd", ",.2f", 1.0),
    ("of them swaps", "swap_usd", ",.2f", 1.0),
    ("moves", "transactions", ",.0f", 1.0),
    ("pp over hold", "versus_hold", "+.2f", 100.0),
)
RISK = (
    ("volatility", "volatility", ".2%", 1.0),
    ("Sharpe", "sharpe", ".1f", 1.0),
    ("Sortino", "sortino", ".1f", 1.0),
    ("drawdown", "max_drawdown", ".2%", 1.0),
    ("turnover a year", "turnover", ".1f", 1.0),
    ("deflated Sharpe", "deflated_sharpe", ".2f", 1.0),
)
"""Heading, column of the summary, format and scale."""


def show_backtest(result: BacktestResult) -> None:
    """Print the table and everything that qualifies it."""
    console = out()
    setup, (first, last) = result.setup, result.days
    kind = "dollar stablecoin " if setup.stable_only else ""
    swaps = result.swaps
    simulated = swaps is not None and swaps.plan.state.origin == "simulated"
    console.print(
        f"Backtest {first} .. {last}: {setup.capital:,.0f} USD, {setup.costs.bps_per_side:g} bps a side, "
        f"{setup.costs.gas_usd:g} USD gas a transaction, decided every {setup.rebalance_days} days, "
        f"top {setup.choices.top_n} of {result.pools} {kind}pools"
        + (", SIMULATED pools for swaps" if simulated else ""),
        soft_wrap=True,
    )
    without = () if result.swaps is not None else ("swap_usd",)
    for parts in (tuple(part for part in MONEY if part[1] not in without), RISK):
        table = Table()
        table.add_column("strategy")
        for heading, *_ in parts:
            table.add_column(heading, justify="right")
        if parts is not RISK:
            table.add_column("90 % interval", justify="right")
        for row in result.summary.iter_rows(named=True):
            table.add_row(
                row["strategy"],
                *(_shown(row[name], form, scale) for _, name, form, scale in parts),
                *([_interval(row)] if parts is not RISK else []),
            )
        console.print(table)
    for line in remarks(result):
        console.print(plain(line), soft_wrap=True)


def _shown(value: float | None, form: str, scale: float) -> str:
    return "" if value is None else format(value * scale, form)


def _interval(row: dict[str, float | None]) -> str:
    low, high = row["versus_hold_low"], row["versus_hold_high"]
    return "" if low is None or high is None else f"{low * 100:+.2f} .. {high * 100:+.2f}"


def _stuck(result: BacktestResult) -> pl.DataFrame:
    """strategy, its shut pools (the first and how many more), and the USD in them."""
    first = pl.col("pool_id").first()
    more = pl.when(pl.len() > 1).then(pl.format(" and {} more", pl.len() - 1)).otherwise(pl.lit(""))
    shut = result.stuck.group_by("strategy", maintain_order=True)
    return shut.agg(pools=first + more, usd=pl.col("usd").sum())


def remarks(result: BacktestResult) -> list[str]:
    """What a reader must know beside the table."""
    found, accruals = result.judgement, result.accruals
    lines = [f"Left out: {reason}" for reason in result.refused.values()]
    lines += [
        f"Identical trades: {one} and {other}; one says no more than the other."
        for one, other in found.identical
    ]
    for name, pools, usd in _stuck(result).iter_rows():
        lines.append(f"{name}: {usd:,.2f} USD in {pools} cannot be withdrawn at the end.")
    lines += swap_remarks(result)
    lines.append(
        f"Accrued pool-days: {accruals.index:,} by index (realised), {accruals.quoted:,} by quoted rate, "
        f"{accruals.gap:,} by the last known rate in a gap."
    )
    if accruals.refused:
        lines.append(
            f"{accruals.refused:,} index steps were too large to be true; the quoted rate stands in."
        )
    if accruals.fallen:
        lines.append(f"{accruals.fallen:,} falls of an index count as losses of principal.")
    if found.overfitting is not None:
        lines.append(
            f"Probability that the best of these is the best by luck (CSCV): {found.overfitting:.2f}."
        )
    lines.append(
        f"Deflated Sharpe: of the weekly return over hold, after {found.trials} settings tried so far."
    )
    lines.append(
        "Sharpe and Sortino of accruing yield are large for any strategy; read the difference to hold."
    )
    if not result.setup.stable_only:
        lines.append("Pools of tokens that are no stablecoins: their prices are not in these figures.")
    return lines


def swap_remarks(result: BacktestResult) -> list[str]:
    """On what state swaps were reckoned, the route of each asset, and which markets have none."""
    swaps = result.swaps
    if swaps is None:
        return []
    plan = swaps.plan
    kind = "simulated chain" if plan.state.origin == "simulated" else "chain"
    head = (
        f"Swaps from and to {plan.token}, taken as 1 USD, on the pools of block {plan.state.block:,}, "
        f"{kind} {plan.state.chain_id}: the same state every day, for markets on any chain."
    )
    routed = swaps.table.filter(pl.col("reason").is_null())
    lines = [head] + [
        f"{row['path']}: {row['bps_in']:.1f} bps in and {row['bps_out']:.1f} bps out at "
        f"{row['size_usd']:,.0f} USD; at most {row['most_in_usd']:,.0f} USD in and "
        f"{row['most_out_usd']:,.0f} USD out a day."
        for row in routed.iter_rows(named=True)
    ]
    missing = swaps.table.filter(pl.col("reason").is_not_null())
    if missing.height:
        fate = "pay basis points only" if plan.unreached == "bps" else "left out"
        names = ", ".join(symbol or "of unnamed tokens" for symbol in missing["symbol"])
        lines.append(f"No swap known, {fate}: {missing['markets'].sum()} markets: {names}.")
    if 0 < missing.height <= MOST_REASONS:
        lines += missing["reason"].unique(maintain_order=True).to_list()
    return lines


MOST_REASONS = 5
"""Reasons that are printed; beyond, `--out` keeps them in swaps.parquet."""
