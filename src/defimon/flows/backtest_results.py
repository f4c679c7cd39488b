"""What came of a backtest, kept in the store: figures and curves as a document, trades as a table."""

import zlib
from dataclasses import asdict
from io import BytesIO
from typing import Any

import numpy as np
import orjson
import polars as pl

from defimon.backtest.arrays import Floats
from defimon.core.errors import BadData
from defimon.core.provenance import code_version
from defimon.core.tables import BACKTEST_RESULTS
from defimon.flows.backtest import BENCHMARK, BacktestResult
from defimon.store.database import Store

MOST_POINTS = 1_000
"""Points of a curve that are kept: more than a screen has columns."""

COSTS = {"cost_bps": "fees_usd", "gas": "gas_usd", "swap": "swap_usd"}
"""Kinds of the ledger's lines that are costs, and what they are called in a result."""


def document_of(result: BacktestResult, *, origin: str, forecasts: str) -> dict[str, Any]:
    """Everything about the result but its trades, plain for JSON.

    Fractions, USD and ISO dates; `summary` has one row a strategy, `simplest` being true for the rule that
    the others have to beat; of `curves` see `_curves`.
    """
    judgement = result.judgement
    return {
        "days": [day.isoformat() for day in result.days],
        "pools": result.pools,
        "capital_usd": result.setup.capital,
        "origin": origin,
        "forecasts": forecasts,
        "data_hash": result.data_hash,
        "code_version": code_version(),
        "benchmark": BENCHMARK,
        "summary": _summary(result),
        "refused": result.refused,
        "identical": [list(pair) for pair in judgement.identical],
        "overfitting": judgement.overfitting,
        "trials": judgement.trials,
        "stuck": result.stuck.to_dicts(),
        "accruals": asdict(result.accruals),
        "trades": result.trades.height,
        "curves": _curves(result.equity),
    }


def keep_result(store: Store, result_id: str, document: dict[str, Any], trades: pl.DataFrame) -> None:
    """Write both parts, unless they are there already."""
    table = BytesIO()
    trades.write_parquet(table)
    bodies = {"document": zlib.compress(orjson.dumps(document)), "trades": table.getvalue()}
    now = store.now()
    rows = [
        {
            "result_id": result_id,
            "part": part,
            "ts": now,
            "body": body,
            "length": len(body),
            "known_at": now,
            "source": "defimon",
            "origin": "derived",
        }
        for part, body in bodies.items()
        if _body(store, result_id, part) is None
    ]
    if rows:
        store.write(BACKTEST_RESULTS.name, BACKTEST_RESULTS.rows(rows))


def has_result(store: Store, result_id: str) -> bool:
    """Whether both parts are there."""
    return all(_body(store, result_id, part) is not None for part in ("document", "trades"))


def read_document(store: Store, result_id: str) -> dict[str, Any]:
    """The document as `document_of` made it. Raises BadData when it is gone."""
    found: dict[str, Any] = orjson.loads(zlib.decompress(_needed(store, result_id, "document")))
    return found


def read_trades(
    store: Store, result_id: str, *, strategy: str | None = None, after: int = 0, limit: int = 100
) -> tuple[list[dict[str, Any]], int]:
    """Rows strategy, day, kind, pool_id, usd from the place `after` on, at most `limit`, and how many there
    are in all; of one strategy if it is named. Raises BadData when they are gone.
    """
    trades = pl.read_parquet(BytesIO(_needed(store, result_id, "trades")))
    if strategy is not None:
        trades = trades.filter(pl.col("strategy") == strategy)
    return trades.slice(after, limit).to_dicts(), trades.height


def _body(store: Store, result_id: str, part: str) -> bytes | None:
    where = {"result_id": [result_id], "part": [part]}
    rows = store.read(BACKTEST_RESULTS.name, where=where, columns=["body"])
    return None if rows.is_empty() else rows["body"][0]


def _needed(store: Store, result_id: str, part: str) -> bytes:
    body = _body(store, result_id, part)
    if body is None:
        raise BadData(f"The {part} of result {result_id} are not in the store.", remedy="Ask for it anew.")
    return body


def _summary(result: BacktestResult) -> list[dict[str, Any]]:
    """Rows of the summary with every kind of cost."""
    paid = result.ledger.filter(pl.col("kind").is_in(list(COSTS)))
    sums = {
        (strategy, kind): -usd
        for strategy, kind, usd in paid.group_by("strategy", "kind").agg(pl.col("cash_usd").sum()).iter_rows()
    }
    return [
        row
        | {name: sums.get((row["strategy"], kind), 0.0) for kind, name in COSTS.items()}
        | {"simplest": row["strategy"] == BENCHMARK}
        for row in result.summary.iter_rows(named=True)
    ]


def _curves(equity: pl.DataFrame) -> dict[str, Any]:
    """`days`, and for each strategy `value_usd` at the end of each and `drawdown`, a fraction below the
    highest value so far: the deepest since the point before, so that thinning hides no fall.
    """
    by_name = {str(key[0]): part for key, part in equity.partition_by("strategy", as_dict=True).items()}
    days = next(iter(by_name.values()))["day"]
    ends = _ends(len(days))
    return {
        "days": [days[int(end)].isoformat() for end in ends],
        "strategies": [
            {"strategy": name, **_curve(part["value_usd"].to_numpy(), ends)} for name, part in by_name.items()
        ],
    }


def _ends(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Places that are kept: the first, the last, and others evenly between."""
    most = min(count, MOST_POINTS)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


def _curve(values: Floats, ends: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, list[float]]:
    fall = 1.0 - values / np.maximum.accumulate(values)
    starts = np.concatenate([[0], ends[:-1] + 1])
    deepest = np.maximum.reduceat(fall, starts)
    return {
        "value_usd": np.round(values[ends], 4).tolist(),
        "drawdown": np.round(deepest, 8).tolist(),
    }
