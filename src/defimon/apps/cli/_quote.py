"""Quotes as a table on the terminal."""

from decimal import Decimal
from fractions import Fraction

from rich.console import Console
from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.flows.quote import Row, State, Trade, amount_in_tokens

FEW_DIGITS = 8
"""Significant digits of a price."""


def show_trade(trade: Trade) -> None:
    """Print one line a pool: amounts to the last digit, prices in tokens, impact and slippage in bps."""
    state, sell, buy = trade.state, trade.sell, trade.buy
    console = out()
    table = Table(
        title=plain(f"sell {sell.symbol} for {buy.symbol}: chain {state.chain_id}, block {state.block:,}"),
        title_justify="left",
    )
    table.add_column("pool", overflow="fold")
    for heading in ("sold", "bought", "fee", "average price", "price before", "after", "impact", "slippage"):
        table.add_column(heading, justify="right")
    table.add_column("steps", justify="right")
    for row in trade.rows:
        table.add_row(plain(f"{row.pool_id} · {row.title}"), *_cells(row, trade))
    console.print(table)
    for row in trade.rows:
        if row.quote is None:
            console.print(plain(f"{row.pool_id} gives no answer: {row.reason}"))
        elif row.quote.partial:
            asked = amount_in_tokens(row.quote.asked, sell if row.quote.exact == "in" else buy)
            console.print(plain(f"{row.pool_id} fills only a part of the {asked} asked for."))
    simulated_note(console, state)
    console.print("impact and slippage in basis points; slippage includes the fee", style="dim")


def simulated_note(console: Console, state: State) -> None:
    """Say so when the pools stand on no chain that people use."""
    if state.origin == "simulated":
        console.print("These states are simulated.", style="yellow")


def _cells(row: Row, trade: Trade) -> list[str]:
    quote = row.quote
    if quote is None:
        return [""] * 9
    scale = Fraction(10) ** (trade.sell.decimals - trade.buy.decimals)
    paid_in = trade.sell if quote.fee_token == quote.sell else trade.buy
    return [
        amount_in_tokens(quote.amount_in, trade.sell),
        amount_in_tokens(quote.amount_out, trade.buy),
        f"{amount_in_tokens(quote.fee, paid_in)} {paid_in.symbol}",
        *(_price(price * scale) for price in (quote.average_price, quote.price_before, quote.price_after)),
        f"{float(quote.price_impact * 10_000):,.2f}",
        f"{float(quote.slippage * 10_000):,.2f}",
        str(quote.steps),
    ]


def _price(price: Fraction) -> str:
    return f"{Decimal(price.numerator) / Decimal(price.denominator):.{FEW_DIGITS}g}"
