"""Chains by name: what a source has to know of one. A further chain is a row here, never a file of code."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from defimon.core.errors import FixSettings


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain.

    `evm_id` is the chain id of its EVM (None without one); `substrate` says that it speaks Substrate's RPC.
    `decimals` are the coin's base units as the EVM counts them, `native_decimals` as Substrate does.
    `confirmations` is how many blocks on top make one final where nodes do not tell by the tag `finalized`.
    `blockscout` is the host of a public Blockscout, `etherscan` whether Etherscan V2 serves the chain;
    `coingecko` the coin's id there, `llama` the chain's name at DefiLlama.
    """

    name: str
    title: str
    coin: str
    evm_id: int | None = None
    substrate: bool = False
    decimals: int = 18
    native_decimals: int = 18
    confirmations: int | None = None
    blockscout: str = ""
    etherscan: bool = False
    coingecko: str = ""
    llama: str = ""


# Chain ids: EIP-155 ids as the chains' own documents give them. Explorers: the projects' own pages.
_ALL = (
    Chain(
        "astar", "Astar", "ASTR", 592, substrate=True,
        blockscout="astar.blockscout.com", coingecko="astar", llama="Astar",
    ),
    Chain(
        "ethereum", "Ethereum", "ETH", 1,
        blockscout="eth.blockscout.com", etherscan=True, coingecko="ethereum", llama="Ethereum",
    ),
    Chain(
        "polygon", "Polygon PoS", "POL", 137,
        blockscout="polygon.blockscout.com", etherscan=True, coingecko="polygon-ecosystem-token",
        llama="Polygon",
    ),
    Chain(
        "moonbeam", "Moonbeam", "GLMR", 1284, substrate=True,
        etherscan=True, coingecko="moonbeam", llama="Moonbeam",
    ),
    Chain(
        "arbitrum", "Arbitrum One", "ETH", 42161,
        blockscout="arbitrum.blockscout.com", etherscan=True, coingecko="ethereum", llama="Arbitrum",
    ),
    Chain(
        "base", "Base", "ETH", 8453,
        blockscout="base.blockscout.com", etherscan=True, coingecko="ethereum", llama="Base",
    ),
    Chain(
        "optimism", "OP Mainnet", "ETH", 10,
        blockscout="optimism.blockscout.com", etherscan=True, coingecko="ethereum", llama="OP Mainnet",
    ),
    Chain("gnosis", "Gnosis", "XDAI", 100, blockscout="gnosis.blockscout.com", etherscan=True,
          coingecko="xdai", llama="Gnosis"),
    Chain("bnb", "BNB Smart Chain", "BNB", 56, etherscan=True, coingecko="binancecoin", llama="BSC"),
    Chain("avalanche", "Avalanche C-Chain", "AVAX", 43114, etherscan=True,
          coingecko="avalanche-2", llama="Avalanche"),
    Chain("acala", "Acala", "ACA", 787, substrate=True, native_decimals=12,
          blockscout="blockscout.acala.network", coingecko="acala", llama="Acala"),
    Chain("shiden", "Shiden", "SDN", 336, substrate=True, coingecko="shiden", llama="Shiden"),
    Chain("polkadot", "Polkadot", "DOT", substrate=True, native_decimals=10, coingecko="polkadot"),
    Chain("local", "A local development chain", "ETH", 31337, confirmations=0),
)  # fmt: skip

CHAINS: Mapping[str, Chain] = MappingProxyType({chain.name: chain for chain in _ALL})


def chain_named(name: str, *, variable: str = "chain") -> Chain:
    """The chain of that name. Raises FixSettings with near matches; `variable` is what named it."""
    found = CHAINS.get(name.lower())
    if found is None:
        near = difflib.get_close_matches(name.lower(), CHAINS, n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"Known: {', '.join(CHAINS)}."
        raise FixSettings(f"There is no chain {name[:60]!r}.", variable=variable, remedy=hint)
    return found
