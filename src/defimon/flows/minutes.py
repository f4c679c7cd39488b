"""Files of minutes: what the swaps of each minute came to in one pool."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from defimon.amm.pools._tick_price import MAX_TICK
from defimon.core.errors import BadData
from defimon.core.units import UTC_MICROS
from defimon.execution.minutes import Minute

AMOUNTS = ("netAmount0", "netAmount1", "inAmount0", "inAmount1", "currentLiquidity")
UINT128, INT256 = 1 << 128, 1 << 255

COLUMNS = ("timestamp", "closeTick", *AMOUNTS)


def read_minutes(*paths: Path) -> list[Minute]:
    """Minutes of the files, in the order given; amounts may be larger than 64 bits.

    A file is a table with the columns `timestamp` (UTC), `netAmount0`, `netAmount1`, `inAmount0`,
    `inAmount1` (base units), `closeTick` and `currentLiquidity`, as demeter-fetch writes it; it may be
    compressed. Raises BadData that names file and row.
    """
    minutes = [minute for path in paths for minute in _read(path)]
    for earlier, later in pairwise(minutes):
        if later.ts <= earlier.ts:
            raise BadData(
                f"Minute {later.ts} follows {earlier.ts}.", remedy="Give the files in order of time."
            )
    return minutes


def _read(path: Path) -> list[Minute]:
    if path.is_dir():
        raise BadData(f"{path} is a folder.", remedy="Give a CSV file; --minutes may be given again.")
    try:
        text = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        cause = str(error).partition("\n")[0]
        raise BadData(f"{path} cannot be read as a table ({cause}).", remedy="Give a CSV file.") from error
    absent = [name for name in COLUMNS if name not in text.columns]
    if absent:
        raise BadData(f"{path} has no column {', '.join(absent)}.", remedy=f"Needed: {', '.join(COLUMNS)}.")
    times = text["timestamp"].str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).cast(UTC_MICROS)
    rows = zip(times, text["closeTick"], *(text[name] for name in AMOUNTS), strict=True)
    return [_minute(path, number, row) for number, row in enumerate(rows, start=2)]


def _minute(path: Path, number: int, row: tuple[Any, ...]) -> Minute:
    ts, tick, *amounts = row
    try:
        net0, net1, paid0, paid1, liquidity = map(int, amounts)
        close = float(tick)
    except (TypeError, ValueError):
        raise BadData(f"{path}, line {number}: a value is no number.", remedy="Give whole numbers.") from None
    if ts is None or not close.is_integer() or min(paid0, paid1, liquidity) < 0:
        raise BadData(
            f"{path}, line {number}: an unreadable time, a tick with a fraction or a negative amount.",
            remedy="Give times such as 2023-08-14 00:01:00, whole ticks and amounts of zero or more.",
        )
    if abs(close) > MAX_TICK or liquidity >= UINT128 or max(map(abs, (net0, net1, paid0, paid1))) >= INT256:
        raise BadData(
            f"{path}, line {number}: a tick, a liquidity or an amount that fits no pool.",
            remedy=f"Ticks end at {MAX_TICK}; liquidity stays below 2^128, amounts below 2^255.",
        )
    return Minute(ts, (net0, net1), (paid0, paid1), int(close), liquidity)
