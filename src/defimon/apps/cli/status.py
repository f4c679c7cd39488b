"""`defimon status`: how fresh and how sound everything is that is collected."""

from typing import Annotated

import typer


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as a JSON document.")] = False,
) -> None:
    """Show each series' position, age, gaps and doubted share, the services' health, and the last jobs.

    Nothing is asked of a service.
    """
    from defimon.core.settings import load_settings
    from defimon.flows.status import status as look

    found = look(load_settings())
    if as_json:
        import json

        from defimon.flows.status_document import status_document

        typer.echo(json.dumps(status_document(found), indent=2, allow_nan=False))
        return
    from defimon.apps.cli._status import show_status

    show_status(found)
