"""Which markets of a panel need a swap, and the pools of a recorded state that do it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.state.amounts import share
from defimon.amm.state.document import State, Token, write_state
from defimon.backtest.swap_path import MOST_HOPS, SwapPath
from defimon.backtest.swaps import MOST_SLIPPAGE, NO_SWAP, Route, Swaps
from defimon.core.errors import BadData, FixSettings
from defimon.core.provenance import text_hash
from defimon.core.units import BASIS_POINT
from defimon.flows.states import read_state_file

Unreached = Literal["leave_out", "bps"]

ROUTES = pl.Schema(
    {
        "symbol": pl.String,
        "markets": pl.Int64,
        "path": pl.String,
        "pools": pl.String,
        "size_usd": pl.Float64,
        "bps_in": pl.Float64,
        "bps_out": pl.Float64,
        "most_in_usd": pl.Float64,
        "most_out_usd": pl.Float64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """How a backtest swaps: pools as of one block, taken as they are on every day.

    `token` is what the cash is held in, taken as 1 USD. A swap that would lose more than the share
    `most_slippage` is cut. Markets whose asset no path reaches are left out, or pay basis points only where
    `unreached` says so.
    """

    state: State
    token: str = "USDC"  # noqa: S105 - a coin, not a password
    most_slippage: float = MOST_SLIPPAGE
    unreached: Unreached = "leave_out"

    def settings(self) -> dict[str, object]:
        """What tells one plan from another."""
        return {
            "state": text_hash(json.dumps(write_state(self.state), sort_keys=True)),
            "token": self.state.token(self.token).id,
            "most_slippage": self.most_slippage,
            "unreached": self.unreached,
        }


def swap_plan(path: Path, token: str, most_slippage: str, unreached: Unreached) -> SwapPlan:
    """A plan on the pools in a file, as people write it: "5%", "50bps" or "0.05".

    Raises BadState for a file that holds no pools, BadData for what is no share or no token of the file.
    """
    plan = SwapPlan(
        read_state_file(path), token, float(share(most_slippage, field="--most-slippage")), unreached
    )
    plan.state.token(token)
    return plan


@dataclass(frozen=True, slots=True)
class KnownSwaps:
    """Routes by the symbol of what a market takes, in capitals, and why others have none.

    `table` has the columns of ROUTES, one row a symbol that needs a swap: bps_in and bps_out at size_usd, or
    the reason why there is no route. `symbols` are those of the panel's markets by pool_id, "" where unknown.
    `left_out` are the markets without a route.
    """

    plan: SwapPlan
    routes: dict[str, Route]
    missing: dict[str, str]
    symbols: dict[str, str]
    table: pl.DataFrame

    @property
    def left_out(self) -> dict[str, list[str]]:
        """Markets without a known swap, by symbol."""
        return {
            symbol: [pool for pool, own in self.symbols.items() if own == symbol] for symbol in self.missing
        }

    def reached(self, daily: pl.DataFrame) -> pl.DataFrame:
        """The rows of markets that can be entered. Raises FixSettings when there are none."""
        if self.plan.unreached == "bps":
            return daily
        shut = [pool for pools in self.left_out.values() for pool in pools]
        kept = daily.filter(~pl.col("pool_id").is_in(shut))
        if kept.is_empty():
            raise FixSettings(
                f"No market can be entered from {self.plan.token}: no swap known.",
                variable="pools",
                remedy="Give pools that trade what the markets take, or another --swap-token.",
            )
        return kept

    def of(self, names: list[str]) -> Swaps:
        """Swaps of the markets `names`, in their order."""
        place = {symbol: number for number, symbol in enumerate(self.routes)}
        route_of = np.array([place.get(self.symbols[name], NO_SWAP) for name in names], dtype=np.int64)
        return Swaps(list(self.routes.values()), route_of)


def known_swaps(daily: pl.DataFrame, plan: SwapPlan, size_usd: float) -> KnownSwaps:
    """Find for each symbol of the panel the path that loses least when `size_usd` goes in and out again.

    Paths of one or two pools compete; three are tried where there is none. Raises BadData when the state
    does not know the cash token.
    """
    cash = plan.state.token(plan.token)
    symbols = dict(
        daily.sort("pool_id", "day")
        .group_by("pool_id", maintain_order=True)
        .agg(pl.col("symbol").drop_nulls().last().fill_null("").str.to_uppercase())
        .iter_rows()
    )
    routes: dict[str, Route] = {}
    missing, rows = {}, []
    for symbol in sorted(set(symbols.values()) - {cash.symbol.upper()}):
        try:
            path, pools = _best_path(plan.state, cash, _asset(plan.state, symbol), size_usd)
            routes[symbol] = Route.of(path, plan.most_slippage)
        except BadData as error:
            missing[symbol] = error.message
            found: dict[str, object] = {"reason": error.message}
        else:
            found = _row(plan.state, path, pools, routes[symbol], size_usd)
        rows.append({"symbol": symbol, "markets": list(symbols.values()).count(symbol), **found})
    return KnownSwaps(plan, routes, missing, symbols, pl.DataFrame(rows, schema=ROUTES))


def _asset(state: State, symbol: str) -> Token:
    if not symbol:
        raise BadData("The panel does not say what it takes.", remedy="Give the panel a column symbol.")
    return state.token(symbol)


def _best_path(state: State, cash: Token, asset: Token, size_usd: float) -> tuple[SwapPath, list[str]]:
    """The path and its pools' ids; at a smaller size where no path can do `size_usd` both ways."""
    paths = [*_paths(state, cash, asset, 1), *_paths(state, cash, asset, 2)]
    paths = paths or list(_paths(state, cash, asset, MOST_HOPS))
    if not paths:
        raise BadData(f"No path of up to {MOST_HOPS} pools from {cash.symbol} to {asset.symbol}.")
    while size_usd >= 1.0:
        given = int(size_usd * 10**cash.decimals)
        back = [_back(path, given) for path, _ in paths]
        if max(back) > 0:
            return paths[back.index(max(back))]
        size_usd /= 10.0
    raise BadData(f"No path from {cash.symbol} to {asset.symbol} can swap 1 USD both ways.")


