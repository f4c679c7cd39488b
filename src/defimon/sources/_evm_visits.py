"""What sources of contracts share: nodes for the contracts that are set, and the blocks of one visit."""

from collections.abc import Sequence

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_moments import first_block_since
from defimon.sources._evm_places import Place
from defimon.sources._evm_words import Header
from defimon.sources._http import Http
from defimon.sources._series import Keep, Wanted


def chains_of(
    http: Http, settings: Settings, places: Sequence[Place], variable: str, keep: Keep
) -> dict[str, EvmChain]:
    """Readers of the chains that the places lie on, by name. Raises FixSettings where one has no node set."""
    for place in places:
        if not settings.rpc.get(place.chain):
            node = f"DEFIMON_RPC_{place.chain.upper()}"
            raise FixSettings(
                f"{variable} names a contract on {place.chain}, and no node of it is set.",
                variable=node,
                remedy=f"Set {node}.",
            )
    return {place.chain: EvmChain(http, settings.rpc[place.chain], place.on, keep) for place in places}


async def visited(evm: EvmChain, wanted: Wanted) -> tuple[Header, Header] | None:
    """The block above which to begin, and the last one to read; None where there is nothing to read.

    The last one is final, or the end of the gap that is filled. Without cursor a visit begins at `since`, and
    without that with the last final block alone.
    """
    final = await evm.header(max(0, await evm.finalized()))
    if wanted.until is not None:
        final = await evm.header(min(final.number, wanted.until - 1))
    if wanted.cursor is not None:
        below = await evm.header(min(wanted.cursor.number, final.number))
    elif wanted.since is None:
        below = await evm.header(max(0, final.number - 1))
    else:
        first = await first_block_since(evm, wanted.since, final)
        below = await evm.header(max(0, first.number - 1))
    return (below, final) if below.number < final.number else None
