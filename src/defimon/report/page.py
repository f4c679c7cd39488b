"""The page: charts and tables of a document in one HTML file that asks nothing of a network."""

from pathlib import Path

import polars as pl

from defimon.report import charts
from defimon.report.document import Document

NOTHING = "n/a"

MOST_ROWS = 60
"""Forecasts in the page's table; all of them are in the files beside it."""


def render(document: Document) -> str:
    """The whole page. Texts from data are escaped; images are data addresses."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("defimon.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"percent": _percent, "usd": _usd, "figure": _figure}
    return environment.get_template("page.html").render(
        document=document,
        images=_images(document),
        boards=_boards(document),
        headline=headline(document.board, document.strategies),
        latest=document.latest.head(MOST_ROWS).to_dicts(),
        choices=document.choices.to_dicts(),
        strategies=document.strategies.to_dicts(),
        quality=document.quality.to_dicts(),
    )


def write(document: Document, path: Path) -> None:
    """Write the page, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(render(document), encoding="utf-8")
    partial.replace(path)


def headline(board: pl.DataFrame, strategies: pl.DataFrame) -> list[str]:
    """The answers in words: how good the forecast was, and what acting on it would have earned.

    `board` and `strategies` as in Document; an empty frame of strategies leaves the second answer out.
    """
    lines = []
    served = board.filter((pl.col("target") == "apy_mean") & (pl.col("model") == charts.SERVED))
    if served.height:
        row = served.row(0, named=True)
        if row["skill"] == 0.0:
            told = (
                "No model is proved better than 'same as today' here, so that is what defimon served, over "
            )
        else:
            verb = "better" if row["skill"] > 0 else "worse"
            told = f"What defimon served was {abs(row['skill']):.1%} {verb} than 'same as today' over "
        lines.append(
            f"{told}"
            f"{row['n']:,.0f} forecasts (Diebold-Mariano t {row['dm_t']:+.1f}); its 90 % intervals held "
            f"{row['coverage']:.1%} of the time, {row['coverage_pool_p05']:.0%} in the 5th-percentile pool."
        )
    if strategies.height:
        held = strategies.filter(pl.col("strategy") == "hold").row(0, named=True)["annual_return"]
        best = strategies.sort("annual_return", descending=True).row(0, named=True)
        lines.append(
            f"After all costs the best strategy, {best['strategy']}, earned {best['annual_return']:.2%} a "
            f"year; holding earned {held:.2%}."
        )
    return lines


def _images(document: Document) -> dict[str, str]:
    images = {}
    rates = document.board.filter(pl.col("target") == "apy_mean")
    scored = document.scored.filter(pl.col("target") == "apy_mean")
    if rates.height > 1:
        images["skill"] = charts.skill_chart(rates)
        models = [name for name in (charts.SERVED, "ensemble", "ridge") if name in rates["model"].to_list()]
        images["advantage"] = charts.advantage_chart(scored, models, in_log=document.in_log)
        images["coverage"] = charts.coverage_chart(scored, charts.SERVED, document.level)
    if document.latest.height:
        images["bands"] = charts.bands_chart(document.latest)
        images["histories"] = charts.histories_chart(document.history, document.latest, document.horizon)
    bins = _fall_bins(document.scored)
    if bins:
        images["reliability"] = charts.reliability_chart(bins)
    if document.equity.height:
        images["equity"] = charts.equity_chart(document.equity)
    return images


def _fall_bins(scored: pl.DataFrame) -> dict[str, list[tuple[float, float, int]]]:
    known = scored.filter((pl.col("target") == "apy_drop") & pl.col("y").is_not_null())
    known = known.filter(~pl.col("model").is_in([charts.YARDSTICK, charts.SERVED]))
    bins = {}
    for key, rows in known.partition_by("model", as_dict=True).items():
        ranked = rows.sort("yhat").with_row_index("place").with_columns(pl.col("place") * 10 // rows.height)
        by_bin = (
            ranked.group_by("place").agg(pl.col("yhat").mean(), pl.col("y").mean(), pl.len()).sort("place")
        )
        bins[str(key[0])] = list(by_bin.select("yhat", "y", "len").iter_rows())
    return bins


def _boards(document: Document) -> list[dict[str, object]]:
    """Leaderboards as the template shows them: a target, its kind and its rows."""
    out: list[dict[str, object]] = []
    for target in document.board["target"].unique(maintain_order=True):
        rows = document.board.filter(pl.col("target") == target)
        event = "auc" in rows.columns and rows["auc"].is_not_null().any()
        out.append({"target": target, "event": event, "rows": rows.to_dicts()})
    return out


def _percent(value: float | None, decimals: int = 2) -> str:
    return NOTHING if value is None or value != value else f"{value:.{decimals}%}"  # noqa: PLR0124 - NaN


def _usd(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


def _figure(value: float | None, layout: str = ".3f") -> str:
    return NOTHING if value is None else format(value, layout)
