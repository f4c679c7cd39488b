"""What is asked of a backtest that the worker runs: a form, the same for the same question."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Literal

import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.provenance import text_hash
from defimon.flows.backtest_setup import Setup, changed, preset_of
from defimon.flows.not_known import near
from defimon.flows.run import RUN_MODELS
from defimon.models._base import FAMILY as MODELS
from defimon.strategies._base import FAMILY as STRATEGIES

Forecasts = Literal["none", "stored", "walk_forward"]
FORECASTS: tuple[Forecasts, ...] = ("none", "stored", "walk_forward")
UNIVERSES = ("stable", "all")


@dataclass(frozen=True, slots=True)
class Form:
    """Every choice of a backtest, none left open but the period's ends.

    `chains`, `protocols` and `pools` narrow the universe; empty keeps all. `forecasts`: none; `stored`, what
    was said at the time; `walk_forward`, made anew by `models` for `horizon` days. The rest is as in `Setup`;
    `bps` a side, `gas_usd` a transaction.
    """

    strategies: tuple[str, ...] = ()
    universe: str = "stable"
    chains: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    days: int | None = None
    capital_usd: float = 10_000.0
    bps: float = 10.0
    gas_usd: float = 1.0
    rebalance_days: int = 7
    top_n: int = 3
    pool: str | None = None
    holding_days: int = 30
    hysteresis: float = 0.0
    most_distress: float = 0.2
    dilution: bool = True
    forecasts: str = "none"
    horizon: int = 7
    models: tuple[str, ...] = ()
    model: str | None = None

    @property
    def text(self) -> str:
        """As JSON, the same for the same form."""
        return json.dumps(asdict(self), default=str, sort_keys=True)

    @property
    def hash(self) -> str:
        return text_hash(self.text)

    @classmethod
    def parse(cls, text: str) -> "Form":
        """The form that `text` tells of."""
        told = json.loads(text)
        days = {name: date.fromisoformat(told[name]) for name in ("start", "end") if told[name]}
        lists = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
        return cls(**{**told, **lists, **days})

    def setup(self, seed: int) -> Setup:
        """The settings of the engine."""
        own = {"strategies", "start", "end", "days", "rebalance_days", "model"}
        inner = {"top_n", "pool", "holding_days", "hysteresis", "most_distress", "dilution", "gas_usd"}
        given = {name: getattr(self, name) for name in own | inner}
        return changed(
            Setup(seed=seed), **given, capital=self.capital_usd, bps_per_side=self.bps,
            stable_only=self.universe == "stable",
        )  # fmt: skip

    def rows(self, daily: pl.DataFrame) -> pl.DataFrame:
        """Rows of the pools that the form names. Raises FixSettings when there are none."""
        wanted = {"chain": self.chains, "protocol": self.protocols, "pool_id": self.pools}
        kept = [pl.col(name).is_in(list(values)) for name, values in wanted.items() if values]
        found = daily.filter(kept) if kept else daily
        if found.is_empty():
            names = ", ".join(name for name in ("chains", "protocols", "pools") if getattr(self, name))
            raise FixSettings(
                "No pool of the store fits all of these in this period.",
                variable=names or "universe",
                remedy="Name fewer of them, or choose another period.",
            )
        return found


def form_of(preset: str = "", given: Mapping[str, Any] | None = None) -> Form:
    """The form of a preset with what was given in place of it; None means not given.

    Raises FixSettings, which names the field, for what does not fit.
    """
    base = preset_of(preset)
    begun = Form(capital_usd=base.capital, bps=base.costs.bps_per_side, gas_usd=base.costs.gas_usd)
    told = {field.name: getattr(begun, field.name) for field in fields(Form)} | {"days": base.days}
    told |= {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (given or {}).items()
        if value is not None
    }
    if told["start"] is not None:
        told["days"] = None
    walked = told["forecasts"] == "walk_forward"
    told["models"] = (tuple(told["models"]) or RUN_MODELS) if walked else ()
    form = Form(**told)
    _refuse_unknown("strategies", form.strategies, STRATEGIES.names())
    _refuse_unknown("models", form.models, MODELS.names())
    _refuse_unknown("universe", (form.universe,), UNIVERSES)
    _refuse_unknown("forecasts", (form.forecasts,), FORECASTS)
    if form.start is not None and form.end is not None and form.start >= form.end:
        raise FixSettings(
            f"{form.start} is not before {form.end}.", variable="start", remedy="Choose an earlier start."
        )
    _refuse_without_forecasts(form)
    form.setup(seed=0)
    return form


def _refuse_unknown(field: str, names: tuple[str, ...], known: list[str] | tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            like = near(name, known)
            hint = f"Did you mean {', '.join(like)}?" if like else f"Known: {', '.join(known)}."
            raise FixSettings(f"There is no {name[:60]!r}.", variable=field, remedy=hint)


def _refuse_without_forecasts(form: Form) -> None:
    for name in form.strategies:
        if form.forecasts == "none" and "yhat" in STRATEGIES.load(name).needs:
            raise FixSettings(
                f"Strategy {name} follows forecasts, and none are asked for.",
                variable="forecasts",
                remedy="Choose stored or walk_forward.",
            )
