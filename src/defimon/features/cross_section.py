"""What other pools do on the same day: the same token elsewhere, its class, its chain, all."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup
from defimon.features._past import FILL_DAYS
from defimon.features._tokens import CLASSES, class_of_token, once_a_run, token

LOG = pl.col("_log_apy")

HIGHEST_MOVE = 2.0
"""A pool's move counts for at most this in a mean of others: more than sevenfold is that pool's own story."""

FEWEST_DAYS = 20
"""A pool speaks for others once it was observed on 20 of the last 30 days, as it may be forecast itself."""

MOVES = {"ago_1": 1 + FILL_DAYS, "ago_3": 3 + FILL_DAYS, "ago_7": 7 + FILL_DAYS, "median_30": 29}
"""Features `apy_…` that are averaged over other pools, with their look-back."""

GROUPS = {
    "token": "the other pools of the same token",
    "class": "the other pools of the same class",
    "chain": "the other pools on the same chain",
    "all": "all other pools",
}


class CrossSection(FeatureGroup):
    """Only pools observed on the day speak: active, and observed on 20 of the last 30 days.

    A pool never speaks for itself. Classes are stable (stablecoins alone), ether and bitcoin (each with what
    is staked or wrapped of it), and other.
    """

    name = "cross_section"

    def features(self) -> list[Feature]:
        return [
            *self._steps(),
            *(self._mean_of_others(group, move) for group in GROUPS for move in MOVES),
            *(
                feature
                for group in ("token", "class")
                for move in ("ago_1", "ago_7")
                for feature in self._median_of_others(group, move)
            ),
            *(
                self._class_mean(kind, move)
                for kind in CLASSES[:3]
                for move in ("ago_1", "ago_7", "median_30")
            ),
            *(self._gap(group) for group in ("token", "class")),
            Feature(
                "token_gap_change_30",
                ("token_gap",),
                29 + 29,
                "token_gap less its own mean of 30 days",
                pl.col("token_gap") - pl.col("token_gap").rolling_mean(30, min_samples=1),
            ),
            self._class_realised(),
            *self._chain_parts(),
            *(self._is_class(kind) for kind in CLASSES[:3]),
        ]

    def _steps(self) -> list[Feature]:
        status = pl.col("status").fill_null("active")
        seen = pl.col("apy").is_not_null().cast(pl.Int32).rolling_sum(30, min_samples=1)
        speaks = pl.col("apy").is_not_null() & (status == "active") & (seen >= FEWEST_DAYS)
        moves = {f"apy_{move}": back for move, back in MOVES.items()}
        others = {"realised_1": 1 + FILL_DAYS, "base_ago_1": 1 + FILL_DAYS, "tvl_ago_1": 1 + FILL_DAYS}
        others |= {"base_median_7": 6, "base_median_30": 29, "tvl_ago_7": 7 + FILL_DAYS}
        return [
            Feature("_speaks", ("apy", "status"), 29, "whether the pool speaks for others", speaks),
            *(
                Feature(
                    f"_heard_{name}",
                    (name, "_speaks"),
                    max(back, 29),
                    f"{name} of a pool that speaks, held to a range",
                    pl.when("_speaks").then(pl.col(name).clip(-HIGHEST_MOVE, HIGHEST_MOVE)),
                )
                for name, back in (moves | others).items()
            ),
            Feature("_heard_log", ("_log_apy", "_speaks"), 29, "log APY", pl.when("_speaks").then(LOG)),
            Feature("_token", ("symbol",), 0, "number of the token", once_a_run("symbol", token_number)),
            Feature("_class", ("symbol", "stablecoin"), 0, "place in CLASSES of the token", class_number()),
            *self._gatherings(),
        ]

    def _gatherings(self) -> list[Feature]:
        """Whole numbers that name a group of pools on one day: one key is faster to group by than two."""
        labels = {"token": "_token", "class": "_class", "chain": "chain"}
        return [
            Feature("_gathering_all", ("day",), 0, "the day", pl.col("day").to_physical()),
            *(
                Feature(f"_gathering_{group}", (name, "day"), 0, f"{group} and day", gathering(name))
                for group, name in labels.items()
            ),
        ]

    def _mean_of_others(self, group: str, move: str) -> Feature:
        heard = f"_heard_apy_{move}"
        return Feature(
            f"{group}_{move}",
            (heard, f"_gathering_{group}"),
            max(MOVES[move], 29),
            f"mean of apy_{move} of {GROUPS[group]}, each within {HIGHEST_MOVE:g}",
            mean_of_others(heard, f"_gathering_{group}"),
        )

    def _median_of_others(self, group: str, move: str) -> list[Feature]:
        heard, gathered = f"_heard_apy_{move}", f"_gathering_{group}"
        order, place = f"_order_{group}_{move}", f"_place_{group}_{move}"
        back = max(MOVES[move], 29)
        return [
            Feature(order, (heard, gathered), back, "rows by group and move", order_in(heard, gathered)),
            Feature(place, (order,), back, "where a row stands in that order", pl.col(order).arg_sort()),
            Feature(
                f"{group}_median_of_{move}",
                (heard, gathered, order, place),
                back,
                f"median of apy_{move} of {GROUPS[group]}",
                median_of_others(heard, gathered, order, place),
            ),
        ]

    def _class_mean(self, kind: str, move: str) -> Feature:
        heard = f"_heard_apy_{move}"
        of_kind = pl.when(pl.col("_class") == CLASSES.index(kind)).then(pl.col(heard))
        return Feature(
            f"{kind}_{move}",
            (heard, "_class", "_gathering_all"),
            max(MOVES[move], 29),
            f"mean of apy_{move} over the pools of class {kind}",
            of_kind.mean().over("_gathering_all"),
        )

    def _gap(self, group: str) -> Feature:
        return Feature(
            f"{group}_gap",
            ("_heard_log", "_log_apy", f"_gathering_{group}"),
            29,
            f"mean log APY of {GROUPS[group]}, less log APY",
            mean_of_others("_heard_log", f"_gathering_{group}") - LOG,
        )

    def _class_realised(self) -> Feature:
        return Feature(
            "class_realised_1",
            ("_heard_realised_1", "_gathering_class"),
            29,
            "mean of realised_1 of the other pools of the same class",
            mean_of_others("_heard_realised_1", "_gathering_class"),
        )

    def _chain_parts(self) -> list[Feature]:
        names = ("base_ago_1", "base_median_7", "base_median_30", "tvl_ago_1", "tvl_ago_7")
        return [
            Feature(
                f"chain_{name}",
                (f"_heard_{name}", "_gathering_chain"),
                29,
                f"mean of {name} of the other pools on the same chain, each within {HIGHEST_MOVE:g}",
                mean_of_others(f"_heard_{name}", "_gathering_chain"),
            )
            for name in names
        ]

    def _is_class(self, kind: str) -> Feature:
        return Feature(
            f"is_{kind}",
            ("_class",),
            0,
            f"1 where the token is of class {kind}",
            (pl.col("_class") == CLASSES.index(kind)).cast(pl.Float32),
        )


def token_number(symbol: pl.Expr) -> pl.Expr:
    """A number that is the same for the same token; null for none."""
    return pl.when(symbol.is_not_null()).then(token(symbol).hash())


def class_number() -> pl.Expr:
    """Place in CLASSES of a row's token; null where neither symbol nor stablecoin tells."""
    by_name = once_a_run("symbol", lambda symbol: class_of_token(token(symbol)))
    return pl.when(pl.col("stablecoin")).then(CLASSES.index("stable")).otherwise(by_name)


