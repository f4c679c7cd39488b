"""A reader learns from one small answer whether anything is new."""

import pytest

from defimon.core.errors import BadData
from defimon.store.database import Store


def test_a_change_is_counted_and_a_repeated_row_is_none(url, yields):
    with Store(url) as store:
        store.migrate()
        assert store.changes() == {}
        store.write("yields", yields(("a", 1, 0.1)))
        assert store.changes() == {"yields": 1}
        store.write("yields", yields(("a", 1, 0.1)))
        assert store.changes() == {"yields": 1}
        store.write("yields", yields(("a", 1, 0.2)))
        assert store.changes() == {"yields": 2}


def write_and_fail(store, rows):
    with store.transaction():
        store.write("yields", rows)
        assert store.changes() == {"yields": 1}
        store.write("yields", rows.drop("apy"))


def test_a_change_that_is_taken_back_is_not_counted(url, yields):
    with Store(url) as store:
        store.migrate()
        with pytest.raises(BadData, match="apy"):
            write_and_fail(store, yields(("a", 1, 0.1)))
        assert store.changes() == {}


def test_another_process_sees_the_count_once_the_rows_are_there(url, yields):
    with Store(url) as store, Store(url) as other:
        store.migrate()
        with store.transaction():
            store.write("yields", yields(("a", 1, 0.1)))
            assert (other.changes(), other.count("yields")) == ({}, 0)
        assert (other.changes(), other.count("yields")) == ({"yields": 1}, 1)
