"""Alerts on a real store: each cause once as long as it lasts, told to real channels on loopback."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.core.units import utc_now
from defimon.flows._store import open_store, store_url
from defimon.flows.alert_channels import send
from defimon.flows.alert_facts import gather
from defimon.flows.alert_job import Watch, alerting
from defimon.flows.alert_messages import (
    ATTEMPTS,
    MessageQueue,
    TooSoon,
    deliver,
    list_messages,
    take,
    write_message,
    write_test,
)
from defimon.flows.alert_rules import AlertRule, Scope, find_rule, kinds, save_rule, visible_rules
from defimon.flows.alerts import clear_rule, judge_rule, list_alerts, remove_rule
from defimon.flows.catalogue import read_catalogue
from defimon.flows.run_job import Place, Stop, run_job
from defimon.store.database import Store

pytest.importorskip("apprise", reason="apprise is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""apprise asks for a module of Python that goes with 3.13, and does without it then."""

HOUR = timedelta(hours=1)
NOW = utc_now()


def table(name, *rows):
    return TABLES[name].rows([{"source": "test", "origin": "observed", **row} for row in rows])


def paid(store, apy, back, pool="p0", **more):
    moment = NOW - back * HOUR
    row = {"pool_id": pool, "ts": moment, "known_at": moment, "apy": apy, "tvl_usd": 1e6, **more}
    store.write("yields", table("yields", row))


@pytest.fixture
def settings(request, tmp_path, httpserver):
    address = f"json://localhost:{httpserver.port}"
    given = {"DEFIMON_ALERT_CHANNELS": f"ops={address}/ops,chat={address}/chat"}
    if getattr(request, "param", "sqlite") == "sqlite":
        yield load_settings(given, data_dir=tmp_path)
        return
    with request.getfixturevalue("postgres_database")("template0") as url:
        yield load_settings(given, data_dir=tmp_path, database_url=url)


@pytest.fixture
def store(settings):
    with open_store(settings) as opened:
        pools = [
            {"pool_id": f"p{n}", "ts": NOW - 99 * HOUR, "known_at": NOW - 99 * HOUR, "protocol": "aave-v3",
             "chain": chain, "symbol": "USDC", "stablecoin": True}
            for n, chain in enumerate(("ethereum", "base"))
        ]  # fmt: skip
        opened.write("pools", table("pools", *pools))
        yield opened


@pytest.fixture
def save(store):
    def saved(kind, channels=("ops",), scope=None, **values):
        rule = AlertRule("me", f"my {kind}", kind, values, scope or Scope(), tuple(channels))
        return save_rule(store, rule, ("ops", "chat"))

    return saved


def told(store):
    return [(one["subject"], one["state"]) for one in list_alerts(store, "me")]


def look(settings, store):
    return Watch(settings).look(store)


def send_all(settings, store):
    place = Place(store_url(settings), "w", timedelta(seconds=60))
    with place.store() as leased:
        MessageQueue(settings).run(place, leased, Stop())


def bodies(httpserver):
    return [request.get_json() for request, _ in httpserver.log]


def test_a_cause_is_told_once_as_long_as_it_lasts_and_again_after_it_was_over(
    settings, store, save, httpserver
):
    httpserver.expect_request("/ops").respond_with_data("ok")
    save("apy_below", limit=0.02)
    steps = [
        (0.03, []),
        (0.01, ["open"]),
        (0.012, ["open"]),
        (0.05, ["cleared"]),
        (0.009, ["open", "cleared"]),
    ]
    for back, (apy, states) in zip((9, 8, 7, 6, 5), steps, strict=True):
        paid(store, apy, back)
        for _ in range(2):
            look(settings, store)
            send_all(settings, store)
        assert [state for _, state in told(store)] == states
    sent = bodies(httpserver)
    assert len(sent) == 2
    assert sent[0]["title"] == "defimon: my apy_below: alert"
    assert "1.00 %" in sent[0]["message"]
    first = list_alerts(store, "me")[-1]
    assert first["cleared_at"] is not None
    assert {one.state for one in list_messages(store, {first["rule_id"]})} == {"sent"}