def gathering(label: str) -> pl.Expr:
    """Number of a label and a day together; null where either is."""
    named = pl.col(label).is_not_null() & pl.col("day").is_not_null()
    return pl.when(named).then(pl.col(label).hash() ^ pl.col("day").hash(seed=1))


def mean_of_others(value: str, group: str) -> pl.Expr:
    """Mean of a column over the other rows of the gathering that have a value; null where there is none."""
    own = pl.col(value)
    total = own.sum().over(group) - own.fill_null(0.0)
    count = own.count().over(group).cast(pl.Int64) - own.is_not_null().cast(pl.Int64)
    return pl.when((count > 0) & pl.col(group).is_not_null()).then(total / count)


def order_in(value: str, group: str) -> pl.Expr:
    """Rows sorted by gathering and, within one, by value; rows without a value last."""
    rows = pl.len().cast(pl.Int64)
    gathered = pl.col(group).rank("dense").cast(pl.Int64).fill_null(0)
    return (gathered * (rows + 1) + pl.col(value).rank("ordinal").cast(pl.Int64).fill_null(rows)).arg_sort()


def median_of_others(value: str, group: str, order: str, place: str) -> pl.Expr:
    """Median of a column over the other rows of the gathering that have a value; null where there is none.

    Found in the column sorted by `order` (of `order_in`), by stepping over the row's own `place` there.
    """
    own, here = pl.col(value), pl.col(place).cast(pl.Int64)
    first = pl.col(place).min().over(group).cast(pl.Int64)
    others = own.count().over(group).cast(pl.Int64) - own.is_not_null().cast(pl.Int64)
    heard = (others > 0) & pl.col(group).is_not_null()

    def at(rank: pl.Expr) -> pl.Expr:
        found = first + rank + (here <= first + rank).cast(pl.Int64)
        return own.gather(pl.col(order)).gather(pl.when(heard).then(found))

    return (at((others - 1) // 2) + at(others // 2)) / 2.0
