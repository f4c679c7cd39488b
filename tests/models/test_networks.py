import numpy as np
import pytest
import torch
from numpy.random import default_rng

from defimon.core.errors import BadData, FixSettings
from defimon.models._base import QUANTILES, FeatureTable, Fitting, Lesson
from defimon.models._network import Recurrent, device_of, pinball, reproducible
from defimon.models._taught import later_days, windows
from defimon.models.lstm import LSTM


def lesson(days=100, label_days=7):
    table = FeatureTable(
        pool=np.repeat([0, 1], days).astype(np.int32),
        day=np.tile(np.arange(days), 2).astype(np.int32),
        values=np.arange(2 * days, dtype=np.float32)[:, None],
        anchor=np.full(2 * days, 0.05),
        names=("count",),
        pool_names=("a", "b"),
    )
    rows = table.rows(np.arange(2 * days))
    return Lesson(rows, np.full(2 * days, 0.05), rows.day + label_days, "rate")


def test_early_labels_end_before_the_later_days_begin():
    given = lesson()
    early, late = later_days(given)
    assert given.label_end[early].max() < given.rows.day[late].min()
    assert given.rows.day[late].max() == given.rows.day.max()


def test_too_few_early_rows_are_refused():
    with pytest.raises(BadData, match="to learn from"):
        later_days(lesson(days=31, label_days=20))


def test_a_window_holds_the_pools_own_past_alone():
    given = lesson()
    seen = windows(given.rows.take(np.array([5, 100, 103])), 3, ("count",))[:, :, 0]
    np.testing.assert_array_equal(seen, [[3, 4, 5], [np.nan, np.nan, 100], [101, 102, 103]])


def test_the_recurrent_network_is_as_described():
    network = Recurrent(16, len(QUANTILES), hidden=(128, 64), dropout=0.3)
    assert network.first.bidirectional
    assert network.first.hidden_size == 128
    assert network.second.hidden_size == 64
    assert network(torch.zeros(5, 30, 16)).shape == (5, len(QUANTILES) + 1)


def test_the_quantile_loss_is_least_at_the_quantiles():
    goal = torch.linspace(0.0, 1.0, 1_001)
    best = torch.tensor(QUANTILES)
    least = pinball(best.expand(1_001, len(best)), goal).mean()
    for place in range(len(best)):
        wrong = best.clone()
        wrong[place] += 0.02
        assert pinball(wrong.expand(1_001, len(best)), goal).mean() > least


def test_a_fit_leaves_the_random_state_and_the_threads_of_torch_as_they_were():
    threads, before = torch.get_num_threads(), torch.random.get_rng_state()
    with reproducible(Fitting(seed=1, threads=1)):
        torch.rand(3)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_is_refused_by_name_where_there_is_none():
    with pytest.raises(FixSettings, match="CUDA") as caught:
        device_of(Fitting(device="cuda"))
    assert caught.value.variable == "DEFIMON_DEVICE"
    assert device_of(Fitting(device="auto")).type == "cpu"


def test_the_recurrent_network_learns_what_the_last_of_its_steps_tells():
    generator = default_rng(2)
    signal = generator.choice([-1.0, 1.0], 400).astype(np.float32)
    table = FeatureTable(
        pool=np.repeat([0, 1], 200).astype(np.int32),
        day=np.tile(np.arange(200), 2).astype(np.int32),
        values=signal[:, None],
        anchor=generator.uniform(0.02, 0.06, 400),
        names=("signal",),
        pool_names=("a", "b"),
    )
    rows = table.rows(np.arange(10, 400))
    given = Lesson(rows, rows.anchor * np.exp(0.5 * signal[rows.index]), rows.day + 1, "rate")
    said = LSTM(epochs=12).fit(given).predict(rows).point
    assert np.abs(said - given.y).mean() < 0.5 * np.abs(rows.anchor - given.y).mean()
