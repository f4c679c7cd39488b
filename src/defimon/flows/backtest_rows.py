"""Rows that a backtest reads: of each pool and day the last, a few pools at a time, no more than allowed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.core.units import EPOCH, start_of
from defimon.flows._cursors import MICROSECOND
from defimon.flows.backtest_form import Form
from defimon.flows.load import daily
from defimon.flows.pool_aliases import names_now
from defimon.flows.stored import stored_panel
from defimon.store.database import Store

BEFORE = timedelta(days=60)
"""History before the first day that is read where no forecasts are made: strategies look three days back, and
an index is settled against its last move."""

AT_A_TIME = 200
"""Pools whose rows of all hours are in memory at once."""

LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def read_rows(store: Store, form: Form, settings: Settings, note: Callable[[float], None]) -> pl.DataFrame:
    """The daily panel that the form needs, as `flows.load.daily` makes it: of the pools and days that it may
    look at, or of all of them for a walk-forward, which learns from every pool and all of its past.

    `note` is told the share that is read. Raises BadData for a store without yields in these days, and
    FixSettings when there are more than `backtest_rows` rows.
    """
    walked = form.forecasts == "walk_forward"
    found: list[pl.DataFrame] = []
    for share, panel in _panels(store, () if walked else form.pools, *_period(store, form)):
        note(share)
        rows = daily(panel)
        found.append(rows if walked else rows.filter(_wanted(form)))
        if sum(part.height for part in found) > settings.backtest_rows:
            raise _too_many(form, settings.backtest_rows)
    if not found:
        raise BadData(
            "The store holds no yields of these pools in this period.",
            remedy="Choose another period, or wait until the worker has collected some.",
        )
    return pl.concat(found).sort("pool_id", "day", maintain_order=True)


def _panels(
    store: Store, pools: tuple[str, ...], since: datetime, until: datetime
) -> Iterator[tuple[float, pl.DataFrame]]:
    """Panels of a few pools each, under the ids by which they go now, and the share that is read by then."""
    now = names_now(store)
    names = sorted({now.get(name, name) for name in (pools or store.names("yields"))})
    for first in range(0, len(names), AT_A_TIME):
        part = names[first : first + AT_A_TIME]
        ever = [*part, *(old for old, new in now.items() if new in part)]
        if any(one.rows for one in store.count_between("yields", since, until, among=ever)):
            panel = stored_panel(store, pools=part, since=since, until=until)
            yield min(first + AT_A_TIME, len(names)) / len(names), panel


def _period(store: Store, form: Form) -> tuple[datetime, datetime]:
    """First moment that is read, and the first one after it."""
    until = LATEST if form.end is None else start_of(form.end + timedelta(days=1))
    if form.forecasts == "walk_forward":
        return EPOCH, until
    if form.start is not None:
        return start_of(form.start) - BEFORE, until
    if form.days is None:
        return EPOCH, until
    extent = store.extent("yields", "ts", where={"pool_id": form.pools} if form.pools else None)
    if extent is None:
        return EPOCH, until
    last = min(until, EPOCH + extent[1] * MICROSECOND)
    return start_of(last.date()) - timedelta(days=form.days) - BEFORE, until


def _wanted(form: Form) -> pl.Expr:
    kept = pl.lit(value=True)
    for name, values in (("chain", form.chains), ("protocol", form.protocols)):
        if values:
            kept &= pl.col(name).is_in(list(values))
    if form.universe == "stable":
        kept &= pl.col("stablecoin").fill_null(value=False)
    return kept


def _too_many(form: Form, most: int) -> FixSettings:
    told = f"These are more than {most:,} days of pools, the most that a backtest may read here."
    if form.forecasts == "walk_forward":
        remedy = "A walk-forward learns from all pools: choose forecasts stored or none, or an earlier end."
        return FixSettings(told, variable="forecasts", remedy=remedy)
    bounded = form.start is not None or form.days is not None
    remedy = "Choose a later start or fewer days, or name chains, protocols or pools."
    return FixSettings(told, variable="pools" if bounded else "start", remedy=remedy)
