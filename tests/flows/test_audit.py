"""The search for leaks finds every planted one, and nothing in clean code."""

import pytest

from defimon.flows.audit import audit_leaks, leaks_found
from defimon.flows.load import daily

MUST_BE_CAUGHT = {
    "future value as a feature",
    "scaler fitted on all rows",
    "label window touches the features",
    "survivors only",
    "join on the wrong day",
    "cache keyed by length",
}


@pytest.fixture(scope="module")
def result(small_panel):
    return audit_leaks(daily(small_panel))


def test_clean_code_raises_no_alarm(result):
    assert result.clean == ()


def test_every_planted_leak_is_caught(result):
    assert {leak.name for leak in result.planted} >= MUST_BE_CAUGHT
    assert [leak.name for leak in result.planted if not leak.found] == []


def test_the_check_that_catches_a_leak_is_the_one_made_for_it(result):
    checks = {leak.name: {finding.check for finding in leak.found} for leak in result.planted}
    assert checks["survivors only"] == {"universe knows no future"}
    assert "learning knows no future" in checks["scaler fitted on all rows"]
    assert checks["cache keyed by length"] >= {"features follow their data"}


@pytest.mark.parametrize("target", ["apy_at", "apy_drop", "apy_volatility"])
def test_other_targets_are_clean_too(small_panel, target):
    assert leaks_found(daily(small_panel), target=target) == ()
