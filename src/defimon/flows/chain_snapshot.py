"""A chain at a glance: its latest blocks, fees, use, supply and busiest contracts, in a few batched calls.

Live where a node is set, else of what is stored; a snapshot says which.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from defimon.core.chains import Chain, chain_named
from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.core.units import utc_now
from defimon.flows._live_snapshot import Cost, LiveFigures, look_live
from defimon.flows._store import open_store
from defimon.flows._stored_snapshot import StoredFigures, coin_stored, contract_names, stored_blocks
from defimon.flows.latest_aggregates import DAY, HOUR, Figure, latest_figures
from defimon.flows.window_figures import CalledContract, CoinNow, Fees, WindowFigures
from defimon.sources._manners import Manners

__all__ = ["CalledContract", "ChainSnapshot", "CoinNow", "Cost", "Fees", "WindowFigures", "chain_snapshot"]

PATIENCE = Manners(first_wait_s=0.2, longest_wait_s=2.0, attempts=2, read_s=8.0, whole_s=15.0)
"""For an answer that somebody waits for: a node that is silent for seconds is told, not waited for."""


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """One chain as of `at`.

    `live` says that nodes told it; else it is of stored blocks. `final` is the highest block that cannot be
    replaced. `window` is over the newest blocks, `fees` over some more; `contracts` used most gas in the
    window. `hour` and `day` are stored aggregates of the last whole ones. `cost` is what was asked, `notes`
    what could not be told and why.
    """

    chain: Chain
    at: datetime
    live: bool
    final: int | None
    window: WindowFigures
    fees: Fees | None
    coin: CoinNow | None
    contracts: tuple[CalledContract, ...]
    hour: tuple[Figure, ...]
    day: tuple[Figure, ...]
    cost: Cost
    notes: tuple[str, ...] = field(default=())


def chain_snapshot(settings: Settings, name: str, *, manners: Manners = PATIENCE) -> ChainSnapshot:
    """Snapshot of a chain by its name.

    Nodes of DEFIMON_RPC_<CHAIN> are asked; where none is set, answers or can be used, stored blocks are
    taken, with a note. Raises FixSettings for an unknown chain and where nothing is known of it; where
    nothing is stored TryAgain when nodes fail, BadData when they refuse or answer in another shape.
    """
    chain = chain_named(name)
    with open_store(settings) as store:
        coin = coin_stored(store, chain)
        names = contract_names(store, chain.name)
        now = utc_now()
        hour, day = (tuple(latest_figures(store, chain.name, one, until=now)) for one in (HOUR, DAY))
        stored = stored_blocks(store, chain)
    notes: list[str] = []
    if settings.rpc.get(chain.name):
        try:
            live = asyncio.run(look_live(settings, chain, manners, names=names, coin=coin))
        except (TryAgain, BadData) as fault:
            if stored is None:
                raise
            said = "answers" if isinstance(fault, TryAgain) else "can be used"
            notes.append(f"No node {said} ({fault.message}): this is of stored blocks.")
        else:
            return _live(chain, live, hour, day)
    elif stored is None:
        variable = f"DEFIMON_RPC_{chain.name.upper()}"
        raise FixSettings(
            f"No node of {chain.title} is set, and no block of it is stored.",
            variable=variable,
            remedy=f"Set {variable} to the address of a node, or to several by commas.",
        )
    else:
        notes.append(f"No node is set (DEFIMON_RPC_{chain.name.upper()}): this is of stored blocks.")
    notes.append("Stored blocks do not name the contracts that were called.")
    return _of_stored(chain, stored, coin, hour, day, tuple(notes))


def _of_stored(
    chain: Chain,
    stored: StoredFigures,
    coin: CoinNow | None,
    hour: tuple[Figure, ...],
    day: tuple[Figure, ...],
    notes: tuple[str, ...],
) -> ChainSnapshot:
    return ChainSnapshot(
        chain=chain,
        at=utc_now(),
        live=False,
        final=stored.final,
        window=stored.window,
        fees=stored.fees,
        coin=coin,
        contracts=(),
        hour=hour,
        day=day,
        cost=Cost(),
        notes=notes,
    )


def _live(
    chain: Chain, live: LiveFigures, hour: tuple[Figure, ...], day: tuple[Figure, ...]
) -> ChainSnapshot:
    return ChainSnapshot(
        chain=chain,
        at=utc_now(),
        live=True,
        final=live.final,
        window=live.window,
        fees=live.fees,
        coin=live.coin,
        contracts=live.contracts,
        hour=hour,
        day=day,
        cost=live.cost,
        notes=live.notes,
    )
