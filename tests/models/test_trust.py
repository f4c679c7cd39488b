import numpy as np
from numpy.random import default_rng

from defimon.models._trust import FACTORS, Trust


def past(generator, rows, right):
    """Forecasts of a pool that come true to the share `right` of the log-ratio they say."""
    said = generator.normal(0.0, 0.5, rows)
    anchor = generator.uniform(0.01, 0.1, rows)
    truth = (anchor + 0.0005) * np.exp(right * said) - 0.0005
    return said, np.maximum(truth, 0.0), anchor


def learnt():
    generator = default_rng(1)
    parts = [past(generator, 150, right) for right in (1.0, 0.0)]
    said, truth, anchor = (np.concatenate(column) for column in zip(*parts, strict=True))
    pools = ["good"] * 150 + ["bad"] * 150
    return Trust.learn(pools, said, truth, anchor, age=np.arange(300) % 60 * 1.0)


def test_a_pool_whose_forecasts_came_true_is_believed_and_one_whose_did_not_is_left_at_the_yardstick():
    good, bad = learnt().factor(["good", "bad"])
    assert good > 0.9
    assert bad < 0.1


def test_a_new_pool_gets_what_holds_on_the_whole():
    good, new, bad = learnt().factor(["good", "new", "bad"])
    assert bad < new < good


def test_without_enough_past_forecasts_every_forecast_stands_as_it_is():
    generator = default_rng(2)
    said, truth, anchor = past(generator, 50, 0.0)
    trust = Trust.learn(["a"] * 50, said, truth, anchor, age=np.zeros(50))
    np.testing.assert_array_equal(trust.factor(["a", "b"]), [1.0, 1.0])


def test_the_unit_of_a_rate_does_not_matter_much():
    generator = default_rng(3)
    said, truth, anchor = past(generator, 400, 0.5)
    pools = ["a", "b"] * 200
    age = np.zeros(400)
    once = Trust.learn(pools, said, truth + 1.0, anchor + 1.0, age).factor(["a"])
    again = Trust.learn(pools, said, 100 * (truth + 1.0), 100 * (anchor + 1.0), age).factor(["a"])
    np.testing.assert_allclose(once, again, atol=0.01)


def test_older_errors_count_less():
    generator = default_rng(4)
    old, new = past(generator, 200, 0.0), past(generator, 200, 1.0)
    said, truth, anchor = (np.concatenate(pair) for pair in zip(old, new, strict=True))
    age = np.repeat([300.0, 10.0], 200)
    assert Trust.learn(["a"] * 400, said, truth, anchor, age).factor(["a"])[0] > 0.9
    assert Trust.learn(["a"] * 400, said, truth, anchor, age[::-1]).factor(["a"])[0] < 0.1


def test_factors_lie_between_the_smallest_and_the_largest():
    factors = learnt().factor(["good", "bad", "new"])
    assert (factors >= min(FACTORS)).all()
    assert (factors <= max(FACTORS)).all()


def test_trust_survives_being_saved():
    trust = learnt()
    again = Trust.from_arrays(trust.pools, trust.arrays())
    np.testing.assert_array_equal(again.factor(["good", "x"]), trust.factor(["good", "x"]))
    assert Trust.from_arrays([], Trust().arrays()).factor(["a"])[0] == 1.0
