"""Tables of what chains' nodes and explorers say."""

import polars as pl

from defimon.core.table import Column, Table
from defimon.core.tables._columns import FLAG, PROVENANCE, REAL, WHOLE, count, number, text, time

BLOCK_STATUSES = ("pending", "final", "orphaned")
"""May still be replaced; cannot be any more; was replaced by a block of another fork."""

BLOCKS = Table(
    "blocks",
    "A block of a chain with what it holds, counted; a reorganisation is a correction of its rows.",
    (
        text("chain", "chain name in lower case", required=True),
        Column("number", WHOLE, "height", low=0),
        time("ts", "time in the block's header"),
        text("hash", "hash of the block", required=True),
        text("parent_hash", "hash of the block below", required=True),
        text("status", "can it still be replaced?", required=True, choices=BLOCK_STATUSES),
        count("transactions", "transactions, or extrinsics"),
        count("creations", "transactions that made a contract"),
        count("calls", "transactions that called a contract"),
        count("events", "events, where the dialect counts them"),
        Column("gas_used", WHOLE, "gas used, or weight", nullable=True, low=0),
        Column("gas_limit", WHOLE, "gas allowed, or weight", nullable=True, low=0),
        Column("base_fee", WHOLE, "base fee per gas", unit="wei", nullable=True, low=0),
        *(
            Column(
                f"tip_p{share:02d}",
                WHOLE,
                f"{share} % of transactions tip at most this",
                "wei",
                nullable=True,
            )
            for share in (10, 50, 90)
        ),
        number("value", "coins moved by transactions", unit="coins"),
        number("fees", "coins paid in fees", unit="coins"),
        Column(
            "addresses",
            pl.Binary(),
            "first 8 bytes of each address that sent or received, sorted and distinct",
            nullable=True,
        ),
        *PROVENANCE,
    ),
    ("chain", "number", "source"),
)

EVENTS = Table(
    "events",
    "A log of a contract, as the node gave it.",
    (
        text("chain", "chain name in lower case", required=True),
        Column("number", WHOLE, "height of its block", low=0),
        Column("log_index", WHOLE, "place in the block", low=0),
        time("ts", "time of its block"),
        text("block_hash", "hash of its block", required=True),
        text("transaction_hash", "hash of its transaction", required=True),
        text("address", "contract that wrote it", required=True),
        text("topics", "topics joined by commas"),
        text("data", "data in hexadecimal"),
        Column("removed", FLAG, "its block was replaced", nullable=True),
        *PROVENANCE,
    ),
    ("chain", "number", "log_index", "source"),
)

POOL_STATES = Table(
    "pool_states",
    "State of an exchange pool as of one block, as a `defimon.pools` document.",
    (
        text("chain", "chain name in lower case", required=True),
        text("pool_id", "address of the pool", required=True),
        Column("number", WHOLE, "height of the block", low=0),
        time("ts", "time of the block"),
        text("block_hash", "hash of the block", required=True),
        text("document", "the state as JSON", required=True),
        *PROVENANCE,
    ),
    ("chain", "pool_id", "number", "source"),
)

CONTRACTS = Table(
    "contracts",
    "A contract as an explorer describes it.",
    (
        text("chain", "chain name in lower case", required=True),
        text("address", "address in lower case", required=True),
        time("ts", "when it was described"),
        Column("verified", FLAG, "its source is published and compiles to it", nullable=True),
        text("name", "name of the contract"),
        text("compiler", "compiler and version"),
        text("licence", "licence of the source"),
        Column("proxy", FLAG, "it hands calls on to another contract", nullable=True),
        text("implementation", "address it hands calls on to"),
        text("creator", "address that made it"),
        text("creation_transaction", "hash of the transaction that made it"),
        time("created_at", "when it was made", required=False),
        text("source_sha256", "hash of the published source"),
        text("abi", "interface as JSON"),
        text("symbol", "ticker, if it is a token"),
        Column("decimals", WHOLE, "of the token's base unit", nullable=True, low=0, high=255),
        Column("total_supply", REAL, "tokens in being", "tokens", nullable=True, low=0.0),
        Column("holders", WHOLE, "addresses that hold the token", nullable=True, low=0),
        *PROVENANCE,
    ),
    ("chain", "address", "source"),
)

HOLDINGS = Table(
    "holdings",
    "What an account holds of a token as of one block, and how much of the token there is.",
    (
        text("chain", "chain name in lower case", required=True),
        text("token", "address of the token in lower case; `coin` for the chain's own", required=True),
        text("account", "address in lower case; `all` for the whole supply", required=True),
        Column("number", WHOLE, "height of the block", low=0),
        time("ts", "time of the block"),
        text("block_hash", "hash of the block", required=True),
        text("base_units", "the exact amount in base units, in decimal digits", required=True),
        Column("amount", REAL, "the amount; null where the token tells no decimals", "tokens", True, 0.0),
        text("symbol", "ticker, if the token tells one"),
        Column("decimals", WHOLE, "base units are 10 ** decimals a token", nullable=True, low=0, high=255),
        *PROVENANCE,
    ),
    ("chain", "token", "account", "number", "source"),
)

PROTOCOL_FIGURES = Table(
    "protocol_figures",
    "One figure of a protocol over the interval that ends at `ts`, such as its TVL or fees.",
    (
        text("protocol", "protocol slug, such as aave-v3", required=True),
        text("chain", "chain name in lower case; `all` for the sum", required=True),
        text("metric", "what is counted, such as tvl_usd", required=True),
        Column("interval_s", WHOLE, "length of the interval; 1 for a level", unit="seconds", low=1),
        time("ts", "end of the interval"),
        number("value", "the figure, in the unit that the metric's name says"),
        *PROVENANCE,
    ),
    ("protocol", "chain", "metric", "interval_s", "ts", "source"),
)
