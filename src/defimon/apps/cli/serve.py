"""`defimon serve`: the API, and a worker that keeps its data fresh."""

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = 8_000,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Collect and forecast beside it.")
    ] = True,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring an older store up to date first.")
    ] = False,
) -> None:
    """Answer under /v1 until told to stop.

    Callers on this machine may read without a key (DEFIMON_API_OPEN); others, and whatever writes, need one
    (`defimon keys create`).
    """
    from defimon.apps.api.server import chatty
    from defimon.apps.api.server import serve as run
    from defimon.core.logs import configure_logs
    from defimon.core.settings import load_settings
    from defimon.flows.stores import ready_store

    settings = load_settings()
    configure_logs(settings if "log_level" in settings.model_fields_set else chatty(settings))
    ready_store(settings, migrate=migrate)
    typer.echo(f"Serving on {host}, port {port or 'of its own'}; Ctrl-C stops.", err=True)
    run(settings, host=host, port=port, with_worker=worker)
