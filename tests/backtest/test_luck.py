from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from defimon.backtest.luck import Moments, deflated_sharpe, difference, excess, moments, overfitting


def curve(daily):
    return 100 * np.exp(np.concatenate([[0.0], np.cumsum(daily)]))


def test_the_interval_of_a_difference_holds_the_truth_about_as_often_as_it_says():
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        market = rng.normal(0, 0.02, 200)
        own = market + rng.normal(0.0002, 0.001, 200)
        gap = difference(curve(own), curve(market), np.random.default_rng(7), resamples=300)
        centre = (
            gap.low <= np.expm1((market.mean() + 0.0002) * 365) - np.expm1(market.mean() * 365) <= gap.high
        )
        hits += centre
    assert 45 <= hits <= 60


def test_pairing_cancels_what_moves_both_curves():
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.02, 300)
    gap = difference(curve(market + 0.0001), curve(market), np.random.default_rng(1), resamples=200)
    assert gap.low > 0
    assert gap.mean == pytest.approx(np.expm1((market.mean() + 1e-4) * 365) - np.expm1(market.mean() * 365))


def test_the_same_seed_gives_the_same_interval():
    daily = np.random.default_rng(2).normal(0, 0.01, 60)
    one, other = (difference(curve(daily), curve(daily * 0), np.random.default_rng(5)) for _ in range(2))
    assert one == other


def test_excess_is_summed_over_the_last_whole_periods():
    ours, base = curve(np.arange(9) * 0.01), curve(np.zeros(9))
    assert excess(ours, base, 4) == pytest.approx([0.01 + 0.02 + 0.03 + 0.04, 0.05 + 0.06 + 0.07 + 0.08])


def test_the_deflated_sharpe_reproduces_the_example_of_its_paper():
    # Bailey and Lopez de Prado 2014: annual ratio 2.5 over 1,250 days, skewness -3, kurtosis 10, the best of
    # 100 trials whose annual ratios have variance 1/2: deflated to 0.9004.
    rng = np.random.default_rng(0)
    tried = rng.normal(size=100)
    tried = tried / tried.std(ddof=1) * sqrt(0.5 / 250)
    own = Moments(2.5 / sqrt(250), 1_250, -3.0, 10.0)
    assert deflated_sharpe(own, tried.tolist()) == pytest.approx(0.9004, abs=2e-3)


def test_a_single_trial_is_not_deflated():
    own = Moments(0.1, 101, 0.0, 3.0)
    expected = NormalDist().cdf(0.1 * 10 / sqrt(1 + 0.5 * 0.01))
    assert deflated_sharpe(own, [0.1]) == pytest.approx(expected)


def test_more_trials_make_the_same_ratio_less_convincing():
    own = Moments(0.3, 100, 0.0, 3.0)
    few, many = ([*np.linspace(-0.2, 0.3, count)] for count in (3, 50))
    assert deflated_sharpe(own, many) < deflated_sharpe(own, few)


def test_moments_of_what_does_not_vary_are_none():
    assert moments(np.zeros(20)) is None
    assert moments(np.array([0.1, 0.2])) is None
    found = moments(np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.skewness == pytest.approx(0)
    assert found.periods == 4


def test_settings_of_pure_noise_are_overfitted_about_half_the_time():
    found = [
        overfitting(np.random.default_rng(seed).normal(size=(160, 20)), partitions=8) for seed in range(20)
    ]
    assert 0.35 < np.mean(found) < 0.65


def test_a_setting_that_is_truly_better_is_not_overfitting():
    periods = np.random.default_rng(0).normal(size=(160, 10))
    periods[:, 3] += 1.0
    assert overfitting(periods, partitions=8) == pytest.approx(0.0, abs=0.01)


def test_one_setting_or_too_short_a_time_says_nothing_about_overfitting():
    assert overfitting(np.ones((160, 1))) is None
    assert overfitting(np.ones((3, 5))) is None
