"""Quotes as a table on the terminal."""

from decimal import Decimal
from fractions import Fraction

from rich.console import Console
from rich.table import Table
from rich.text import Text

from defimon.apps.cli._console import out, plain, print_whole, width_of
from defimon.flows.quote import Row, State, Trade, amount_in_tokens

FEW_DIGITS = 8
"""Significant digits of a price."""

HEADINGS = (
    "sold",
    "bought",
    "fee",
    "average price",
    "price before",
    "after",
    "impact",
    "slippage",
    "steps",
)


def show_trade(trade: Trade) -> None:
    """Print one line a pool: amounts to the last digit, prices in tokens, impact and slippage in bps.

    A terminal that is too narrow for the lines shows one pool below the other.
    """
    state, sell, buy = trade.state, trade.sell, trade.buy
    console = out()
    title = plain(f"sell {sell.shown} for {buy.shown}: chain {state.chain_id}, block {state.block:,}")
    table = Table(title=title, title_justify="left")
    table.add_column("pool")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for row in trade.rows:
        table.add_row(_name(row), *_cells(row, trade))
    if console.is_terminal and width_of(table) > console.width:
        console.print(title, style="italic")
        for row in trade.rows:
            if row.quote is not None:
                print_whole(console, _one_pool(row, trade))
    else:
        print_whole(console, table)
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


def _name(row: Row) -> Text:
    return plain(f"{row.pool_id} · {row.title}")


def _one_pool(row: Row, trade: Trade) -> Table:
    """The figures of one pool, one below the other."""
    table = Table(title=_name(row), title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    for heading, cell in zip(HEADINGS, _cells(row, trade), strict=True):
        table.add_row(heading, cell)
    return table


def _cells(row: Row, trade: Trade) -> list[Text]:
    quote = row.quote
    if quote is None:
        return [plain("")] * len(HEADINGS)
    scale = Fraction(10) ** (trade.sell.decimals - trade.buy.decimals)
    paid_in = trade.sell if quote.fee_token == quote.sell else trade.buy
    cells = [
        amount_in_tokens(quote.amount_in, trade.sell),
        amount_in_tokens(quote.amount_out, trade.buy),
        f"{amount_in_tokens(quote.fee, paid_in)} {paid_in.shown}",
        *(_price(price * scale) for price in (quote.average_price, quote.price_before, quote.price_after)),
        f"{float(quote.price_impact * 10_000):,.2f}",
        f"{float(quote.slippage * 10_000):,.2f}",
        str(quote.steps),
    ]
    return [plain(cell) for cell in cells]


def _price(price: Fraction) -> str:
    return f"{Decimal(price.numerator) / Decimal(price.denominator):.{FEW_DIGITS}g}"
