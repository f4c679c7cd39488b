"""One spelling for names that sources write in their own ways."""

import polars as pl

CHAIN_ALIASES = {
    # DefiLlama and explorers on the left, the chain's own short name on the right.
    "bsc": "bnb",
    "binance": "bnb",
    "op mainnet": "optimism",
    "op_bnb": "opbnb",
    "xdai": "gnosis",
    "zksync era": "zksync",
}


def chain_name(chain: pl.Expr) -> pl.Expr:
    """Chain name in lower case, in one spelling whatever the source calls it; null stays null."""
    return chain.str.strip_chars().str.to_lowercase().replace(CHAIN_ALIASES)
