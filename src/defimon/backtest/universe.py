"""Which pools a backtest in USD may hold."""

import polars as pl

from defimon.core.errors import FixSettings

OTHER_CURRENCY = r"EUR|CHF|CAD|GBP|JPY|YEN|SGD|AUDC|BRL|REAL|^PAR$|^FPI$|TRY[BC]|^XAU|^PAXG$"
"""Parts of the names of stablecoins that keep the value of something else than the US dollar, from the
symbols of DefiLlama's stablecoin listing (PAR is a euro, FPI follows consumer prices, PAXG is gold)."""


def dollar_pools(daily: pl.DataFrame) -> pl.DataFrame:
    """Rows of pools that hold stablecoins of the US dollar only, so that a yield is a return in USD.

    Raises FixSettings when no pool is left.
    """
    token = pl.col("symbol").fill_null("").str.to_uppercase().str.split("-")
    other = token.list.eval(pl.element().str.contains(OTHER_CURRENCY)).list.any()
    kept = daily.filter(pl.col("stablecoin").fill_null(value=False) & ~other.fill_null(value=False))
    if kept.is_empty():
        raise FixSettings(
            "No pool of the panel is known to hold stablecoins of the US dollar only.",
            variable="universe",
            remedy="Choose the universe all, or give the panel the columns stablecoin and symbol.",
        )
    return kept
