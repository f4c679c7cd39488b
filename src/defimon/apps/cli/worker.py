"""`defimon worker`: run the jobs of the settings slot by slot."""

from typing import Annotated

import typer


def worker(
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, and end.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs at once in this worker.")] = 4,
    only: Annotated[
        str, typer.Option(help="Only these jobs, by commas, such as yields,chain:astar; all unless given.")
    ] = "",
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring an older store up to date first.")
    ] = False,
) -> None:
    """Collect every configured series at its own pace, until told to stop.

    Any number of workers may share one store: each slot of a job is run by one of them. With
    DEFIMON_REDIS_URL they also share a queue.
    """
    from defimon.apps.cli._worker import chatty, show_runs
    from defimon.apps.worker.work import work, work_once
    from defimon.core.logs import configure_logs
    from defimon.core.settings import load_settings
    from defimon.flows.jobs import jobs_of
    from defimon.flows.stores import ready_store

    settings = load_settings()
    configure_logs(chatty(settings))
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    chosen = jobs_of(settings, wanted, follow=not once)
    ready_store(settings, migrate=migrate)
    if not once:
        work(settings, chosen, at_once=jobs)
        return
    failed = show_runs(work_once(settings, chosen, at_once=jobs))
    raise typer.Exit(1 if failed else 0)
