"""Pools that go by another id: proposed where one vanished in the very snapshot in which its like appeared.

A proposal is a guess with its reason beside it. Rows keep the id they came with; `flows.stored` reads the
history of the old id as that of the new one. When the old id is listed again the proposal is taken back.
"""

from datetime import datetime
from typing import Any

import polars as pl

from defimon.core.tables import POOL_ALIASES
from defimon.core.units import utc_now
from defimon.store.database import Store, Written

ALIKE = ("protocol", "chain", "symbol", "meta")
TVL_WITHIN = 0.05
"""Share by which the TVL may differ: of the pools of DefiLlama's recorded charts the median moves 2 % a day,
and a snapshot is a quarter of an hour old."""
APY_WITHIN = 0.005
"""Half a percentage point, or a tenth of the yield where that is more."""
APY_SHARE = 0.1


def propose_aliases(store: Store, source: str = "defillama") -> Written:
    """Write what the store's snapshots say of ids that changed; the same snapshots again change nothing.

    Proposed only where one pool alone vanished and one alone appeared for the first time in the same
    snapshot with equal protocol, chain, symbol and meta, and the first figures of the new one continue the
    last ones of the old one.
    """
    pools = store.read("pools", where={"source": [source]})
    told = pools.filter(pl.col("listed").is_not_null()).sort("pool_id", "ts")
    if told.is_empty():
        return Written()
    pairs = _pairs(told)
    figures = _figures(store, pairs, source)
    proposed = list(filter(None, (_alias(pair, figures, source) for pair in pairs.iter_rows(named=True))))
    seen = dict(told.filter("listed").group_by("pool_id").agg(pl.col("ts").max()).iter_rows())
    rows = [_taken_back(row) if row["pool_id"] in seen and seen[row["pool_id"]] > row["ts"] else row
            for row in proposed]  # fmt: skip
    with store.transaction():
        return store.write("pool_aliases", POOL_ALIASES.rows(rows))


def _taken_back(row: dict[str, Any]) -> dict[str, Any]:
    """The proposal withdrawn: the old id is listed again, and goes by its own name."""
    return {**row, "alias_of": row["pool_id"], "reason": "listed again", "known_at": utc_now()}


def names_now(store: Store, as_of: datetime | None = None) -> dict[str, str]:
    """Id by which each renamed pool goes now; chains of names are followed to their end."""
    rows = store.read("pool_aliases", as_of=as_of, columns=["pool_id", "alias_of"])
    step = {old: new for old, new in rows.iter_rows() if old != new}
    found: dict[str, str] = {}
    for old, next_one in step.items():
        seen, new = {old}, next_one
        while new in step and new not in seen:
            seen.add(new)
            new = step[new]
        found[old] = new
    return found


def _pairs(told: pl.DataFrame) -> pl.DataFrame:
    """One vanished and one new pool of the same kind in the same snapshot; `old`, `new`, `ts` and ALIKE."""
    earliest = told["ts"].min()
    first = told.unique("pool_id", keep="first", maintain_order=True)
    new = first.filter(pl.col("listed") & (pl.col("ts") > earliest))
    gone = told.filter(~pl.col("listed"))
    alone = [
        one.filter(pl.len().over("ts", *ALIKE) == 1).select("ts", *ALIKE, pl.col("pool_id").alias(name))
        for one, name in ((gone, "old"), (new, "new"))
    ]
    return alone[0].join(alone[1], on=["ts", *ALIKE], how="inner", nulls_equal=True).sort("ts", "old")


def _figures(store: Store, pairs: pl.DataFrame, source: str) -> pl.DataFrame:
    """Yields of the pools in question by pool and time."""
    names = [*pairs["old"], *pairs["new"]]
    columns = ["pool_id", "ts", "apy", "tvl_usd"]
    where = {"pool_id": names, "source": [source]}
    return store.read("yields", where=where, columns=columns).sort("pool_id", "ts")


def _alias(pair: dict[str, Any], figures: pl.DataFrame, source: str) -> dict[str, Any] | None:
    """Row of `pool_aliases` where the new pool's first figures continue the old one's last ones."""
    ts = pair["ts"]
    before = figures.filter((pl.col("pool_id") == pair["old"]) & (pl.col("ts") < ts)).tail(1)
    after = figures.filter((pl.col("pool_id") == pair["new"]) & (pl.col("ts") == ts))
    both = pl.concat([before, after]).select("apy", "tvl_usd").rows()
    if len(both) != 2 or None in both[0] + both[1]:
        return None
    (old_apy, old_tvl), (new_apy, new_tvl) = both
    far = abs(new_apy - old_apy) > max(APY_WITHIN, APY_SHARE * abs(old_apy))
    if far or abs(new_tvl - old_tvl) > TVL_WITHIN * old_tvl:
        return None
    return {
        "pool_id": pair["old"],
        "ts": ts,
        "alias_of": pair["new"],
        "reason": (
            f"vanished when its like appeared: {pair['protocol']} {pair['symbol']} on {pair['chain']},"
            f" TVL {old_tvl:,.0f} then {new_tvl:,.0f} USD, yield {old_apy:.4f} then {new_apy:.4f}"
        ),
        "known_at": ts,
        "source": source,
        "origin": "derived",
    }
