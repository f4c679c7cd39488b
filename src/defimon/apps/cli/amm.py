"""`defimon amm`: pools read from the chain, and the pool mathematics held against recorded contracts."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Read pools; hold the pool mathematics against recorded contracts.", no_args_is_help=True
)


@app.callback()
def _amm() -> None:
    """Read pools from the chain; hold the pool mathematics against recorded contracts."""


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(help="Recordings or pool states; a folder stands for every *.json below.")
    ],
    show: Annotated[int, typer.Option(min=0, help="How many differences to print for each file.")] = 3,
) -> None:
    """Replay recorded answers of contracts; exit status 1 when any answer differs, 2 for a bad file."""
    from defimon.apps.cli._amm import show_verdicts
    from defimon.apps.cli._console import progress_bar
    from defimon.flows.golden import check_files

    with progress_bar() as progress:
        verdicts = check_files(files, progress)
    show_verdicts(verdicts, show)
    if any(verdict.differing for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def read(
    pools: Annotated[list[str], typer.Argument(help="Uniswap v2 or v3 pools of one chain: chain:0xaddress.")],
    out: Annotated[Path, typer.Option(help="State document to write, for quote and route.")],
    block: Annotated[int | None, typer.Option(min=0, help="At this block; the newest unless given.")] = None,
) -> None:
    """Read pools from a node (DEFIMON_RPC_<CHAIN>), all as of one block, into a state document."""
    from defimon.apps.cli._console import out as console
    from defimon.apps.cli._console import plain
    from defimon.apps.cli._destination import refuse_bad_file
    from defimon.core.settings import load_settings
    from defimon.flows.read_pools import read_pools_now, write_document

    refuse_bad_file(out, ".json")
    state, document = read_pools_now(load_settings(), pools, block=block)
    write_document(document, out)
    for pool_id, pool in state.pools.items():
        symbols = "-".join(state.token(token).shown for token in pool.tokens)
        console().print(plain(f"{pool_id}  {pool.name}  {symbols}"))
    console().print(plain(f"Wrote {len(state.pools)} pool(s) at block {state.block} to {out}"))
