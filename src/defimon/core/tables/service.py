"""Tables of the service: who may use it, and what they keep there."""

from defimon.core.table import Column, Table
from defimon.core.tables._columns import FLAG, PROVENANCE, text, time

SCOPES = ("read", "run", "admin")
"""What a key allows, each with all before it."""

API_KEYS = Table(
    "api_keys",
    "A key of the API: never the key itself, only what is needed to know it again.",
    (
        text("key_id", "public part of the key", required=True),
        time("ts", "when it was made"),
        text("name", "whose key it is; a rotated key keeps the name", required=True),
        text("scope", "what it allows", required=True, choices=SCOPES),
        text("digest", "SHA-256 of the key, in hexadecimal", required=True),
        time("ends_at", "from when on it is refused; null while it has no end", required=False),
        text("note", "why it ends"),
        *PROVENANCE,
    ),
    ("key_id",),
)

BASKETS = Table(
    "baskets",
    "Pools under one name, with the share of each.",
    (
        text("owner", "name on the key that saved it", required=True),
        text("name", "name of the basket", required=True),
        time("ts", "when it was saved"),
        text("weights", "shares by pool_id as JSON; null once it is removed"),
        Column("shared", FLAG, "others may read it and ask forecasts of it", nullable=True),
        *PROVENANCE,
    ),
    ("owner", "name"),
)
