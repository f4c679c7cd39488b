"""The tables of `defimon chain`."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.apps.cli._moments import ago, clock
from defimon.flows.chain_snapshot import ChainSnapshot, CoinNow, Fees, WindowFigures

GWEI = 1e9


def show_chain(snapshot: ChainSnapshot, console: Console | None = None) -> None:
    """Print figures of the window, of fees, of the coin, the busiest contracts, stored figures, and notes."""
    console = console or out()
    coin = snapshot.chain.coin
    rows: dict[str, str] = {**_blocks(snapshot), **_activity(snapshot.window, coin)}
    if snapshot.fees is not None:
        rows |= _fees(snapshot.fees, coin)
    if snapshot.coin is not None:
        rows |= _coin(snapshot.coin, coin)
    table = Table("what", "figure", title=f"{snapshot.chain.title}, {clock(snapshot.at)} UTC")
    table.columns[1].justify = "right"
    for what, figure in rows.items():
        table.add_row(what, plain(figure))
    console.print(table)
    if snapshot.contracts:
        console.print(_contracts(snapshot))
    if snapshot.hour or snapshot.day:
        console.print(_stored(snapshot))
    if snapshot.live:
        cost = snapshot.cost
        console.print(
            f"Asked in {cost.requests} requests to nodes with {cost.members} calls in them, and"
            f" {cost.others} to other services; {cost.seconds:.1f} s."
        )
    for note in snapshot.notes:
        console.print(plain(note), style="yellow", soft_wrap=True)


def _blocks(snapshot: ChainSnapshot) -> Mapping[str, str]:
    window = snapshot.window
    heights = f"{window.first:,} to {window.last:,}"
    age = ago((snapshot.at - window.last_at).total_seconds())
    return {
        "source": "nodes, now" if snapshot.live else "stored blocks",
        "newest block": f"{window.last:,}, {age} old",
        "final up to": _whole(snapshot.final),
        "blocks looked at": f"{window.blocks:,}, {heights}, {window.seconds:,.0f} s",
        "time between blocks": _number(window.block_time_s, "s"),
    }


def _activity(window: WindowFigures, coin: str) -> Mapping[str, str]:
    return {
        "transactions": _whole(window.transactions),
        "transactions a second": _number(window.per_second),
        "contract calls": _whole(window.calls),
        "contracts made": _whole(window.creations),
        "events": _whole(window.events),
        "addresses": _whole(window.addresses),
        "moved": _number(window.value_coins, coin),
        "fees paid": _number(window.fees_coins, coin),
        "gas used": _whole(window.gas_used),
        "utilisation": _share(window.utilisation),
    }


def _fees(fees: Fees, coin: str) -> Mapping[str, str]:
    lowest, highest = _gwei(fees.base_fee_lowest), _gwei(fees.base_fee_highest)
    tips = " / ".join(_gwei(tip) for tip in (fees.tip_p10, fees.tip_p50, fees.tip_p90))
    return {
        "base fee": _gwei(fees.base_fee),
        "base fee of the next block": _gwei(fees.base_fee_next),
        f"base fee, {fees.blocks:,} blocks": f"{lowest} to {highest}",
        "tips under 10 / 50 / 90 %": tips,
        f"utilisation, {fees.blocks:,} blocks": _share(fees.utilisation),
        "a plain transfer costs": _number(fees.transfer_coins, coin),
    }


def _coin(told: CoinNow, coin: str) -> Mapping[str, str]:
    return {
        "circulating": _number(told.circulating, coin),
        "total supply": _number(told.total, coin),
        "price": _number(told.price_usd, "USD"),
        "market value": _number(told.market_cap_usd, "USD"),
        "price and supply by": f"{told.source}, {clock(told.ts)}",
    }


def _contracts(snapshot: ChainSnapshot) -> Table:
    table = Table("contract", "name", title="Contracts that transactions called, by gas")
    for name in ("calls", "gas", "share of gas"):
        table.add_column(name, justify="right")
    for one in snapshot.contracts:
        table.add_row(
            plain(one.address), plain(one.name), f"{one.calls:,}", _whole(one.gas), _share(one.share)
        )
    return table


def _stored(snapshot: ChainSnapshot) -> Table:
    table = Table("metric", title="Stored aggregates")
    for name in ("last hour", "ended", "last day", "ended"):
        table.add_column(name, justify="right")
    hours = {one.metric: one for one in snapshot.hour}
    days = {one.metric: one for one in snapshot.day}
    for metric in sorted({*hours, *days}):
        hour, day = hours.get(metric), days.get(metric)
        table.add_row(
            plain(metric),
            _number(hour.value if hour else None),
            clock(hour.ts if hour else None),
            _number(day.value if day else None),
            clock(day.ts if day else None),
        )
    return table


def _whole(number: int | None) -> str:
    return "not told" if number is None else f"{number:,}"


def _number(number: float | None, unit: str = "") -> str:
    return "not told" if number is None else f"{number:,.6g} {unit}".strip()


def _share(share: float | None) -> str:
    return "not told" if share is None else f"{share:.2%}"


def _gwei(wei: int | None) -> str:
    return "not told" if wei is None else f"{wei / GWEI:,.4g} gwei"
