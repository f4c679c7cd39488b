"""Fees of a position from what was traded in its pool, step by step."""

import numpy as np
import polars as pl

from defimon.amm.liquidity._paths import checked_path
from defimon.amm.liquidity.position import Floats, Position
from defimon.core.errors import BadData

MILLION = 1_000_000
TRADED = ("paid0", "paid1", "liquidity")


def with_fees(
    position: Position,
    path: pl.DataFrame,
    fee_ppm: int,
    *,
    included: bool = False,
    protocol_share: float = 0.0,
) -> pl.DataFrame:
    """`path` with the columns fees0 and fees1: what `position` earned in the step that ends at each row.

    `path` has `ts`, `price` (at `ts`), and for the step since the row before: `paid0` and `paid1` (what
    traders paid in, fee included) and `liquidity` (active in the pool; for v2 the root of the product of the
    reserves); `low` and `high` (extreme prices of the step) are used where they are there. All in the units
    of the position. The first row opens the position: its step earned nothing.

    A step's fee goes to the position by its share of the liquidity. Where the price of a step lay within the
    range only in part, the step counts by the part of its span of log-prices that did. Unless `included`
    says that `liquidity` holds the position already, it is added to what it shares with; that larger
    liquidity would have moved the price less, or drawn more trades, is left out. `protocol_share` is the
    part of the fee that the protocol keeps. Raises BadData.
    """
    _check(path, fee_ppm, protocol_share)
    rows = checked_path(path)
    others = rows["liquidity"].cast(pl.Float64).to_numpy()
    whole = others if included else others + position.liquidity
    part = np.divide(position.liquidity, whole, out=np.zeros_like(whole), where=whole > 0)
    if included and np.any(part > 1):
        raise BadData("The position is larger than the pool's liquidity.", remedy="Leave out `included`.")
    earning = part * _share_in_range(position, rows) * fee_ppm / MILLION * (1 - protocol_share)
    earning[0] = 0.0
    return rows.with_columns(
        pl.Series(f"fees{token}", earning * rows[f"paid{token}"].cast(pl.Float64).to_numpy())
        for token in (0, 1)
    )


def _share_in_range(position: Position, rows: pl.DataFrame) -> Floats:
    """Part of each step's span of log-prices that lies within the range."""
    price = rows["price"].to_numpy()
    before = np.concatenate((price[:1], price[:-1]))
    low, high = np.minimum(price, before), np.maximum(price, before)
    if "low" in rows.columns:
        low = np.minimum(low, rows["low"].to_numpy())
    if "high" in rows.columns:
        high = np.maximum(high, rows["high"].to_numpy())
    span = np.log(high / low)
    within: Floats = np.log(
        np.clip(high, position.lower, position.upper) / np.clip(low, position.lower, position.upper)
    )
    still: Floats = position.holds_in_range(price).astype(np.float64)
    np.divide(within, span, out=still, where=span > 0)
    return still


def _check(path: pl.DataFrame, fee_ppm: int, protocol_share: float) -> None:
    missing = [name for name in TRADED if name not in path.columns]
    if missing:
        raise BadData(f"The path has no column {', '.join(missing)}.", remedy=f"Needed: {', '.join(TRADED)}.")
    for name in TRADED:
        column = path[name].cast(pl.Float64)
        if column.null_count() or not column.is_finite().all() or (column < 0).any():
            raise BadData(f"{name} has an empty or negative value.", remedy="Give 0 where nothing traded.")
    if not 0 <= fee_ppm < MILLION or not 0 <= protocol_share <= 1:
        raise BadData(
            f"fee_ppm is {fee_ppm}, protocol_share {protocol_share}.",
            remedy=f"The fee is from 0 to below {MILLION}, the share from 0 to 1.",
        )
