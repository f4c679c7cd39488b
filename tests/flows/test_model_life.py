"""The life of a model: trained, in shadow, promoted through the gate alone, watched, and taken back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from numpy.random import default_rng

from defimon.core.settings import load_settings
from defimon.core.tables import FORECASTS, SCORES, YIELDS
from defimon.features._base import catalogue
from defimon.flows._store import open_store
from defimon.flows.artefacts import registry_of
from defimon.flows.boards import standings
from defimon.flows.catalogue import read_catalogue
from defimon.flows.compare import compare
from defimon.flows.drift import watch
from defimon.flows.forecast_job import store_forecasts
from defimon.flows.model_events import model_events
from defimon.flows.not_known import NotKnown
from defimon.flows.promotion import promote, rollback
from defimon.flows.restore import signature
from defimon.flows.retrain import retrain
from defimon.flows.roles import in_share
from defimon.store.artefacts import Artefact, Manifest

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FEATURES = tuple(feature.name for feature in catalogue())
GOOD = {"gate_skill": 0.1, "gate_dm_t": -3.0, "gate_days": 90.0, "gate_needed": -1.65}


def add(registry, name="ridge", scores=GOOD, *, about=("apy_mean", 7), calibrated=True):
    """A version with these scores; its weights do not matter here."""
    described = Manifest(name, "log_ratio", *about, FEATURES, "ab" * 32, "2026-01-31", scores, "1")
    files = {"calibration.json": b"{}"} if calibrated else {}
    return registry.add(Artefact(described, {"alpha": len(registry.list(*about))}, {}, files))


@pytest.fixture
def kept(settings):
    return registry_of(settings)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, settings):
    if request.param == "sqlite":
        with open_store(settings) as opened:
            yield opened
        return
    with request.getfixturevalue("postgres_database")("template0") as address:
        own = load_settings({}, data_dir=settings.data_dir, database_url=address, processes=1)
        with open_store(own) as opened:
            yield opened


def kinds(store):
    return [(event["kind"], event["version"]) for event in reversed(model_events(store))]


def say(store, days, *, pools=4, seed=1, last=NOW, **errors):
    """Forecasts with truth by each signature, of days up to `last`; `errors` are the noise of each."""
    rng = default_rng(seed)
    rows = []
    for back in range(days):
        for pool in range(pools):
            y = float(rng.uniform(0.02, 0.08))
            common = {
                "pool_id": f"p{pool}", "ts": last - timedelta(days=8 + back),
                "target": "apy_mean", "horizon": 7, "y": y,
                "yardstick": y + float(rng.normal(scale=errors["yardstick"])), "source": "defimon",
                "known_at": last, "origin": "derived",
            }  # fmt: skip
            for name, noise in errors["by"].items():
                version = name.partition("@")[2] or None
                said = {"model": name, "version": version, "yhat": y + float(rng.normal(scale=noise))}
                rows.append({**common, **said, "role": errors.get("role", "served")})
    store.write("forecasts", FORECASTS.rows(rows))


def test_a_version_that_passes_is_champion_and_it_is_told(store, kept):
    first, second = add(kept), add(kept)
    assert promote(store, kept, first.version, author="me").passed
    decision = promote(store, kept, second.version[:6], author="me")
    assert decision.passed
    assert kept.aliases("apy_mean", 7) == {"champion": second.version, "previous": first.version}
    assert kinds(store) == [("promoted", first.version), ("promoted", second.version)]
    told = model_events(store)[0]
    assert (told["author"], told["model"]) == ("me", "ridge")
    assert told["figures"]["walk's DM t"] == -3.0


@pytest.mark.parametrize(
    ("scores", "figure"),
    [
        ({**GOOD, "gate_dm_t": -1.2}, "walk's DM t is -1.200, needed is below -1.65"),
        ({**GOOD, "gate_needed": -3.4}, "walk's DM t is -3.000, needed is below -3.40"),
        ({**GOOD, "gate_skill": -0.01}, "walk's skill is -0.010, needed is above 0"),
        ({}, "walk's skill is missing or another, needed is above 0"),
    ],
)
def test_a_version_that_fails_is_refused_by_its_figure(store, kept, scores, figure):
    champion, version = add(kept), add(kept, scores=scores)
    promote(store, kept, champion.version, author="me")
    decision = promote(store, kept, version.version, author="me")
    assert (decision.passed, decision.reason) == (False, figure)
    assert kept.aliases("apy_mean", 7)["champion"] == champion.version
    assert kinds(store)[-1] == ("refused", version.version)
    assert figure in str(decision.refused())


def test_a_version_without_its_calibration_cannot_answer_and_is_refused(store, kept):
    decision = promote(store, kept, add(kept, calibrated=False).version, author="me")
    assert decision.reason.startswith("calibration")


@pytest.mark.parametrize(
    ("about", "changed", "figure"),
    [
        (("apy_mean", 7), {"gate_skill": -0.05}, "newest walk's skill is -0.050, needed is above 0"),
        (
            ("apy_mean", 7),
            {"gate_dm_t": None},
            "newest walk's DM t is missing or another, needed is below -1.65",
        ),
        (("apy_drop", 7), {"gate_dm_t": -1.2}, "newest walk's DM t is -1.200, needed is below -1.65"),
        (("apy_mean", 30), {"gate_needed": -3.4}, "newest walk's DM t is -3.000, needed is below -3.40"),
    ],
)
def test_a_newer_walk_of_its_kind_has_the_same_say_as_its_own(store, kept, about, changed, figure):
    version = add(kept, about=about)
    rows = [
        {"run_id": "r", "ts": NOW, "target": about[0], "horizon": about[1], "model": "ridge",
         "metric": metric, "value": value, "known_at": NOW, "source": "defimon", "origin": "derived"}
        for metric, value in {**GOOD, **changed}.items() if value is not None
    ]  # fmt: skip
    store.write("scores", SCORES.rows(rows))
    decision = promote(store, kept, version.version, author="me")
    assert decision.reason == figure


def test_what_came_true_has_a_say(store, kept):
    champion, version = add(kept), add(kept)
    promote(store, kept, champion.version, author="me")
    noise = {signature(champion): 0.01, signature(version): 0.02}
    say(store, 40, yardstick=0.03, by=noise)
    decision = promote(store, kept, version.version, author="me")
    assert decision.reason.startswith(f"DM t against {signature(champion)} by what came true is +")
    assert decision.figures["DM t against persistence by what came true"] < -1.65


def test_the_way_back_is_to_the_champion_before_then_to_the_walk(store, kept):
    first, second = add(kept), add(kept)
    for version in (first, second):
        promote(store, kept, version.version, author="me")
    assert rollback(store, kept, "apy_mean", 7, author="me", reason="it looks odd").version == first.version
    assert rollback(store, kept, "apy_mean", 7, author="me") is None
    with pytest.raises(NotKnown, match="nothing to take back"):
        rollback(store, kept, "apy_mean", 7, author="me")
    assert kinds(store)[2:] == [("rolled_back", first.version), ("rolled_back", None)]
    assert model_events(store, most=2)[1]["reason"].startswith("it looks odd; ")


def test_two_are_compared_on_the_forecasts_that_both_gave(store, kept):
    version = add(kept)
    kept.set_alias("apy_mean", 7, "challenger", version.version)
    say(store, 70, yardstick=0.03, by={"ridge": 0.02, signature(version): 0.01})
    told = compare(store, kept, "challenger", "champion", "apy_mean", 7)
    assert (told.one, told.other) == (signature(version), "walk")
    assert (told.forecasts, told.days) == (280, 70)
    rows = store.read("forecasts")
    own = rows.filter(pl.col("version") == version.version)
    assert told.one_error == pytest.approx((own["yhat"] - own["y"]).abs().mean())
    assert told.yardstick_error == pytest.approx((own["yardstick"] - own["y"]).abs().mean())
    assert told.dm_t < -1.65
    assert told.better == signature(version)
    turned = compare(store, kept, "walk", version.version, "apy_mean", 7)
    assert turned.dm_t == pytest.approx(-told.dm_t)
    assert turned.better == signature(version)
    naive = compare(store, kept, "persistence", "walk", "apy_mean", 7)
    assert naive.one_error == pytest.approx(told.yardstick_error)


def test_few_forecasts_compare_nothing(store, kept):
    version = add(kept)
    say(store, 7, yardstick=0.03, by={"ridge": 0.02, signature(version): 0.01})
    told = compare(store, kept, version.version, "walk", "apy_mean", 7)
    assert (told.forecasts, told.one_error, told.dm_t, told.better) == (28, None, None, None)


def test_a_champion_that_came_true_worse_than_the_yardstick_is_rolled_back(store, kept, settings):
    first, second = add(kept), add(kept)
    for version in (first, second):
        promote(store, kept, version.version, author="me")
    say(store, 20, yardstick=0.01, by={signature(second): 0.05})
    assert all("rolled back" not in told for told in watch(store, settings, at=NOW))
    say(store, 40, yardstick=0.01, by={signature(second): 0.05})
    told = watch(store, settings, at=NOW)
    assert any("worse than the yardstick's by what came true" in one for one in told)
    assert any(f"{first.version} is champion again" in one for one in told)
    assert kept.aliases("apy_mean", 7) == {"champion": first.version}
    assert [kind for kind, _ in kinds(store)[-2:]] == ["drift", "rolled_back"]
    seen = len(model_events(store))
    watch(store, settings, at=NOW)
    assert len(model_events(store)) == seen, "the same drift is told once a week"


def test_a_champion_that_keeps_its_promise_is_left_alone(store, kept, settings):
    version = add(kept)
    promote(store, kept, version.version, author="me")
    say(store, 50, yardstick=0.02, by={signature(version): 0.01})
    assert watch(store, settings, at=NOW) == []
    assert kept.aliases("apy_mean", 7) == {"champion": version.version}


def test_an_empty_store_has_nothing_to_watch(store, settings):
    assert watch(store, settings) == []


def test_the_share_is_the_same_pools_always_and_a_larger_one_holds_a_smaller():
    pools = [f"pool-{n}" for n in range(4_000)]
    tenth = {pool for pool in pools if in_share(pool, 0.1)}
    third = {pool for pool in pools if in_share(pool, 0.3)}
    assert tenth < third
    assert len(tenth) == pytest.approx(400, abs=80)
    assert not any(in_share(pool, 0.0) for pool in pools)
    assert all(in_share(pool, 1.0) for pool in pools)
    assert [pool for pool in pools[:12] if in_share(pool, 0.3)] == SHARE_OF_TWELVE


SHARE_OF_TWELVE = ["pool-7", "pool-9", "pool-10", "pool-11"]
"""Of twelve pools those of a share of 0.3: written down, since it must never change."""


@pytest.fixture(scope="module")
def lived(small_panel, settings_of):
    """(settings, challengers): forecasts were made, and a challenger trained on what they were made from."""
    settings = settings_of("lived")
    facts = small_panel.select([name for name in YIELDS.names if name in small_panel.columns])
    with open_store(settings) as store:
        store.write("yields", facts.with_columns(pl.col("ts").alias("known_at")))
        store_forecasts(store, settings, models=("ridge",))
        steps = sorted((settings.data_dir / "evaluations").rglob("*.parquet"))
        found = retrain(store, settings, models=("ridge",))
        assert sorted((settings.data_dir / "evaluations").rglob("*.parquet")) == steps, "walked once"
    return settings, found


def said(settings, **changed):
    """Rows of apy_mean that the job writes now."""
    settings = settings.model_copy(update=changed)
    with open_store(settings) as store:
        notes = []
        store_forecasts(store, settings, models=("ridge",), notes=notes)
        assert notes == []
        rows = store.read("forecasts", where={"target": ["apy_mean"]})
        return rows, read_catalogue(store).forecasts.filter(pl.col("target") == "apy_mean")


def test_a_challenger_is_kept_named_and_told(lived):
    settings, found = lived
    assert [one.target for one in found] == ["apy_mean", "apy_drop", "apy_volatility"]
    registry = registry_of(settings)
    for one in found:
        assert registry.aliases(one.target, 7) == {"challenger": one.version.version}
        assert one.version.manifest.settings["refit_days"] == 14
    with open_store(settings) as store:
        told = [event["kind"] for event in model_events(store, target="apy_mean")]
        row = store.read("model_versions", where={"target": ["apy_mean"]}).row(0, named=True)
    assert sorted(told) == ["challenger", "trained"]
    assert (row["alias"], row["origin"]) == ("challenger", "simulated")


def test_the_board_of_a_walk_has_what_the_gate_says_of_each_model_as_a_version_has(lived):
    settings, found = lived
    with open_store(settings) as store:
        boards = {(one.target, one.model): one.scores for one in standings(store)}
    for one in found:
        own = one.version.manifest.scores
        told = {name: boards[one.target, "ridge"][name] for name in GOOD}
        assert told == pytest.approx({name: own[name] for name in GOOD})
        assert not GOOD.keys() & boards[one.target, "served"].keys()


def test_a_challenger_stands_in_shadow_beside_what_is_served(lived):
    settings, found = lived
    rows, answered = said(settings)
    name = signature(found[0].version)
    shadow = rows.filter(pl.col("role") == "shadow")
    assert set(shadow["model"]) == {name}
    assert shadow.height >= 5
    assert (shadow["q05"] <= shadow["yhat"]).all()
    assert name not in set(answered["model"])


def test_a_share_of_pools_is_answered_by_the_challenger(lived):
    settings, found = lived
    _, answered = said(settings, challenger_share=0.5)
    name = signature(found[0].version)
    theirs = set(answered.filter(pl.col("model") == name)["pool_id"])
    assert theirs == {pool for pool in answered["pool_id"] if in_share(pool, 0.5)}
    assert answered["pool_id"].is_unique().all()
    said(settings)


def test_a_challenger_that_the_gate_refused_has_no_share_of_pools(lived):
    settings, found = lived
    registry = registry_of(settings)
    _, artefact = registry.load("apy_mean", 7, found[0].version.version)
    scores = {**artefact.manifest.scores, "gate_dm_t": -1.2}
    refused = registry.add(replace(artefact, manifest=replace(artefact.manifest, scores=scores)))
    registry.set_alias("apy_mean", 7, "challenger", refused.version)
    try:
        rows, answered = said(settings, challenger_share=1.0)
    finally:
        registry.set_alias("apy_mean", 7, "challenger", found[0].version.version)
    assert set(answered["model"]) == {"ridge"}
    assert set(rows.filter(pl.col("version") == refused.version)["role"]) == {"shadow"}


def test_a_champion_answers_and_the_walk_stands_in_shadow(lived):
    settings, found = lived
    registry = registry_of(settings)
    version = found[0].version.version
    with open_store(settings) as store:
        decision = promote(store, registry, version, author="test")
        assert decision.passed, decision.reason
    try:
        rows, answered = said(settings)
        name = signature(found[0].version)
        assert set(answered["model"]) == {name}
        newest = rows.filter(pl.col("ts") == pl.col("ts").max())
        assert set(newest.filter(pl.col("model") == "ridge")["role"]) == {"shadow"}
    finally:
        with open_store(settings) as store:
            rollback(store, registry, "apy_mean", 7, author="test")


def garbled(registry, version):
    """The same model with weights that are no numbers, every hash right."""
    _, artefact = registry.load("apy_mean", 7, version)
    line = artefact.arrays["line"] * float("nan")
    return registry.add(replace(artefact, arrays={**artefact.arrays, "line": line}))


@pytest.mark.parametrize("how", ["without calibration that is read", "weights that are no numbers"])
def test_a_kept_model_that_cannot_answer_leaves_the_walk_to_answer(lived, how):
    settings, found = lived
    registry = registry_of(settings)
    if how.startswith("without"):
        broken = add(registry, name="rolling_mean")
    else:
        broken = garbled(registry, found[0].version.version)
    registry.crown("apy_mean", 7, broken.version)
    try:
        with open_store(settings) as store:
            notes = []
            store_forecasts(store, settings, models=("ridge",), notes=notes)
            answered = read_catalogue(store).forecasts
    finally:
        registry.step_back("apy_mean", 7)
    assert len(notes) == 1
    assert "the champion of apy_mean cannot answer" in notes[0]
    assert signature(broken) not in set(answered["model"])


def test_training_promotes_by_itself_only_where_the_settings_say_so(small_panel, lived):
    settings, _ = lived
    with open_store(settings) as store:
        by_gate = settings.model_copy(update={"promote": "gate"})
        (one,) = retrain(store, by_gate, targets=("apy_mean",), models=("ridge",))
        assert one.decision.passed
        assert registry_of(settings).aliases("apy_mean", 7)["champion"] == one.version.version
        rollback(store, registry_of(settings), "apy_mean", 7, author="test")


def test_inputs_that_moved_as_never_before_are_told_once_a_week(small_panel, settings):
    facts = small_panel.select([name for name in YIELDS.names if name in small_panel.columns])
    last = facts["ts"].max()
    many = [
        facts.with_columns(pl.col("pool_id") + f"-{n}", apy=pl.col("apy").shift(17 * n, fill_value=0.05))
        for n in range(3)
    ]
    known = pl.concat(many).with_columns(pl.col("ts").alias("known_at"))
    shocked = known.with_columns(
        pl.when(pl.col("ts") > last - timedelta(days=14))
        .then(pl.col("apy") * 30)
        .otherwise("apy")
        .alias("apy")
    )
    said = {
        "pool_id": "pool-1", "ts": last, "target": "apy_mean", "horizon": 7, "model": "ridge", "yhat": 0.1,
        "known_at": last, "source": "defimon", "origin": "derived",
    }  # fmt: skip
    for rows, expected in ((known, False), (shocked, True)):
        own = settings.model_copy(update={"data_dir": settings.data_dir / str(expected)})
        with open_store(own) as store:
            store.write("yields", rows)
            store.write("forecasts", FORECASTS.rows([said]))
            told = watch(store, own, at=last + timedelta(hours=1))
            assert any("inputs have moved" in one for one in told) == expected
            watch(store, own, at=last + timedelta(hours=2))
            assert len(model_events(store, kind="drift")) == int(expected)
