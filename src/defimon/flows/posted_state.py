"""Quotes and impact curves of a state document that came with the question."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from defimon.amm.pools._base import Quote
from defimon.amm.state.amounts import in_tokens
from defimon.amm.state.document import Token, read_state
from defimon.core.errors import BadData
from defimon.flows.quote import Trade, curves, depths, quote_state

MOST_POOLS = 100
"""Of a posted document; a whole market is quoted by the command line, from a file."""

MOST_CURVES = 20
"""Pools of one answer: a pool of eight coins takes a quarter of a second, at worst one."""

MOST_S = 10.0
"""Seconds that curves may take."""


@dataclass(frozen=True, slots=True)
class PoolQuote:
    """One pool's answer; amounts in tokens with every digit, prices in tokens bought per token sold.

    `impact` and `slippage` are fractions. Without an answer all of them are None and `reason` tells why.
    """

    pool: str
    title: str
    reason: str
    partial: bool
    sold: str | None = None
    bought: str | None = None
    fee: str | None = None
    fee_token: str | None = None
    average_price: float | None = None
    price_before: float | None = None
    price_after: float | None = None
    impact: float | None = None
    slippage: float | None = None


def posted_trade(document: Mapping[str, Any], **asked: str | None) -> Trade:
    """As `quote_state`, on a document of format `defimon.pools`. Raises BadState for one that is wrong."""
    pools = document.get("pools")
    if isinstance(pools, list) and len(pools) > MOST_POOLS:
        raise BadData(f"The state has {len(pools)} pools.", remedy=f"Send at most {MOST_POOLS}.")
    return quote_state(read_state(document), **asked)  # type: ignore[arg-type]


def quote_document(document: Mapping[str, Any], **asked: str | None) -> dict[str, Any]:
    """The answer of each pool that trades the two tokens, plain for JSON. Raises as `posted_trade`."""
    trade = posted_trade(document, **asked)
    quotes = [asdict(_told(row.pool_id, row.title, row.reason, row.quote, trade)) for row in trade.rows]
    state = trade.state
    return {"chain_id": state.chain_id, "block": state.block, **_named(trade), "quotes": quotes}


def curve_document(
    document: Mapping[str, Any], *, most_s: float = MOST_S, **asked: str | None
) -> dict[str, Any]:
    """Points of amount against impact up to three times what was asked, and what trades within bands.

    Raises as `posted_trade`, and BadData when no pool answered, when more than MOST_CURVES of them trade the
    two tokens, and when their curves are not done within `most_s` seconds.
    """
    end = time.monotonic() + most_s
    trade = posted_trade(document, **asked)
    if len(trade.pools) > MOST_CURVES:
        raise BadData(
            f"{len(trade.pools)} pools trade the two tokens.",
            remedy=f"Send at most {MOST_CURVES} of them, or name one as pool.",
        )
    sold = [row.quote.amount_in for row in trade.rows if row.quote is not None and row.quote.amount_in]
    if not sold:
        reasons = [f"{row.pool_id}: {row.reason}" for row in trade.rows]
        raise BadData("No pool answers.", rows=reasons, remedy="Ask for another amount.")
    points: list[dict[str, Any]] = []
    bands: list[dict[str, Any]] = []
    for done, (name, pool) in enumerate(trade.pools.items()):
        if time.monotonic() > end:
            raise BadData(
                f"Only {done} of {len(trade.pools)} pools were done after {most_s:g} seconds.",
                remedy="Send fewer of them, or name one as pool.",
            )
        alone = replace(trade, pools={name: pool})
        points += curves(alone, 3 * max(sold)).to_dicts()
        bands += depths(alone).to_dicts()
    return {**_named(trade), "curve": points, "depth": bands}


def _named(trade: Trade) -> dict[str, str]:
    return {"origin": trade.state.origin, "sell": trade.sell.shown, "buy": trade.buy.shown}


def _told(pool: str, title: str, reason: str, quote: Quote | None, trade: Trade) -> PoolQuote:
    if quote is None:
        return PoolQuote(pool, title, reason, partial=False)
    sell, buy = trade.sell, trade.buy
    scale = Fraction(10) ** (sell.decimals - buy.decimals)
    paid_in = sell if quote.fee_token == quote.sell else buy
    return PoolQuote(
        pool,
        title,
        reason,
        partial=quote.partial,
        sold=_plain(quote.amount_in, sell),
        bought=_plain(quote.amount_out, buy),
        fee=_plain(quote.fee, paid_in),
        fee_token=paid_in.shown,
        average_price=_figure(quote.average_price * scale),
        price_before=_figure(quote.price_before * scale),
        price_after=_figure(quote.price_after * scale),
        impact=_figure(quote.price_impact),
        slippage=_figure(quote.slippage),
    )


def _plain(units: int, token: Token) -> str:
    return f"{in_tokens(units, token.decimals):f}"


def _figure(value: Fraction) -> float | None:
    """None for what no float holds: a price of two tokens may be far beyond 10^308."""
    try:
        return float(value)
    except OverflowError:
        return None
