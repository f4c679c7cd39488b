"""Quotes and impact curves of a state document that came with the question."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from defimon.amm.pools._base import Quote
from defimon.amm.state.amounts import in_tokens
from defimon.amm.state.document import Token, read_state
from defimon.core.errors import BadData
from defimon.flows.quote import Trade, curves, depths, quote_state

MOST_POOLS = 100
"""Of a posted document; a whole market is quoted by the command line, from a file."""


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


def curve_document(document: Mapping[str, Any], **asked: str | None) -> dict[str, Any]:
    """Points of amount against impact up to three times what was asked, and what trades within bands.

    Raises as `posted_trade`, and BadData when no pool answered.
    """
    trade = posted_trade(document, **asked)
    sold = [row.quote.amount_in for row in trade.rows if row.quote is not None and row.quote.amount_in]
    if not sold:
        reasons = [f"{row.pool_id}: {row.reason}" for row in trade.rows]
        raise BadData("No pool answers.", rows=reasons, remedy="Ask for another amount.")
    points, bands = curves(trade, 3 * max(sold)), depths(trade)
    return {**_named(trade), "curve": points.to_dicts(), "depth": bands.to_dicts()}


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
