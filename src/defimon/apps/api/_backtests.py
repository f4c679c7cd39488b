"""What backtests look like in questions and answers."""

import re
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from defimon.apps.api.documents import Document
from defimon.apps.api.questions import Horizon, Name, whole
from defimon.flows.backtest_form import Form
from defimon.flows.backtests import Backtest
from defimon.flows.shown_faults import shown_fault

MOST_POOLS = 500
MOST_NAMES = 50
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _day(value: object) -> object:
    if not isinstance(value, str) or not DAY.fullmatch(value):
        message = "a day as 2026-01-31"
        raise ValueError(message)
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_day)]
Names = Annotated[list[Name], Field(max_length=MOST_NAMES)]
Pools = Annotated[list[Name], Field(max_length=MOST_POOLS)]
Money = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=3_660), BeforeValidator(whole)]
Pace = Annotated[int, Field(ge=1, le=366), BeforeValidator(whole)]
Few = Annotated[int, Field(ge=1, le=100), BeforeValidator(whole)]

EXAMPLE: dict[str, Any] = {
    "strategies": ["highest_apy", "tvl_weighted"],
    "universe": "stable",
    "chains": ["ethereum"],
    "start": "2026-01-01",
    "end": "2026-03-31",
    "capital_usd": 10_000,
    "bps": 10,
    "gas_usd": 1,
    "rebalance_days": 7,
    "forecasts": "none",
}


class BacktestIn(Document):
    """What is to be tested; what is left out is as `preset` has it (docs/backtest.md tells each option)."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": EXAMPLE})

    preset: Literal["", "classic"] = Field("", description="classic: the last 90 days, 0.1 % a side, no gas")
    strategies: Names | None = Field(None, description="names; all that the data allow unless given")
    universe: Literal["stable", "all"] | None = Field(None, description="stable: of US dollar stablecoins")
    chains: Names | None = Field(None, description="only pools of these chains")
    protocols: Names | None = Field(None, description="only pools of these protocols")
    pools: Pools | None = Field(None, description="only these pools")
    start: Day | None = Field(
        None, ge=EARLIEST, le=LATEST, description="first day; the first known unless given"
    )
    end: Day | None = Field(None, ge=EARLIEST, le=LATEST, description="last day; the last known unless given")
    days: Days | None = Field(None, description="length of the period where no start is given (days)")
    capital_usd: Money | None = Field(None, description="USD to begin with; 10000")
    bps: float | None = Field(None, ge=0, lt=10_000, description="basis points of a deposit or withdrawal")
    gas_usd: float | None = Field(None, ge=0, le=1e6, description="USD of gas a transaction; 1")
    rebalance_days: Pace | None = Field(None, description="days between decisions; 7")
    top_n: Few | None = Field(None, description="pools to hold at once; 3")
    pool: Name | None = Field(None, description="pool that `hold` holds; by its own rule unless given")
    holding_days: Days | None = Field(
        None, description="days over which a move of forecast_patient must earn its costs; 30"
    )
    hysteresis: float | None = Field(
        None, ge=0, le=100, description="by which its new pool must beat the old one; 0 (fraction a year)"
    )
    most_distress: float | None = Field(
        None, ge=0, le=1, description="highest probability that risk_filtered accepts; 0.2"
    )
    dilution: bool | None = Field(None, description="one's own deposit lowers the yield; true")
    forecasts: Literal["none", "stored", "walk_forward"] | None = Field(
        None,
        description="stored: what was said at the time; walk_forward: made anew, which takes minutes; none",
    )
    horizon: Horizon | None = Field(None, description="of forecasts (days ahead); 7")
    models: Annotated[list[Name], Field(max_length=10)] | None = Field(
        None, description="models of a walk-forward; persistence, ridge, xgboost, ensemble unless given"
    )
    model: Name | None = Field(None, description="model to follow; what the gate chose unless given")


class FormOut(Document):
    """Every choice of the backtest, those included that were left out."""

    strategies: list[str]
    universe: str
    chains: list[str]
    protocols: list[str]
    pools: list[str]
    start: date | None
    end: date | None
    days: int | None
    capital_usd: float = Field(description="USD")
    bps: float = Field(description="basis points a side")
    gas_usd: float = Field(description="USD a transaction")
    rebalance_days: int
    top_n: int
    pool: str | None
    holding_days: int
    hysteresis: float = Field(description="fraction a year")
    most_distress: float = Field(description="probability")
    dilution: bool
    forecasts: str
    horizon: int = Field(description="days")
    models: list[str]
    model: str | None


ANSWER: dict[str, Any] = {
    "backtest_id": "20260401T093000123456Z-3f9c0e1a2b4d",
    "owner": "my bot",
    "asked_at": "2026-04-01T09:30:00.123456Z",
    "state": "running",
    "progress": 0.55,
    "doing": "strategy tvl_weighted",
    "attempt": 1,
    "started_at": "2026-04-01T09:30:01Z",
    "ended_at": None,
    "error": None,
    "field": None,
    "remedy": None,
    "result_id": None,
    "form": {
        **dict.fromkeys(("days", "pool", "model")),
        "strategies": EXAMPLE["strategies"],
        "universe": "stable",
        "chains": ["ethereum"],
        "protocols": [],
        "pools": [],
        "start": "2026-01-01",
        "end": "2026-03-31",
        "capital_usd": 10_000.0,
        "bps": 10.0,
        "gas_usd": 1.0,
        "rebalance_days": 7,
        "top_n": 3,
        "holding_days": 30,
        "hysteresis": 0.0,
        "most_distress": 0.2,
        "dilution": True,
        "forecasts": "none",
        "horizon": 7,
        "models": [],
    },
}


class BacktestOut(Document):
    """A backtest as it stands."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": ANSWER})

    backtest_id: str
    owner: str = Field(description="name on the key that asked")
    asked_at: AwareDatetime
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(description="share that is done", ge=0, le=1)
    doing: str | None = Field(description="what is being done; null once it has ended")
    attempt: int = Field(description="how often a worker began it")
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    error: str | None = Field(description="why it failed")
    field: str | None = Field(description="part of the form to mend")
    remedy: str | None = Field(description="how to mend it")
    result_id: str | None = Field(
        description="equal for the same form on the same data, which is reckoned once"
    )
    form: FormOut


class BacktestPage(Document):
    """Backtests, the newest first."""

    backtests: list[BacktestOut]
    total: int = Field(description="on all pages")
    next: str | None = Field(description="cursor of the next page; null on the last one")


def shown(one: Backtest) -> dict[str, Any]:
    """The members of BacktestOut."""
    names = ("backtest_id", "owner", "state", "progress", "doing", "attempt", "started_at", "ended_at")
    told = {name: getattr(one, name) for name in (*names, "error", "field", "remedy", "result_id")}
    told["error"] = told["error"] and shown_fault(told["error"])
    return {**told, "asked_at": one.ts, "form": asdict(Form.parse(one.form))}