@pytest.mark.parametrize("settings", ["sqlite", "postgresql"], indirect=True)
def test_of_many_workers_that_look_at_once_one_finds_the_cause_new(settings, store, save, httpserver):
    httpserver.expect_request("/ops").respond_with_data("ok")
    rule = save("apy_above", limit=0.1)
    paid(store, 0.2, 1)
    gate = threading.Barrier(4)

    def see(_):
        with Store(store_url(settings)) as own:
            gathered = gather(own, settings, [rule], read_catalogue(own), own.now())
            gate.wait()
            opened = judge_rule(own, rule, gathered).opened
            while (message := take(own)) is not None:
                deliver(own, message, settings)
            return opened

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(see, range(4))) == 1
    assert len(bodies(httpserver)) == 1
    assert store.count("alerts") == 1


def test_a_rule_looks_at_its_scope_alone(settings, store, save):
    save("apy_below", limit=0.02, channels=(), scope=Scope(chains=("base",)))
    save("apy_above", limit=0.5, channels=(), scope=Scope(names=("p0",)))
    save("apy_above", limit=0.6, channels=(), scope=Scope(min_tvl_usd=2e6))
    for pool in ("p0", "p1"):
        paid(store, 0.01, 5, pool)
    look(settings, store)
    assert told(store) == [("p1", "open")]
    for pool in ("p0", "p1"):
        paid(store, 0.9, 4, pool)
    look(settings, store)
    assert set(told(store)) == {("p1", "cleared"), ("p0", "open")}


def test_a_pool_is_told_by_its_name_and_by_its_id_where_others_are_called_the_same(settings, store, save):
    long, at = "0x6c3f90f043a72fa612cbac8115ee7e52bde6e490", NOW - 99 * HOUR
    common = {"ts": at, "known_at": at, "protocol": "curve-dex", "chain": "ethereum", "symbol": "DAI-USDC"}
    twins = [
        {**common, "pool_id": f"{long}{n}", "meta": meta} for n, meta in enumerate(("lp", "lp", "3pool"))
    ]
    store.write("pools", table("pools", *twins))
    save("apy_below", limit=0.02, channels=())
    for pool in ("p0", "nameless", *(one["pool_id"] for one in twins)):
        paid(store, 0.01, 5, pool)
    look(settings, store)
    words = {one["subject"]: one["told"].split(" pays ")[0] for one in list_alerts(store, "me")}
    assert words == {
        "p0": "USDC aave-v3 ethereum",
        "nameless": "nameless",
        f"{long}0": f"DAI-USDC lp curve-dex ethereum ({long}0)",
        f"{long}1": f"DAI-USDC lp curve-dex ethereum ({long}1)",
        f"{long}2": "DAI-USDC 3pool curve-dex ethereum",
    }


def test_a_doubted_figure_is_no_cause(settings, store, save):
    save("apy_above", limit=0.1, channels=())
    paid(store, 0.9, 5, flags="jump")
    look(settings, store)
    assert told(store) == []


def test_a_change_and_a_fall_are_found_from_stored_history(settings, store, save):
    save("apy_change", by=0.01, hours=6, channels=())
    save("tvl_fall", share=0.5, hours=12, channels=())
    for back, apy, tvl in ((9, 0.05, 1e6), (8, 0.05, 9e9), (7, 0.05, 1e6), (1, 0.07, 4e5)):
        flags = "jump" if tvl == 9e9 else None
        paid(store, apy, back, tvl_usd=tvl, flags=flags)
    look(settings, store)
    assert {one["kind"]: one["value"] for one in list_alerts(store, "me")} == {
        "apy_change": pytest.approx(0.02),
        "tvl_fall": pytest.approx(0.6),
    }


