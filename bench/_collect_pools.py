"""How long a snapshot of all pools takes, from a service on loopback to the store, part by part."""

import asyncio
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from numpy.random import default_rng

from defimon.core.settings import Settings, load_settings
from defimon.flows._batches import store_batch
from defimon.flows._raw_answers import compressed, keep_once
from defimon.flows.collect_sources import collect_sources
from defimon.quality._base import check
from defimon.sources._defillama_listing import changes
from defimon.sources._defillama_shape import metas_of
from defimon.sources._defillama_yields import panel_of_pools
from defimon.sources._http import Answer, Http
from defimon.sources._manners import Manners
from defimon.sources._series import Batch, Cursor, Series
from defimon.store.database import Store

MUST_S = 3.0
POOLS, FEW_POOLS = 20_000, 2_000
PROTOCOLS, CHAINS = 400, 60
NO_GAP = Manners(gap_s=0.0)


def answer_of(pools: int, *, turn: int, seed: int = 7) -> bytes:
    """A `/pools` answer of the documented shape, about 700 bytes a pool; each turn has figures of its own."""
    names, rng = default_rng(seed), default_rng(seed + 1 + turn)
    rows = []
    for place in range(pools):
        code = names.bytes(16).hex()
        base, reward = float(rng.gamma(1.0, 4.0)), float(rng.gamma(0.5, 2.0))
        rewarded = place % 3 == 0
        rows.append(
            {
                "chain": f"Chain {place % CHAINS}",
                "project": f"protocol-{place * 7 % PROTOCOLS}",
                "symbol": f"TOKEN{place % 900}-USDC",
                "tvlUsd": int(rng.pareto(1.0) * 1e4) + 10_000,
                "apyBase": round(base, 5),
                "apyReward": round(reward, 5) if rewarded else None,
                "apy": round(base + reward * rewarded, 5),
                "rewardTokens": [f"0x{names.bytes(20).hex()}"] if rewarded else None,
                "pool": f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}",
                "apyPct1D": round(float(rng.normal()), 5),
                "apyPct7D": round(float(rng.normal()), 5),
                "apyPct30D": round(float(rng.normal()), 5),
                "stablecoin": place % 5 == 0,
                "ilRisk": "yes" if place % 2 else "no",
                "exposure": "multi" if place % 2 else "single",
                "predictions": {
                    "predictedClass": "Stable/Up",
                    "predictedProbability": 74,
                    "binnedConfidence": 2,
                },
                "poolMeta": "0.3%" if place % 4 == 0 else None,
                "mu": round(base, 5),
                "sigma": 0.05123,
                "count": place % 1_500,
                "outlier": False,
                "underlyingTokens": [f"0x{names.bytes(20).hex()}", f"0x{names.bytes(20).hex()}"],
                "il7d": None,
                "apyBase7d": None,
                "apyMean30d": round(base, 5),
                "volumeUsd1d": int(rng.pareto(1.0) * 1e4) if place % 2 else None,
                "volumeUsd7d": None,
                "apyBaseInception": None,
            }
        )
    return json.dumps({"status": "success", "data": rows}, separators=(",", ":")).encode()


def serve(bodies: list[bytes], port: "multiprocessing.Queue[int]") -> None:
    """Answers the n-th request with the n-th body, and the last one for ever."""

    async def main() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(main())


@contextmanager
def served(bodies: list[bytes]) -> Iterator[str]:
    """Address of a service in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    port: multiprocessing.Queue[int] = spawn.Queue()
    process = spawn.Process(target=serve, args=(bodies, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=60)}"
    finally:
        process.terminate()
        process.join()


Took = tuple[float, float]
"""Seconds by the clock, and of processor time, which others' load on the machine moves less."""


def timed(work: Callable[[], Any]) -> tuple[Took, Any]:
    clock, busy = time.perf_counter(), time.process_time()
    answer = work()
    return (time.perf_counter() - clock, time.process_time() - busy), answer


def whole(settings: Settings, store: Store) -> Took:
    """Seconds of one snapshot, as `defimon collect` takes it: asked, kept, checked, stored."""
    took, done = timed(
        lambda: collect_sources(
            settings,
            ["defillama"],
            chosen=lambda series: series.name == "defillama:pools",
            store=store,
            manners=NO_GAP,
        )
    )
    for result in done.results:
        if result.error or result.inserted == 0:
            raise SystemExit(f"{result.series}: {result.error or 'nothing was stored'}")
    return took


def stages(url: str, store: Store) -> dict[str, Took]:
    """Seconds of each part of a snapshot, one after the other."""

    async def fetched() -> tuple[object, Answer]:
        async with Http(NO_GAP) as http:
            return await http.get_json(f"{url}/pools")

    took: dict[str, Took] = {}
    took["fetch and parse"], (value, answer) = timed(lambda: asyncio.run(fetched()))
    at = answer.fetched_at
    took["hold against the shape"], panel = timed(lambda: panel_of_pools(value, at, where="bench"))
    known = store.read("pools", where={"source": ["defillama"]})
    took["compare the listing"], listing = timed(
        lambda: changes(panel, metas_of(value), known, at, "defillama")
    )
    took["quality rules"], _ = timed(lambda: check(panel, ("row", "day")))
    number = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    batch = Batch({"pools": listing.rows}, panel, Cursor(number, at))
    series = Series("defillama:pools", "defillama", timedelta(minutes=15))
    took["quality rules and store"], _ = timed(lambda: store_batch(store, series, batch, None, None))
    took["compress and keep"], _ = timed(lambda: keep_once(store, answer, "defillama"))
    return took


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of what was measured: `what`, `seconds` by the clock and `processor` (medians), `must` where there
    is a limit by the clock.
    """
    pools, repeat = (FEW_POOLS, 1) if quick else (POOLS, 3)
    bodies = [answer_of(pools, turn=turn) for turn in range(2 * repeat + 1)]
    megabytes = len(bodies[0]) / 1e6
    kept = len(compressed(bodies[0])) / 1e6
    with tempfile.TemporaryDirectory() as folder, served(bodies) as url:
        settings = load_settings({}, defillama_url=url, data_dir=Path(folder))
        with Store(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
            store.migrate()
            first = whole(settings, store)
            later = [whole(settings, store) for _ in range(repeat)]
            parts = [stages(url, store) for _ in range(repeat)]
            rows = store.count("yields")
    name = f"/pools of {pools:,} ({megabytes:.1f} MB, {kept:.1f} MB kept)"
    found = [_row(f"{name}: first snapshot", [first], MUST_S), _row(f"{name}: later ones", later, MUST_S)]
    if rows != pools * (2 * repeat + 1):
        raise SystemExit(f"{rows:,} rows are stored, expected {pools * (2 * repeat + 1):,}")
    return found + [_row(f"  {part}", [one[part] for one in parts], None) for part in parts[0]]


def _row(what: str, took: list[Took], must: float | None) -> dict[str, Any]:
    seconds, processor = (statistics.median(one[place] for one in took) for place in (0, 1))
    return {"what": what, "seconds": seconds, "processor": processor, "must": must}


if __name__ == "__main__":
    with pl.Config(fmt_str_lengths=80, tbl_hide_dataframe_shape=True, tbl_rows=20):
        print(pl.DataFrame(run()))
