"""Charts of the report; each takes frames and gives an image as a data address."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from defimon.report._style import COLOURS, INK, LINE, MUTED, canvas, dates, image, percents

Floats = NDArray[np.float64]

YARDSTICK = "persistence"
SERVED = "served"

MOST_POOLS = 20
"""Pools in one chart: what a person takes in at a glance."""

MOST_CURVES = 8
"""Strategies told apart in one chart."""

HISTORY_DAYS = 90

ROOT_TICKS = (0.0, 0.01, 0.02, 0.05, *(0.1 * 2.0**power for power in range(14)))
"""Rates that stand about evenly apart on a scale of square roots."""


def skill_chart(board: pl.DataFrame) -> str:
    """Skill of each model against the yardstick; bars left of zero lose to doing nothing."""
    rows = board.filter(pl.col("model") != YARDSTICK).sort("skill")
    with canvas(0.7 + 0.34 * rows.height) as (figure, axes):
        place = np.arange(rows.height)
        skill = rows["skill"].to_numpy()
        proved = rows["dm_t"].to_numpy() < -1.65
        colours = np.where(skill < 0, COLOURS[1], np.where(proved, COLOURS[2], COLOURS[5]))
        axes.barh(place, skill, color=colours, height=0.62)
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(place, rows["model"].to_list())
        for y, value, t in zip(place, skill, rows["dm_t"], strict=True):
            axes.annotate(
                f"{value:+.1%}  (t {t:+.1f})",
                (value, y),
                xytext=(4 if value >= 0 else -4, 0),
                textcoords="offset points",
                va="center",
                ha="left" if value >= 0 else "right",
                fontsize=8,
                color=MUTED,
            )
        axes.margins(x=0.28)
        axes.grid(visible=False, axis="y")
        percents(axes, which="x", decimals=0)
        axes.set_xlabel("mean absolute error saved against 'same as today'")
        return image(figure)


def advantage_chart(scored: pl.DataFrame, models: list[str], *, in_log: bool) -> str:
    """Running sum of the error that each model saved a day against the yardstick: up is better."""
    with canvas(2.9) as (figure, axes):
        for colour, model in zip(COLOURS, models, strict=False):
            saved = _daily_advantage(scored, model, in_log=in_log)
            axes.plot(saved["day"], saved["saved"].cum_sum(), color=colour, label=model, linewidth=1.6)
        axes.axhline(0, color=INK, linewidth=1)
        axes.set_ylabel("error saved, running sum")
        axes.legend(loc="upper left", ncols=3)
        dates(axes)
        return image(figure)


def _daily_advantage(scored: pl.DataFrame, model: str, *, in_log: bool) -> pl.DataFrame:
    percent = (pl.col(name) * 100 for name in ("yhat", "y"))
    yhat, y = ((1 + rate.clip(0)).log() if in_log else rate for rate in percent)
    known = scored.filter(pl.col("y").is_not_null()).with_columns(
        (yhat - y).abs().alias("error"), pl.col("ts").dt.date().alias("day")
    )
    on = ["pool_id", "day"]
    naive = known.filter(pl.col("model") == YARDSTICK).select(*on, pl.col("error").alias("naive"))
    both = known.filter(pl.col("model") == model).select(*on, "error").join(naive, on=on)
    return both.group_by("day").agg((pl.col("naive") - pl.col("error")).mean().alias("saved")).sort("day")


def bands_chart(latest: pl.DataFrame) -> str:
    """Forecast and interval of each pool beside what it pays today."""
    rows = latest.head(MOST_POOLS).reverse()
    with canvas(0.9 + 0.3 * rows.height) as (figure, axes):
        place = np.arange(rows.height)
        axes.hlines(
            place, rows["q05"], rows["q95"], color=COLOURS[5], linewidth=6, alpha=0.55, label="90 % interval"
        )
        axes.plot(rows["yhat"], place, "o", color=COLOURS[0], markersize=6, label="forecast")
        axes.plot(rows["today"], place, "|", color=INK, markersize=11, markeredgewidth=1.6, label="today")
        axes.set_yticks(place, rows["label"].to_list(), fontsize=8.5)
        axes.grid(visible=False, axis="y")
        axes.set_xscale("function", functions=(_root, np.square))
        axes.set_xlim(left=0)
        axes.set_xticks([tick for tick in ROOT_TICKS if tick <= axes.get_xlim()[1]])
        percents(axes, which="x")
        axes.set_xlabel("APY, on a scale of square roots so that small rates can be told apart")
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
        return image(figure)


def _root(rate: Floats) -> Floats:
    """Square root; what lies left of zero on the page counts as zero."""
    return np.sqrt(np.maximum(rate, 0.0))


def histories_chart(history: pl.DataFrame, latest: pl.DataFrame, horizon: int) -> str:
    """Recent yield of six pools with the forecast's mean and band over the days ahead."""
    chosen = latest.head(6)
    rows = -(-chosen.height // 2)
    with canvas(1.75 * rows, rows=rows, columns=2) as (figure, grid):
        for axes in grid[chosen.height :]:
            axes.set_visible(False)
        for axes, pool in zip(grid, chosen.iter_rows(named=True), strict=False):
            past = history.filter(pl.col("pool_id") == pool["pool_id"]).sort("day").tail(HISTORY_DAYS)
            days = past["day"].to_numpy()
            ahead = days[-1] + np.array([1, horizon]).astype("timedelta64[D]")
            axes.plot(days, past["apy"], color=COLOURS[0], linewidth=1.2)
            axes.fill_between(ahead, pool["q05"], pool["q95"], color=COLOURS[1], alpha=0.3, linewidth=0)
            axes.plot(ahead, [pool["yhat"]] * 2, color=COLOURS[1], linewidth=2)
            axes.set_title(pool["label"], fontsize=8.5, loc="left")
            axes.set_ylim(bottom=0)
            axes.tick_params(labelsize=8)
            percents(axes)
            dates(axes)
        return image(figure)


def coverage_chart(scored: pl.DataFrame, model: str, level: float) -> str:
    """Share of truths inside the interval, by day and by pool: both should stand near the level."""
    known = scored.filter(
        (pl.col("model") == model) & pl.col("y").is_not_null() & pl.col("q05").is_not_null()
    )
    held = known.with_columns(
        pl.col("y").is_between("q05", "q95").cast(pl.Float64).alias("held"),
        pl.col("ts").dt.date().alias("day"),
    )
    by_day = held.group_by("day").agg(pl.col("held").mean()).sort("day")
    by_pool = held.group_by("pool_id").agg(pl.col("held").mean())["held"].to_numpy()
    with canvas(2.6, columns=2) as (figure, (daily, pools)):
        daily.plot(by_day["day"], by_day["held"], color=COLOURS[0], linewidth=1.3)
        daily.axhline(level, color=COLOURS[1], linewidth=1.3, linestyle="--")
        daily.set_ylim(0, 1.02)
        daily.set_title("by day", loc="left", fontsize=9)
        dates(daily)
        pools.hist(by_pool, bins=np.linspace(0.5, 1.0, 21), color=COLOURS[5])
        pools.axvline(level, color=COLOURS[1], linewidth=1.3, linestyle="--")
        pools.axvline(np.percentile(by_pool, 5), color=INK, linewidth=1.2, linestyle=":")
        pools.set_title("by pool (dotted: 5th percentile)", loc="left", fontsize=9)
        pools.set_ylabel("pools")
        percents(daily, decimals=0)
        percents(pools, which="x", decimals=0)
        return image(figure)


def reliability_chart(bins: dict[str, list[tuple[float, float, int]]]) -> str:
    """Probability said against share that came true; on the diagonal a probability means what it says."""
    with canvas(3.4, width=4.4) as (figure, axes):
        highest = 0.05
        for colour, (model, rows) in zip(COLOURS, bins.items(), strict=False):
            said, seen = [row[0] for row in rows], [row[1] for row in rows]
            axes.plot(said, seen, "o-", color=colour, label=model, linewidth=1.3, markersize=4)
            highest = max(highest, *said, *seen)
        axes.plot([0, highest], [0, highest], color=LINE, linewidth=1.5)
        axes.set_xlabel("probability said")
        axes.set_ylabel("came true")
        axes.legend()
        percents(axes, decimals=0)
        percents(axes, which="x", decimals=0)
        return image(figure)


def equity_chart(equity: pl.DataFrame) -> str:
    """Value of each strategy's capital over time, and how far it stood below its own peak."""
    names = equity["strategy"].unique(maintain_order=True).to_list()[:MOST_CURVES]
    with canvas(4.4, rows=2) as (figure, (value, drop)):
        for colour, name in zip(COLOURS, names, strict=False):
            curve = equity.filter(pl.col("strategy") == name).sort("day")
            worth = curve["value_usd"].to_numpy()
            value.plot(curve["day"], worth, color=colour, label=name, linewidth=1.5)
            drop.plot(curve["day"], worth / np.maximum.accumulate(worth) - 1, color=colour, linewidth=1.2)
        value.set_ylabel("USD")
        value.legend(ncols=2, loc="upper left")
        drop.set_ylabel("below its peak")
        percents(drop)
        for axes in (value, drop):
            dates(axes)
        return image(figure)
