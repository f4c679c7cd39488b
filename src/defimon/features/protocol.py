"""Which protocol a pool belongs to, as columns that never change."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup

PROTOCOLS = (
    "aave", "aerodrome", "balancer", "compound", "curve", "ethena", "fluid", "lido", "morpho", "pancakeswap",
    "pendle", "rocket-pool", "sky", "spark", "uniswap", "yearn",
)  # fmt: skip
"""Opening words of the slugs of the largest protocols for lending, staking and exchange on DefiLlama
(defillama.com/yields, by TVL, 2025). The list is fixed, so that the columns mean the same in every panel."""


class Protocol(FeatureGroup):
    """One-hot, with `protocol_other` for the rest; null where the protocol is not given."""

    name = "protocol"

    def features(self) -> list[Feature]:
        slug = pl.col("protocol")
        found = [
            Feature(
                f"protocol_{word.replace('-', '_')}",
                ("protocol",),
                0,
                f"1 where the protocol's slug opens with {word}",
                slug.str.starts_with(word).cast(pl.Float32),
            )
            for word in PROTOCOLS
        ]
        names = [feature.name for feature in found]
        other = 1.0 - pl.sum_horizontal(names, ignore_nulls=False)
        return [*found, Feature("protocol_other", tuple(names), 0, "1 for any other protocol", other)]
