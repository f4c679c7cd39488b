"""`defimon panel`: a data set, a file or the store as a standard panel."""

from pathlib import Path
from typing import Annotated

import typer


def panel(
    set_: Annotated[
        str,
        typer.Argument(
            metavar="SET",
            help="Name of a data set (aave, defillama, …), a file, or with --from-store a source or 'all'.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write; .csv or .parquet.")],
    from_store: Annotated[
        bool, typer.Option("--from-store", help="Take the rows that the store holds of this source.")
    ] = False,
    percent: Annotated[
        bool | None,
        typer.Option("--percent/--fraction", help="What the rates of a standard panel are, at your word."),
    ] = None,
) -> None:
    """Write the rows that may be used as a standard panel; quarantined rows are left out."""
    import polars as pl
    from rich.console import Console

    from defimon.apps.cli._console import plain
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.panel import build_panel, find_panel, write_panel
    from defimon.flows.stored import stored_panel

    settings = load_settings()
    if from_store:
        with open_store(settings) as store:
            rows = stored_panel(store, sources=None if set_ == "all" else [set_])
    else:
        rows = build_panel(find_panel(set_, settings), percent=percent)
    write_panel(rows, out)
    first, last, pools = rows.select(
        first=pl.col("ts").min().dt.date(),
        last=pl.col("ts").max().dt.date(),
        pools=pl.col("pool_id").n_unique(),
    ).row(0)
    Console().print(
        plain(f"{out}: {rows.height:,} rows of {pools:,} pools, {first} .. {last}"), soft_wrap=True
    )
