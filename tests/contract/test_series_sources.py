"""What every source of series must do; each brings a sample: tests/contract/series/<name>.py.

A sample has `serve(httpserver, monkeypatch)`, which plays the service on loopback and gives the settings
that follow at least one series of it. It may also have

- `SECRETS`: texts of these settings that must be seen nowhere;
- `SINCE`: where its series begin, else as they do by themselves;
- `TOLD_AT`: columns that hold the time of asking, beside `known_at`;
- `SAID_BY`: names in `source` where it hands on what others say;
- `ONLY_NOW`: true where the service tells only of this moment, so that a run that was broken off cannot be
  taken up where it was.
"""

import asyncio
import importlib.util
from pathlib import Path

import polars as pl
import pytest
import structlog

from defimon.core.chains import CHAINS
from defimon.core.errors import FixSettings
from defimon.core.settings import PREFIX, Settings
from defimon.core.tables import PANEL, TABLES
from defimon.core.units import utc_now
from defimon.flows._store_thread import StoreThread
from defimon.flows.collect_sources import series_sources
from defimon.flows.collection import collect_all
from defimon.flows.known_content import known_content
from defimon.sources._base import FAMILY
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._series import IN_GAP, Wanted
from defimon.store.database import Store

SAMPLES = Path(__file__).parent / "series"
QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
WHEN = ("known_at", "ingested_at")
SOURCES = series_sources()

each_source = pytest.mark.parametrize("name", SOURCES)


class Sample:
    """One source as its sample sets it up; `kept` are the answers that it handed over."""

    def __init__(self, name, httpserver, monkeypatch):
        path = SAMPLES / f"{name}.py"
        assert path.is_file(), f"source {name} needs a sample: {path.name} beside the others"
        spec = importlib.util.spec_from_file_location(f"sample_of_{name}", path)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.source = SOURCES[name]
        self.settings = Settings(**self.module.serve(httpserver, monkeypatch))
        self.secrets = getattr(self.module, "SECRETS", ())
        self.since = getattr(self.module, "SINCE", None)
        self.told_at = getattr(self.module, "TOLD_AT", ())
        self.said_by = getattr(self.module, "SAID_BY", (name,))
        self.only_now = getattr(self.module, "ONLY_NOW", False)
        self.kept = []

    def run(self, ask):
        """What `ask` gives for the source opened anew."""

        async def main():
            async with Http(QUICK) as http:
                return await ask(self.source.opened(http, self.settings, self.kept.append))

        return asyncio.run(main())

    def series(self):
        async def ask(source):
            return source.series()

        return self.run(ask)

    def batches(self, series, wanted=None):
        async def ask(source):
            return [batch async for batch in source.batches(series, wanted or Wanted(since=self.since))]

        return self.run(ask)

    def rows(self, batches):
        """Newest version of each row by table, without the times of asking; those of the panel as well."""
        frames = {}
        for batch in batches:
            for table, frame in batch.rows.items():
                frames.setdefault(table, []).append(frame)
            if batch.panel is not None:
                frames.setdefault("", []).append(batch.panel)
        return {
            table: pl.concat(parts)
            .unique(key_of(table), keep="last", maintain_order=True)
            .drop(WHEN, strict=False)
            .drop(self.told_at, strict=False)
            .sort([one for one in key_of(table) if one not in self.told_at])
            for table, parts in frames.items()
        }


def key_of(table):
    return list(TABLES[table].key if table else PANEL.key)


@pytest.fixture
def sample(name, httpserver, monkeypatch):
    return Sample(name, httpserver, monkeypatch)


@each_source
def test_it_is_named_and_says_what_configures_it(name):
    source = SOURCES[name]
    assert source.name == name
    assert source.title
    assert source.__doc__
    known = {f"{PREFIX}{one.upper()}" for one in Settings.model_fields}
    for variable in source.configured_by:
        assert variable.removesuffix("_<CHAIN>") in known


@each_source
def test_without_settings_it_follows_nothing(name):
    source = SOURCES[name]

    async def main():
        async with Http(QUICK) as http:
            return source.opened(http, Settings()).series()

    found = asyncio.run(main())
    assert not found or not source.configured_by