def test_forecasts_and_their_truth_are_found_in_the_store(settings, store, save):
    save("forecast_below", limit=0.02, channels=())
    save("interval_breach", channels=())
    paid(store, 0.05, 1)
    common = {"pool_id": "p0", "target": "apy_mean", "horizon": 7, "model": "ridge", "q05": 0.04, "q95": 0.06}
    old, new = NOW - timedelta(days=8), NOW - HOUR
    store.write(
        "forecasts", table("forecasts", {**common, "ts": old, "known_at": old, "yhat": 0.05, "y": 0.01})
    )
    beside = {**common, "model": "lstm", "role": "shadow", "yhat": 0.0, "q05": 0.0, "q95": 1.0}
    store.write("forecasts", table("forecasts", {**beside, "ts": new, "known_at": new}))
    store.write(
        "forecasts", table("forecasts", {**common, "ts": new, "known_at": new, "yhat": 0.01, "q05": 0.0})
    )
    look(settings, store)
    assert {one["kind"] for one in list_alerts(store, "me")} == {"forecast_below", "interval_breach"}


def test_prices_series_and_drifts_are_found_in_the_store(settings, store, save):
    settings = settings.model_copy(update={"defillama_pools": 1})
    paid(store, 0.05, 1)
    save("depeg", share=0.01, channels=(), scope=Scope(names=("usd-coin",)))
    save("stale", paces=4, channels=(), scope=Scope(names=("defillama",)))
    save("model_drift", channels=())
    common = {"known_at": NOW - HOUR, "ts": NOW - HOUR}
    store.write("market_prices", table("market_prices", {"asset_id": "usd-coin", "close_usd": 0.9, **common}))
    drift = {"target": "apy_mean", "horizon": 7, "kind": "drift", "reason": "errors grew", **common}
    store.write("model_events", table("model_events", drift))
    late = {"series": "defillama:pools", "number": 1, "ts": NOW - 9 * HOUR, "known_at": NOW - 9 * HOUR}
    store.write("cursors", table("cursors", late))
    look(settings, store)
    found = {one["kind"]: one["subject"] for one in list_alerts(store, "me")}
    assert found == {"depeg": "usd-coin", "stale": "defillama:pools", "model_drift": "apy_mean:7"}
    done = {**drift, "kind": "promoted", "ts": NOW, "known_at": NOW}
    store.write("model_events", table("model_events", done))
    look(settings, store)
    assert ("apy_mean:7", "cleared") in told(store)


def test_a_message_that_is_not_taken_is_tried_again_until_it_is(settings, store, save, httpserver):
    httpserver.expect_ordered_request("/ops").respond_with_data("no", status=500)
    httpserver.expect_ordered_request("/ops").respond_with_data("ok")
    rule = save("apy_below", limit=0.02)
    paid(store, 0.01, 1)
    look(settings, store)
    send_all(settings, store)
    (waiting,) = list_messages(store, {rule.rule_id})
    assert (waiting.state, waiting.attempts, waiting.error) == ("waiting", 1, "the service answered 500")
    assert waiting.next_at > store.now()
    send_all(settings, store)
    assert len(bodies(httpserver)) == 1
    write_message(store, replace(waiting, next_at=store.now()))
    send_all(settings, store)
    (sent,) = list_messages(store, {rule.rule_id})
    assert (sent.state, sent.attempts, sent.error) == ("sent", 2, None)


def test_a_channel_that_never_takes_a_message_is_given_up(settings, store, save, httpserver):
    httpserver.expect_request("/ops").respond_with_data("no", status=500)
    httpserver.expect_request("/chat").respond_with_data("ok")
    rule = save("apy_below", limit=0.02, channels=("ops", "chat"))
    paid(store, 0.01, 1)
    look(settings, store)
    for _ in range(ATTEMPTS + 2):
        send_all(settings, store)
        for one in list_messages(store, {rule.rule_id}):
            if one.state == "waiting":
                write_message(store, replace(one, next_at=store.now()))
    states = {one.channel: (one.state, one.attempts) for one in list_messages(store, {rule.rule_id})}
    assert states == {"ops": ("failed", ATTEMPTS), "chat": ("sent", 1)}


def test_a_message_whose_sender_is_gone_is_not_sent_again(settings, store, save, httpserver):
    httpserver.expect_request("/ops").respond_with_data("ok")
    rule = save("apy_below", limit=0.02)
    paid(store, 0.01, 1)
    look(settings, store)
    taken = take(store)
    assert take(store) is None
    write_message(store, replace(taken, next_at=store.now()))
    send_all(settings, store)
    (unsure,) = list_messages(store, {rule.rule_id})
    assert unsure.state == "unsure"
    assert bodies(httpserver) == []


