"""How forecasts did on history, and which strategies there are."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.service import service_of
from defimon.flows.offers import offered_strategies

router = APIRouter(prefix="/v1", tags=["models and strategies"], route_class=CheckedFirst)


class Standing(Document):
    """A model's figures on the newest walk-forward for a target."""

    target: str
    horizon: int = Field(description="days ahead")
    model: str = Field(description="persistence is the yardstick; served is what the gate let through")
    run_id: str = Field(description="hash of data, plan and code")
    ts: AwareDatetime = Field(description="last forecast day that was scored")
    origin: str
    scores: dict[str, float] = Field(description="docs/evaluation.md tells what each figure is")


class Leaderboard(Document):
    """Standings, the yardstick first."""

    standings: list[Standing]


class Strategy(Document):
    """A strategy that backtests and advice know."""

    name: str
    doc: str
    needs: list[str] = Field(description="columns without which it has no answer")
    settings: dict[str, str] = Field(description="what can be set, and its default")


class Strategies(Document):
    """Every strategy."""

    strategies: list[Strategy]


@router.get("/leaderboard", response_model=Leaderboard)
async def leaderboard(
    request: Request,
    _caller: Reader,
    target: Annotated[str | None, Query(max_length=100)] = None,
    horizon: Annotated[int | None, Query(ge=1, le=30, description="days ahead")] = None,
) -> Answer:
    """Every model of the newest walk-forward, beside the yardstick."""
    board = (await service_of(request).known()).board
    fitting = [
        asdict(one)
        for one in board
        if (target is None or one.target == target) and (horizon is None or one.horizon == horizon)
    ]
    return Answer({"standings": fitting}, seconds=15)


@router.get("/strategies", response_model=Strategies)
async def strategies(request: Request, _caller: Reader) -> Answer:
    """Strategies by name."""
    offered = await service_of(request).working(offered_strategies)
    return Answer({"strategies": [asdict(one) for one in offered]}, seconds=300)