@each_source
def test_its_series_are_named_once_and_by_it(sample):
    found = sample.series()
    assert found
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    for one in found:
        assert one.source == sample.source.name
        assert one.name.split(":")[0] == sample.source.name
        assert ":" in one.name
        assert all(one.name.split(":"))
        assert one.every.total_seconds() >= 1
        assert not one.chain or one.chain in CHAINS
    assert sample.series() == found


@each_source
def test_its_batches_rise_and_hold_rows_of_their_tables(sample):
    found = {one.name: sample.batches(one) for one in sample.series()}
    assert any(batch.rows or batch.panel is not None for batches in found.values() for batch in batches)
    for batches in found.values():
        positions = [
            batch.cursor.number for batch in batches if batch.cursor is not None and not batch.repairs
        ]
        assert positions == sorted(positions)
        for batch in batches:
            assert 0 <= batch.done <= batch.total
            assert batch.cursor is None or batch.cursor.ts.utcoffset().total_seconds() == 0
            frames = [(TABLES[table], frame) for table, frame in batch.rows.items()]
            for table, frame in [*frames, *([] if batch.panel is None else [(PANEL, batch.panel)])]:
                assert table.validate(frame).equals(frame)
                assert not frame.select(table.key).is_duplicated().any()
                assert frame["source"].is_in(list(sample.said_by)).all()
                assert frame["origin"].is_in(["observed"]).all()
                assert (frame["known_at"] <= utc_now()).all()


@each_source
def test_the_same_question_has_the_same_answer(sample):
    for one in sample.series():
        first, second = (sample.rows(sample.batches(one)) for _ in range(2))
        assert first.keys() == second.keys()
        for table, frame in first.items():
            assert frame.equals(second[table]), table


@each_source
def test_a_run_that_was_broken_off_goes_on_from_any_batch(sample):
    if sample.only_now:
        return
    for one in sample.series():
        batches = sample.batches(one)
        whole = sample.rows(batches)
        for place, batch in enumerate(batches):
            if batch.cursor is None:
                continue
            blocks = [part.rows["blocks"] for part in batches[: place + 1] if "blocks" in part.rows]
            outside = pl.lit(value=False).alias(IN_GAP)
            known = {"blocks": pl.concat(blocks).with_columns(outside)} if blocks else {}
            after = sample.batches(one, Wanted(cursor=batch.cursor, since=sample.since, known=known))
            resumed = sample.rows([*batches[: place + 1], *after])
            assert resumed.keys() == whole.keys()
            for table, frame in whole.items():
                assert resumed[table].equals(frame), (table, place)


@each_source
def test_answers_are_kept_and_secrets_are_seen_nowhere(sample, caplog, capfd):
    structlog.reset_defaults()
    caplog.set_level("DEBUG")
    told = []
    for one in sample.series():
        for batch in sample.batches(one):
            told += [repr(batch.warnings), repr(batch.cursor)]
            told += [repr(frame.rows()) for frame in batch.rows.values()]
    assert sample.kept
    printed = capfd.readouterr()
    told += [repr(sample.kept), repr(sample.series()), printed.out, printed.err]
    told += [one.getMessage() for one in caplog.records if one.name != "werkzeug"]  # the service's own
    for secret in sample.secrets:
        assert secret not in "".join(told)


@each_source
def test_it_can_be_left_after_any_batch(sample):
    async def ask(source):
        for one in source.series():
            batches = source.batches(one, Wanted(since=sample.since))
            assert await anext(batches, None) is not None
            await batches.aclose()
        await asyncio.sleep(0)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert not sample.run(ask)


@each_source
def test_collected_twice_it_says_nothing_new(sample, tmp_path):
    def collected(store):
        async def ask(source):
            async with StoreThread(store) as thread:
                pairs = [(source, one) for one in source.series()]
                return await collect_all(thread, pairs, since=sample.since)

        return sample.run(ask)

    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.migrate()
        first = collected(store)
        assert [one.error for one in first] == [""] * len(first)
        assert sum(one.inserted for one in first) > 0
        before = known_content(store)
        second = collected(store)
        assert [one.error for one in second] == [""] * len(second)
        if not sample.only_now:
            assert known_content(store) == before


def test_a_source_that_is_none_is_refused():
    with pytest.raises(FixSettings, match="no member"):
        FAMILY.load("no_such_source")
