"""Shapes of answers about fitted models."""

from typing import Literal

from pydantic import AwareDatetime, Field

from defimon.apps.api.documents import Document, row_model
from defimon.apps.api.questions import WRITABLE, Horizon
from defimon.core.tables import EVENT_KINDS, MODEL_VERSIONS

VERSION = tuple(name for name in MODEL_VERSIONS.names if name not in ("folder", "scores", "ingested_at"))
VersionRow = row_model("ModelVersionRow", "A fitted model.", MODEL_VERSIONS, VERSION)


class ModelVersion(VersionRow):  # type: ignore[misc, valid-type]
    """A fitted model that is kept, with its scores beside the yardstick's."""

    scores: dict[str, float] = Field(description="the yardstick's begin with yardstick_")


class Models(Document):
    """Kept models, and the kinds that can be trained."""

    versions: list[ModelVersion]
    kinds: list[str]


class Comparison(Document):
    """Two compared on the forecasts that both gave and whose days are over."""

    target: str
    horizon: int = Field(description="days ahead")
    one: str = Field(description="name@version, walk or persistence")
    other: str = Field(description="name@version, walk or persistence")
    forecasts: int = Field(description="forecasts that both gave")
    days: int = Field(description="days on which they were made")
    first: str | None = Field(description="first of these days (YYYY-MM-DD)")
    last: str | None = Field(description="last of these days (YYYY-MM-DD)")
    one_error: float | None = Field(description="mean absolute error (fraction a year; of an event Brier)")
    other_error: float | None = Field(description="the same of the other")
    yardstick_error: float | None = Field(description="the same of today's value carried forward")
    dm_t: float | None = Field(description="Diebold-Mariano t, below zero where `one` is better")
    better: str | None = Field(description="who is proved better at 5 % on 60 days or more; null: nobody")


class ModelEvent(Document):
    """Something that happened to a model."""

    target: str
    horizon: int = Field(description="days ahead")
    ts: AwareDatetime = Field(description="when it happened")
    kind: Literal[EVENT_KINDS]  # type: ignore[valid-type]
    model: str | None = Field(description="name of the model; `served` or `inputs` of a drift")
    version: str | None = Field(description="kept model that it is about")
    figures: dict[str, float] = Field(description="figures that it follows from")
    reason: str | None = Field(description="why, in words")
    author: str | None = Field(description="who did it: a key's name, the command line, or a job")
    origin: str = Field(description="derived from observed rows, or simulated")


class ModelEvents(Document):
    """Events, the newest first."""

    events: list[ModelEvent]


class Check(Document):
    """A figure that a version had to reach."""

    name: str
    passed: bool
    value: float | None = Field(description="null where nothing is known")
    needed: str


class Promoted(Document):
    """A version that answers from the next forecasts on."""

    version: str
    target: str
    horizon: int = Field(description="days ahead")
    reason: str
    checks: list[Check]


class RolledBack(Document):
    """Which version is champion after a step back."""

    target: str
    horizon: int = Field(description="days ahead")
    champion: str | None = Field(description="null: nobody; the walk of each day decides")


class StepBack(Document):
    """Of which target, and why."""

    target: str = Field(default="apy_mean", max_length=100)
    horizon: Horizon = 7
    reason: str = Field(default="asked for", min_length=1, max_length=500, pattern=WRITABLE)
