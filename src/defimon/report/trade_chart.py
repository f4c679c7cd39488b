"""What a trade does to a pool, as a picture."""

from io import BytesIO
from warnings import catch_warnings, filterwarnings

import polars as pl

from defimon.report._style import COLOURS, INK, MUTED, canvas

MOST_POOLS = 6
"""Pools told apart in one chart."""

MOST_SIGNS = 42
"""Characters of one name: an address has as many."""


def trade_chart(
    curves: pl.DataFrame, depths: pl.DataFrame, *, sell: str, buy: str, marked: float | None = None
) -> bytes:
    """SVG of price impact by amount sold, and of the amounts that trade within a move of the price.

    `curves`: pool, amount (tokens sold), impact and slippage (shares). `depths`: pool, bps (negative where
    the price falls), amount (tokens of `sell` that change hands). `marked` is an amount to point at. Same
    input, same bytes.
    """
    with canvas(3.5, width=9.0, columns=2) as (figure, (impact, depth)):
        pools = curves["pool"].unique(maintain_order=True).to_list()[:MOST_POOLS]
        for colour, pool in zip(COLOURS, pools, strict=False):
            line = curves.filter(pl.col("pool") == pool).sort("amount")
            impact.plot(line["amount"], line["impact"] * 1e4, color=colour, label=_label(pool), linewidth=1.7)
            impact.plot(line["amount"], line["slippage"] * 1e4, color=colour, linestyle=":", linewidth=1.3)
            for side in (pl.col("bps") <= 0, pl.col("bps") >= 0):
                steps = depths.filter((pl.col("pool") == pool) & side).sort("bps")
                depth.plot(steps["bps"], steps["amount"], "o-", color=colour, markersize=3, linewidth=1.5)
        if marked is not None:
            impact.axvline(marked, color=INK, linewidth=1)
        impact.set_xscale("log")
        impact.xaxis.set_major_formatter(lambda amount, _: f"{amount:,.12g}")
        sell, buy = _label(sell), _label(buy)
        impact.set_xlabel(f"{sell} sold for {buy}")
        impact.set_ylabel("bps")
        impact.set_title("price impact (line), slippage with fee (dotted)", loc="left", fontsize=9)
        if len(pools) > 1:
            impact.legend(loc="upper left")
        depth.axvline(0, color=MUTED, linewidth=0.8)
        depth.set_xlabel("move of the price, bps")
        depth.set_ylabel(f"{sell} that trades within it")
        depth.set_ylim(bottom=0)
        depth.set_title("depth: selling (left of 0), buying (right)", loc="left", fontsize=9)
        buffer = BytesIO()
        with catch_warnings():
            # A symbol in a script that the font does not have is drawn as boxes; the table spells it.
            filterwarnings("ignore", "Glyph .* missing from font")
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()


def _label(text: str) -> str:
    """Words of data that fit beside an axis: an SVG holds no control characters, matplotlib hides "_…"."""
    clean = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    short = clean if len(clean) <= MOST_SIGNS else f"{clean[:MOST_SIGNS]}…"
    return f" {short}" if short.startswith("_") else short
