"""Work beside the API, on the store of the settings: `python bench/_api_work.py retrain|back-fill`."""

import sys
import time
from datetime import timedelta
from pathlib import Path

import _api_store
import polars as pl

import defimon
from defimon.core.settings import load_settings
from defimon.core.tables import YIELDS
from defimon.flows.keep import train_and_keep
from defimon.flows.load import read_panel
from defimon.flows.stores import current_store

BATCH_DAYS = 30


def retrain() -> None:
    """Walk the embedded sample, fit what the gate lets through, and keep it, over and over."""
    panel = read_panel(Path(defimon.__file__).parent / "sample" / "panel.parquet")
    while True:
        began = time.monotonic()
        train_and_keep(panel, load_settings())
        print(f"a retrain took {time.monotonic() - began:.0f} s", flush=True)


def back_fill() -> None:
    """A year of rows before those that are there, of 500 pools, a month at a time, over and over."""
    with current_store(load_settings()) as store:
        for number in range(1_000):
            known = _api_store.names_of(500, seed=1_000 + number)
            rows = _api_store.yields(known).with_columns(pl.col("ts") - timedelta(days=365))
            months = rows.sort("ts").iter_slices(BATCH_DAYS * len(known))
            written = sum(store.write("yields", YIELDS.validate(part)).inserted for part in months)
            print(f"back-fill {number}: {written:,} rows", flush=True)


if __name__ == "__main__":
    {"retrain": retrain, "back-fill": back_fill}[sys.argv[1]]()
