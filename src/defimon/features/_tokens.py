"""What a symbol says about the tokens of a pool."""

from collections.abc import Callable

import polars as pl

WRAPPED = r"^W(ETH|BTC|AVAX|BNB|POL|MATIC|XDAI|CELO|FTM)$"
"""A wrapped native coin or bitcoin is the coin itself: WETH is ETH."""

BRIDGE_SUFFIX = r"\.[EB]$"
"""USDC.e, BTC.b: the same coin brought over a bridge."""

ETHER = r"^([A-Z0-9]*ETH|ETHX)(-([A-Z0-9]*ETH|ETHX))*$"
"""Ether and what is staked or wrapped of it, alone or in pairs: ETH, wstETH, weETH, ETHx, STETH-WETH."""

BITCOIN = r"^([A-Z0-9]*BTC|BTCB|M-BTC)(-([A-Z0-9]*BTC|BTCB))*$"
"""Bitcoin brought to another chain: WBTC, cbBTC, LBTC, BTCB, M-BTC."""

CLASSES = ("stable", "ether", "bitcoin", "other")


def token(symbol: pl.Expr) -> pl.Expr:
    """Symbol in upper case without what tells the same coin on two chains apart; pairs stay pairs."""
    upper = symbol.str.to_uppercase().str.replace_all("₮", "T", literal=True).str.replace(BRIDGE_SUFFIX, "")
    plain = upper.str.replace(WRAPPED, "$1")
    return pl.when(plain == "USDT0").then(pl.lit("USDT")).otherwise(plain)


def class_of_token(of_token: pl.Expr) -> pl.Expr:
    """Place in CLASSES of what the token's name tells: ether, bitcoin or other; null stays null."""
    return (
        pl.when(of_token.str.contains(ETHER)).then(CLASSES.index("ether"))
        .when(of_token.str.contains(BITCOIN)).then(CLASSES.index("bitcoin"))
        .when(of_token.is_not_null()).then(CLASSES.index("other"))
    )  # fmt: skip


def once_a_run(column: str, how: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """`how` of a column of texts, worked out once for each run of equal ones: a pool keeps its symbol."""
    runs = pl.col(column).rle()
    return how(runs.struct.field("value")).repeat_by(runs.struct.field("len")).explode()