def test_a_message_lists_a_few_and_counts_the_rest(settings, store, save, httpserver):
    httpserver.expect_request("/ops").respond_with_data("ok")
    save("apy_below", limit=0.02)
    for number in range(30):
        paid(store, 0.01, 1, pool=f"many-{number}")
    look(settings, store)
    send_all(settings, store)
    (body,) = bodies(httpserver)
    assert "30 alerts" in body["title"]
    assert body["message"].count("below 2.00 %") == 20
    assert "and 10 more" in body["message"]


def test_a_figure_that_wavers_is_told_once_in_the_hours_of_rest(settings, store, save):
    save("apy_below", limit=0.02, rest_hours=3.5, channels=())
    for back, apy in ((9, 0.01), (8, 0.03), (7, 0.01), (6, 0.03), (5, 0.01)):
        paid(store, apy, back)
        look(settings, store)
    moments = [one["ts"] for one in list_alerts(store, "me")]
    assert [round((NOW - ts) / HOUR) for ts in moments] == [5, 9]


@pytest.mark.parametrize(("hours_ago", "again"), [(23, 0), (25, 1)])
def test_data_that_stop_again_are_told_when_the_rest_after_the_alert_is_over(
    settings, store, save, hours_ago, again
):
    settings = settings.model_copy(update={"defillama_pools": 1})
    rule = save("stale", paces=4, rest_hours=24, channels=())
    first = {"rule_id": rule.rule_id, "subject": "defillama:pools", "ts": NOW - (hours_ago + 5) * HOUR,
             "alert_id": "a", "owner": "me", "kind": "stale", "told": "nothing new"}  # fmt: skip
    opened, over = NOW - hours_ago * HOUR, NOW - (hours_ago - 1) * HOUR
    store.write("alerts", table("alerts", {**first, "known_at": opened}))
    store.write("alerts", table("alerts", {**first, "known_at": over, "cleared_at": over}))
    last = over + HOUR
    store.write(
        "cursors", table("cursors", {"series": "defillama:pools", "number": 1, "ts": last, "known_at": last})
    )
    assert [look(settings, store).rows for _ in range(2)] == [again, 0]


def test_causes_beyond_what_is_told_at_once_come_with_the_next_look(settings, store, save):
    save("apy_below", limit=0.02, channels=())
    moment = NOW - HOUR
    rows = [{"pool_id": f"many-{n}", "ts": moment, "known_at": moment, "apy": 0.01} for n in range(210)]
    store.write("yields", table("yields", *rows))
    watch = Watch(settings)
    assert [watch.look(store).rows for _ in range(3)] == [200, 10, 0]


def test_addresses_of_channels_are_told_nowhere(settings, store, save, httpserver, capfd):
    httpserver.expect_request("/ops").respond_with_data("no", status=500)
    secret = load_settings(
        {"DEFIMON_ALERT_CHANNELS": "ops=json://me:hushhush@localhost:1/ops"}, data_dir="/x"
    )
    assert "hushhush" not in repr(secret)
    fault = send(secret, "ops", "title", "body")
    assert fault
    assert "hushhush" not in fault
    assert "localhost" not in fault
    with pytest.raises(FixSettings) as refused:
        send(load_settings({"DEFIMON_ALERT_CHANNELS": "ops=nothing://hushhush"}), "ops", "t", "b")
    assert "hushhush" not in str(refused.value)
    with pytest.raises(FixSettings) as refused:
        load_settings({"DEFIMON_ALERT_CHANNELS": "hushhush"})
    assert "hushhush" not in str(refused.value)
    assert "hushhush" not in "".join(capfd.readouterr())


def test_a_package_that_is_missing_is_named_and_the_message_waits(settings, store, save, monkeypatch):
    rule = save("apy_below", limit=0.02)
    monkeypatch.setitem(sys.modules, "apprise", None)
    paid(store, 0.01, 1)
    look(settings, store)
    send_all(settings, store)
    (waiting,) = list_messages(store, {rule.rule_id})
    assert waiting.state == "waiting"
    assert "defimon[alerts]" in waiting.error


