"""The newest row of each pool, whichever way it is looked up."""

from datetime import timedelta

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import YIELDS
from defimon.core.units import utc_now
from defimon.flows._store import open_store
from defimon.flows.newest_rows import FEW, newest_rows


@pytest.mark.parametrize("quiet", [1, FEW + 10])
def test_quiet_pools_are_found_beside_busy_ones(tmp_path, quiet):
    now = utc_now()
    given = [("busy", 0.1, 1), ("busy", 0.2, 0)]
    given += [(f"quiet-{n}", 0.01 * day, 400 - day) for n in range(quiet) for day in (1, 2, 3)]
    rows = [
        {
            "pool_id": pool, "apy": apy, "ts": now - timedelta(days=back), "known_at": now, "source": "test",
            "origin": "observed",
        }
        for pool, apy, back in given
    ]  # fmt: skip
    with open_store(load_settings({}, data_dir=tmp_path)) as store:
        store.write("yields", YIELDS.rows(rows))
        first = newest_rows(store, "yields", now)
        again = newest_rows(store, "yields", now, first)
    assert first.equals(again)
    assert dict(first.select("pool_id", "apy").iter_rows()) == {
        "busy": 0.2, **{f"quiet-{n}": 0.03 for n in range(quiet)},
    }  # fmt: skip
