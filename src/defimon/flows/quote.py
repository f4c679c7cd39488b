"""What a trade really gets: quotes of every pool of a state document, largest size, curves for a chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from defimon.amm.pools._base import BPS, Pool, Quote
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.pools._fields import listed
from defimon.amm.state.amounts import base_units, in_tokens, share
from defimon.amm.state.document import State, Token
from defimon.core.errors import BadData, FixSettings
from defimon.flows.states import read_state_file

__all__ = [
    "Row",
    "State",
    "Trade",
    "amount_in_tokens",
    "curves",
    "depths",
    "draw",
    "quote_state",
    "quote_trade",
]

DEPTH_BPS = (5, 10, 20, 30, 50, 75, 100, 150, 200)
"""Moves of the price at which the chart shows how much trades."""

CURVE_POINTS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One pool's answer, or the reason why there is none or why it could not be executed."""

    pool_id: str
    title: str
    quote: Quote | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trade:
    """What was asked of a state: sell `sell` for `buy` at each of `pools`, and the answers."""

    state: State
    sell: Token
    buy: Token
    pools: dict[str, Pool]
    rows: tuple[Row, ...]


def quote_trade(
    path: Path,
    *,
    sell: str,
    buy: str | None = None,
    pool: str | None = None,
    amount: str | None = None,
    receive: str | None = None,
    max_impact: str | None = None,
) -> Trade:
    """Quotes of the pools in the state document at `path` that hold both tokens.

    Exactly one of `amount` (tokens sold), `receive` (tokens bought) and `max_impact` (largest sale whose
    price impact stays within that share: "30bps", "0.3%" or "0.003") says how much. `buy` may be left out
    where only one other token trades against `sell`. Raises FixSettings for options that do not fit
    together, BadData for tokens or pools that the document does not have, BadState for a document that is
    wrong.
    """
    asked = {"amount": amount, "receive": receive, "max_impact": max_impact}
    _refuse_unclear(**asked)
    return quote_state(read_state_file(path), sell=sell, buy=buy, pool=pool, named=str(path), **asked)


def quote_state(
    state: State,
    *,
    sell: str,
    buy: str | None = None,
    pool: str | None = None,
    amount: str | None = None,
    receive: str | None = None,
    max_impact: str | None = None,
    named: str = "the state",
) -> Trade:
    """Quotes of a state that is read already, and is called `named` in errors; else as `quote_trade`."""
    _refuse_unclear(amount, receive, max_impact)
    sold = state.token(sell)
    pools = _holding(state, pool, sold)
    bought = state.token(buy) if buy is not None else _only_other(state, pools, sold)
    pools = {name: each for name, each in pools.items() if bought.id in each.tokens and bought != sold}
    if not pools:
        raise BadData(
            f"No pool of {named} trades {sold.shown} for {bought.shown}.",
            remedy=f"Pools: {listed(state.pools)}.",
        )
    ask = _question(sold, bought, amount, receive, max_impact)
    return Trade(state, sold, bought, pools, tuple(_row(name, each, ask) for name, each in pools.items()))


def _refuse_unclear(amount: str | None, receive: str | None, max_impact: str | None) -> None:
    if sum(option is not None for option in (amount, receive, max_impact)) != 1:
        raise FixSettings(
            "How much to trade is not clear.",
            variable="--amount",
            remedy="Give one of --amount, --receive and --max-impact.",
        )


def curves(trade: Trade, largest: int) -> pl.DataFrame:
    """Columns pool, amount (tokens sold), impact, slippage: exact quotes up to `largest` base units."""
    sizes = _sizes(largest)
    lines = []
    for name, pool in trade.pools.items():
        quotes = _answered(pool, trade, sizes)
        lines += [
            (
                name,
                float(in_tokens(quote.amount_in, trade.sell.decimals)),
                float(quote.price_impact),
                float(quote.slippage),
            )
            for quote in quotes
            if not quote.partial
        ]
    return pl.DataFrame(
        lines,
        schema={"pool": pl.String, "amount": pl.Float64, "impact": pl.Float64, "slippage": pl.Float64},
        orient="row",
    )


