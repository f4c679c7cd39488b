"""`defimon chain`: a chain at a glance."""

from typing import Annotated

import typer


def chain(
    name: Annotated[str, typer.Argument(help="Chain, such as astar or ethereum.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as a JSON document.")] = False,
) -> None:
    """Show a chain's latest blocks, fees, use, supply and busiest contracts.

    Asks the nodes of DEFIMON_RPC_<CHAIN>, with about 35 calls in 8 requests; without one it tells what is
    stored.
    """
    from defimon.core.settings import load_settings
    from defimon.flows.chain_snapshot import chain_snapshot

    snapshot = chain_snapshot(load_settings(), name)
    if as_json:
        import json

        from defimon.flows.chain_snapshot_document import snapshot_document

        typer.echo(json.dumps(snapshot_document(snapshot), indent=2, allow_nan=False))
        return
    from defimon.apps.cli._chain import show_chain

    show_chain(snapshot)
