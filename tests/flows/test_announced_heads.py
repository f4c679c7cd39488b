"""Chains whose nodes announce heads are followed as they come, and by their pace where nodes fall silent."""

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that the played nodes can be imported

from node_on_loopback import PlayedNode
from node_on_socket import PATIENCE_S, on_socket

from defimon.core.settings import load_settings
from defimon.flows._store import open_store, store_url
from defimon.flows.collect_sources import collect_sources
from defimon.flows.follow_sources import Followed, follow_for, follow_sources
from defimon.flows.jobs import jobs_of
from defimon.flows.known_content import known_content
from defimon.flows.run_job import STOPPED, Place, Stop, run_job
from defimon.sources._manners import Manners

QUICK = Manners(
    first_wait_s=0.01, longest_wait_s=0.02, attempts=2, gap_s=0.0, connect_s=30.0, read_s=2.0, whole_s=3.0
)
HEAD = 700
LATE = datetime.fromtimestamp(1_700_000_000 + 12 * 620, UTC)


@pytest.fixture
def settings(tmp_path):
    def made(url, name="store", every_s=3600.0):
        settings = load_settings({}, data_dir=tmp_path / name, rpc={"astar": url})
        return settings.model_copy(update={"chains_every_s": every_s})

    return made


@contextmanager
def interrupted_after(seconds):
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def followed_by(settings, tell):
    """Sums of following until `tell`, handed what was told so far, answers with true."""
    followed, told = Followed(), []

    def note(result, _):
        told.append(result)
        if tell(told):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), interrupted_after(PATIENCE_S):
        follow_sources(settings, ["evm_rpc"], since=LATE, told=note, followed=followed, manners=QUICK)
    return followed.results["evm_rpc:astar:blocks"], told


def same_as_afresh(settings, url, made):
    afresh = made(url, "afresh")
    collect_sources(afresh, ["evm_rpc"], since=LATE, manners=QUICK)
    with open_store(settings) as one, open_store(afresh) as other:
        return known_content(one, ["blocks"]) == known_content(other, ["blocks"])


def test_a_head_that_is_announced_is_collected_long_before_the_pace_is_over(settings):
    with on_socket(PlayedNode(head=HEAD, transactions=1)) as (node, url):

        def tell(told):
            node.grow_soon()
            return len(told) == 4

        whole, told = followed_by(settings(url), tell)
        assert [result.inserted for result in told] == [HEAD - 619, 1, 1, 1]
        assert (whole.error, whole.cursor.number) == ("", told[-1].cursor.number)
        with open_store(settings(url)) as store:
            node.node.head = store.extent("blocks", "number")[1]
        assert same_as_afresh(settings(url), url, settings)


def test_heads_that_nobody_announced_while_the_connection_was_broken_are_collected_too(settings):
    with on_socket(PlayedNode(head=HEAD, transactions=1)) as (node, url):

        def tell(told):
            if len(told) == 2:
                node.break_off()
                node.node.head += 4
            node.grow_soon()
            return len(told) == 3

        _, told = followed_by(settings(url), tell)
        assert [result.inserted for result in told] == [HEAD - 619, 1, 5]
        assert node.subscriptions == 2
        with open_store(settings(url)) as store:
            node.node.head = store.extent("blocks", "number")[1]
        assert same_as_afresh(settings(url), url, settings)


def test_a_node_that_announces_nothing_is_asked_at_its_pace(settings):
    with on_socket(PlayedNode(head=HEAD, transactions=1), refuses=True) as (node, url):

        def tell(told):
            node.node.head += 2
            return len(told) == 4

        _, told = followed_by(settings(url, every_s=0.1), tell)
        assert [result.inserted for result in told] == [HEAD - 619, 2, 2, 2]
        assert node.subscriptions >= 1


def test_following_for_a_while_ends_with_it(settings):
    with on_socket(PlayedNode(head=HEAD, transactions=1)) as (_, url):
        made = settings(url)
        with open_store(made) as store:
            (result,) = follow_for(
                made, ["evm_rpc"], 0.1, chosen=lambda _: True, store=store, stopped=lambda: False,
                manners=QUICK,
            )  # fmt: skip
            assert (result.inserted, result.error) == (65, "")
            assert store.read("source_health")["calls"].sum() > 0


def test_a_worker_s_run_of_an_announced_chain_goes_on_in_its_slot_until_it_is_told_to_stop(settings):
    with on_socket(PlayedNode(head=HEAD, transactions=1)) as (node, url):
        made, stop = settings(url), Stop()
        open_store(made).close()
        (once,) = jobs_of(made, ["chain"])
        (job,) = jobs_of(made, ["chain"], follow=True)
        assert (once.whole_slot, job.whole_slot) == (False, True)
        place = Place(store_url(made), "one", timedelta(minutes=2))

        def watch():
            with open_store(made) as store:
                end = time.monotonic() + PATIENCE_S
                while (store.extent("blocks", "number") or (0, 0))[1] <= HEAD and time.monotonic() < end:
                    time.sleep(0.05)
            stop.reason = STOPPED

        watcher = threading.Thread(target=watch)
        watcher.start()
        node.grow_soon(after=65)
        with place.store() as store:
            run = run_job(job, place, store, stop)
            watcher.join()
            assert run.error == f"given back: {STOPPED}"
            assert store.extent("blocks", "number")[1] == HEAD + 1


def test_a_worker_s_run_of_an_announced_chain_ends_with_its_slot(settings):
    with on_socket(PlayedNode(head=HEAD, transactions=1)) as (_, url):
        made = settings(url, every_s=1.0)
        open_store(made).close()
        (job,) = jobs_of(made, ["chain"], follow=True)
        place = Place(store_url(made), "one", timedelta(minutes=2))
        with place.store() as store:
            run = run_job(job, place, store, Stop())
            assert (run.status, run.rows) == ("done", 65)
            assert run.ended_at >= job.schedule.begins(run.slot)


def test_chains_without_an_address_of_a_websocket_are_asked_once_a_slot(settings):
    (job,) = jobs_of(settings("http://127.0.0.1:1"), ["chain"], follow=True)
    assert not job.whole_slot