def depths(trade: Trade, levels: Sequence[int] = DEPTH_BPS) -> pl.DataFrame:
    """Columns pool, bps (negative where the price of the sold token falls), amount (tokens of the sold one).

    A level that the recorded part of a state does not reach is left out.
    """
    sell, buy = trade.sell.id, trade.buy.id
    lines = []
    for name, pool in trade.pools.items():
        lines.append((name, 0, 0.0))
        for bps in levels:
            for sign, one, other in ((-1, sell, buy), (1, buy, sell)):
                try:
                    quote = pool.largest_within(one, other, bps * BPS)
                except (Refused, LeavesState):
                    continue
                units = quote.amount_in if sign < 0 else quote.amount_out
                lines.append((name, sign * bps, float(in_tokens(units, trade.sell.decimals))))
    return pl.DataFrame(
        lines, schema={"pool": pl.String, "bps": pl.Int64, "amount": pl.Float64}, orient="row"
    )


def draw(trade: Trade, path: Path) -> None:
    """Write the chart of amount against impact, and of depth, as SVG. Raises BadData without any answer."""
    from defimon.report.trade_chart import trade_chart

    asked = [row.quote.amount_in for row in trade.rows if row.quote is not None and row.quote.amount_in]
    if not asked:
        raise BadData("No pool answered, so there is nothing to draw.", remedy="Mend what the table names.")
    largest = max(asked)
    svg = trade_chart(
        curves(trade, largest * 3),
        depths(trade),
        sell=trade.sell.shown,
        buy=trade.buy.shown,
        marked=float(in_tokens(largest, trade.sell.decimals)),
    )
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(svg)
    partial.replace(path)


def amount_in_tokens(units: int, token: Token) -> str:
    """Base units as tokens, with every digit."""
    return f"{in_tokens(units, token.decimals):,f}"


Question = Callable[[Pool], Quote]


def _question(
    sell: Token, buy: Token, amount: str | None, receive: str | None, max_impact: str | None
) -> Question:
    if amount is not None:
        units = base_units(amount, sell.decimals, field="--amount")
        return lambda pool: pool.quote_exact_in(sell.id, buy.id, units)
    if receive is not None:
        wanted = base_units(receive, buy.decimals, field="--receive")
        return lambda pool: pool.quote_exact_out(sell.id, buy.id, wanted)
    impact = share(max_impact or "", field="--max-impact")
    return lambda pool: pool.largest_within(sell.id, buy.id, impact)


def _row(name: str, pool: Pool, ask: Question) -> Row:
    try:
        quote = ask(pool)
        pool.apply(quote)
    except (Refused, LeavesState) as error:
        return Row(name, pool.title, None, str(error))
    except BadState as error:
        raise BadState(f"{name}: {error.message}", remedy=error.remedy) from None
    return Row(name, pool.title, quote)


def _holding(state: State, pool: str | None, sell: Token) -> dict[str, Pool]:
    if pool is not None and pool not in state.pools:
        raise BadData(f"There is no pool {pool!r}.", remedy=f"Pools: {listed(state.pools)}.")
    chosen = state.pools if pool is None else {pool: state.pools[pool]}
    holding = {name: each for name, each in chosen.items() if sell.id in each.tokens}
    if not holding:
        raise BadData(f"No pool holds {sell.shown}.", remedy="Name another token or pool.")
    return holding


def _only_other(state: State, pools: dict[str, Pool], sell: Token) -> Token:
    others = {token for pool in pools.values() for token in pool.tokens} - {sell.id}
    if len(others) != 1:
        names = sorted(state.token(token).shown for token in others)
        raise FixSettings(
            f"{sell.shown} trades for {listed(names)}.", variable="--buy", remedy="Say which with --buy."
        )
    return state.token(others.pop())


def _sizes(largest: int) -> list[int]:
    """Sizes that stand evenly on a logarithmic scale, over four decades up to `largest`."""
    points = {
        max(int(largest * 10 ** (-4 * (1 - n / (CURVE_POINTS - 1)))), 1) for n in range(CURVE_POINTS - 1)
    }
    return sorted(points | {largest})


def _answered(pool: Pool, trade: Trade, sizes: list[int]) -> list[Quote]:
    quotes = []
    for size in sizes:
        try:
            quote = pool.quote_exact_in(trade.sell.id, trade.buy.id, size)
            pool.apply(quote)
        except Refused:
            continue  # too small to buy anything, or too large: a curve is drawn between them
        except LeavesState:
            break
        quotes.append(quote)
    return quotes
