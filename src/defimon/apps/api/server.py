"""The API and its worker as processes that start and stop together."""

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

import structlog
import uvicorn
from fastapi import FastAPI

from defimon.apps.api.application import create_app
from defimon.apps.api.listening import bound, shown, take_no_more
from defimon.core.logs import lines_of
from defimon.core.settings import Settings

GRACE_S = 10
"""Seconds that requests under way may take once the server was told to stop."""

KEEP_ALIVE_S = 75
"""Longer than proxies keep an idle connection (nginx: 60): so they close it, who know when they need it."""

LINGER_S = 0.3
"""Time for a request on a connection that was made in the last instant; on loopback it takes 1 ms."""

TICK_S = 0.05

NICENESS = 10
"""The worker beside a server gives way to it: a fit takes every core for minutes, an answer a millisecond."""

WORKER_GRACE_S = 60.0
"""A worker that stops ends with the batch that it is writing, which may wait for another writer that long."""

WATCH_S = 1.0
RESTART_S = 10.0
"""A worker that died is started again after so long: what ended it may pass, and must not spin."""


def serve(settings: Settings, *, host: str, port: int, with_worker: bool) -> None:
    """Answer requests until SIGTERM or SIGINT; requests and jobs under way come to their end.

    `port` 0 takes a free one. Raises FixSettings when the address cannot be used.
    """
    listening = bound(host, port)
    app = create_app(settings)
    worker = _Worker() if with_worker else None
    address = f"http://{shown(host)}:{listening.getsockname()[1]}"
    structlog.get_logger().info("serving", address=address, worker=with_worker, process=os.getpid())
    server = Server(config_of(app), app.state.service.told_to_stop, settings.api_drain_s)
    try:
        with lines_of("uvicorn"), _told_by_signals(server):
            if worker is not None:
                worker.start()
            server.run(sockets=[listening])
    finally:
        if worker is not None:
            worker.stop()
        listening.close()
    structlog.get_logger().info("stopped serving")


def config_of(app: FastAPI) -> uvicorn.Config:
    """How an application is served."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        # An address in a header is the word of whoever sent it; api_open and rates go by the connection.
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


class Server(uvicorn.Server):
    """A server that stops without failing anybody: first it says so, then it takes no more, then it ends.

    While it drains, `/ready` is 503 and every answer closes its connection, so that a proxy goes elsewhere by
    itself. uvicorn's own stop closes kept connections at once, also those on which a request is on its way.
    """

    def __init__(self, config: uvicorn.Config, told_to_stop: asyncio.Event, drain_s: float) -> None:
        super().__init__(config)
        self._told_to_stop, self._drain_s = told_to_stop, drain_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, after the drain and a moment for connections that were made in its last instant."""
        self._told_to_stop.set()
        await self._unless_forced(self._drain_s)
        for listening in sockets or ():
            take_no_more(listening)
        await self._unless_forced(LINGER_S)
        for server in self.servers:
            server.close()
        await self._unless_forced(LINGER_S)
        await super().shutdown(sockets)

    async def _unless_forced(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            if self.force_exit:
                return
            await asyncio.sleep(TICK_S)


@contextmanager
def _told_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """The server ends in order on SIGTERM and SIGINT. It raises them anew once it has stopped; they must not
    end the process then, before the worker has been told.
    """

    def heard(_number: int, _frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Worker:
    """The worker's process, started again when it dies."""

    def __init__(self) -> None:
        self._spawn = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._keep_alive, name="watch of the worker", daemon=True)

    def start(self) -> None:
        self._begin()
        self._watch.start()

    def stop(self) -> None:
        """Ask it to stop, and wait until it has; at last end it as it stands."""
        self._stopping.set()
        self._watch.join()
        process = self._process
        if process is None:
            return
        process.terminate()
        process.join(WORKER_GRACE_S)
        if process.is_alive():
            structlog.get_logger().warning("worker does not stop", process=process.pid)
            _kill_group(process)
            process.join()

    def _begin(self) -> None:
        self._process = self._spawn.Process(target=run_worker, args=(os.getpid(),), name="worker")
        self._process.start()

    def _keep_alive(self) -> None:
        while not self._stopping.wait(WATCH_S):
            process = self._process
            if process is not None and not process.is_alive():
                structlog.get_logger().error("worker died", status=process.exitcode, again_s=RESTART_S)
                if not self._stopping.wait(RESTART_S):
                    self._begin()


def _kill_group(leader: BaseProcess) -> None:
    """End a worker with the processes that fit models for it, which would go on for minutes."""
    if leader.pid is None:
        return
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not come to lead its own session yet
        leader.kill()


def run_worker(parent: int) -> None:
    """Collect and forecast by the settings of the environment until told to stop, or left by `parent`."""
    from defimon.apps.worker.work import work
    from defimon.core.logs import configure_logs
    from defimon.core.settings import load_settings
    from defimon.flows.jobs import jobs_of

    # Ctrl-C is for the server, which then tells the worker; told twice, the worker would end as it stands.
    os.setsid()
    os.nice(NICENESS)
    settings = load_settings()
    configure_logs(settings if "log_level" in settings.model_fields_set else chatty(settings))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    work(settings, jobs_of(settings))


def chatty(settings: Settings) -> Settings:
    """The settings with INFO lines: a server is read by its log."""
    return settings.model_copy(update={"log_level": "INFO"})


def _end_with(parent: int) -> None:
    """A server that was killed cannot tell its worker to stop."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os.kill(os.getpid(), signal.SIGTERM)