def test_a_test_message_goes_to_every_channel_of_the_rule(settings, store, save, httpserver):
    httpserver.expect_request("/ops").respond_with_data("ok")
    httpserver.expect_request("/chat").respond_with_data("ok")
    write_test(store, save("apy_below", limit=0.02, channels=("ops", "chat")))
    send_all(settings, store)
    assert [body["title"] for body in bodies(httpserver)] == ["defimon: my apy_below: test"] * 2


def test_only_another_test_just_before_keeps_a_rule_from_being_tried(settings, store, save):
    rule = save("apy_below", limit=0.02)
    paid(store, 0.01, 5)
    look(settings, store)
    assert [one.title for one in list_messages(store, {rule.rule_id})] == ["defimon: my apy_below: alert"]
    assert len(write_test(store, rule)) == 1
    with pytest.raises(TooSoon):
        write_test(store, rule)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "apy_belw"}, "kind"),
        ({"name": "two\0words"}, "name"),
        ({"scope": Scope(names=("a\nb",))}, "scope.names"),
        ({"settings": {}}, "settings.limit"),
        ({"channels": ("nobody",)}, "channels"),
        ({"kind": "depeg", "settings": {"share": 0.1}}, "scope.names"),
        ({"kind": "stale", "settings": {}, "scope": Scope(chains=("base",))}, "scope"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_by_field_and_remedy(store, given, field):
    rule = AlertRule(**{"owner": "me", "name": "n", "kind": "apy_below", "settings": {"limit": 0.1}, **given})
    with pytest.raises(FixSettings) as refused:
        save_rule(store, rule, ("ops",))
    assert refused.value.variable == field
    assert refused.value.remedy


def test_a_rule_is_its_owners_and_keeps_what_it_was_given(store, save):
    saved = save("apy_change", by=0.01)
    assert saved.settings == {"by": 0.01, "hours": 24.0, "rest_hours": 0.0}
    assert replace(find_rule(store, saved.rule_id, "me"), saved_at=None) == replace(saved, saved_at=None)
    assert visible_rules(store, "you") == []
    assert [one.rule_id for one in visible_rules(store, None, every=True)] == [saved.rule_id]
    assert {kind.name for kind in kinds()} >= {"apy_below", "depeg"}


def test_alerts_of_a_rule_that_is_gone_are_over(settings, store, save):
    rule = save("apy_below", limit=0.02, channels=())
    paid(store, 0.01, 1)
    look(settings, store)
    assert clear_rule(store, rule.rule_id) == 1
    assert told(store) == [("p0", "cleared")]


def look_of_before(settings, store, rule, change):
    """A look that gathered before the rule was changed and judges after it."""
    gathered = gather(store, settings, [rule], read_catalogue(store), store.now())
    change()
    return judge_rule(store, rule, gathered)


def test_a_rule_that_is_changed_while_the_job_gathers_is_not_judged_as_it_was(settings, store, save):
    paid(store, 0.01, 1)
    for change in (
        lambda rule: remove_rule(store, rule),
        lambda rule: save_rule(store, replace(rule, enabled=False), ("ops",)),
        lambda rule: save_rule(store, replace(rule, settings={"limit": 0.005}), ("ops",)),
    ):
        rule = save("apy_below", limit=0.02)
        assert look_of_before(settings, store, rule, partial(change, rule)).opened == 0
        assert list_messages(store, {rule.rule_id}) == []
    assert told(store) == []
    rule = save("apy_below", limit=0.02)
    assert look_of_before(settings, store, rule, lambda: save_rule(store, rule, ("ops",))).opened == 1


def test_the_job_looks_and_notes_how_many_alerts_there_were(settings, store, save):
    save("apy_below", limit=0.02, channels=())
    paid(store, 0.01, 1)
    place = Place(store_url(settings), "w", timedelta(seconds=60))
    with place.store() as leased:
        run = run_job(alerting(settings), place, leased, Stop())
    assert (run.status, run.rows) == ("done", 1)