def _back(path: SwapPath, given: int) -> int:
    """Base units of the cash token left of `given` after going in and out on the same state; 0 if refused."""
    try:
        return path.swapped(path.swapped([given], into=True), into=False)[0]
    except (Refused, LeavesState):
        return 0


def _paths(state: State, cash: Token, asset: Token, hops: int) -> Iterator[tuple[SwapPath, list[str]]]:
    """Every path of exactly `hops` different pools over different tokens."""
    holding: dict[str, list[str]] = {}
    for pool_id, pool in state.pools.items():
        for token in pool.tokens:
            holding.setdefault(token, []).append(pool_id)

    def walk(tokens: tuple[str, ...], pools: tuple[str, ...]) -> Iterator[tuple[SwapPath, list[str]]]:
        for pool_id in holding.get(tokens[-1], ()):
            if pool_id in pools:
                continue
            for following in state.pools[pool_id].tokens:
                on, used = (*tokens, following), (*pools, pool_id)
                if len(used) < hops and following != asset.id and following not in tokens:
                    yield from walk(on, used)
                elif len(used) == hops and following == asset.id:
                    steps = tuple(state.pools[one] for one in used)
                    yield SwapPath(on, steps, (cash.decimals, asset.decimals)), list(used)

    return walk((cash.id,), ())


def _row(
    state: State, path: SwapPath, pools: Iterable[str], route: Route, size_usd: float
) -> dict[str, object]:
    names = {token.id: token.symbol for token in state.tokens}
    most = min(size_usd, route.into.most, route.out.most)
    return {
        "path": " > ".join(names[token] for token in path.tokens),
        "pools": " > ".join(pools),
        "size_usd": most,
        "bps_in": route.into.at(most) / most / BASIS_POINT,
        "bps_out": route.out.at(most) / most / BASIS_POINT,
        "most_in_usd": route.into.most,
        "most_out_usd": route.out.most,
    }
