"""Quotes and price impact of a pool state that comes with the question."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field, JsonValue

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.service import service_of
from defimon.flows.posted_state import curve_document, quote_document

router = APIRouter(prefix="/v1/quotes", tags=["quotes"], route_class=CheckedFirst)

Text = Annotated[str, Field(min_length=1, max_length=200)]

EXAMPLE: dict[str, Any] = {
    "state": {
        "format": "defimon.pools",
        "version": 1,
        "chain_id": 1,
        "block": 1,
        "origin": "simulated",
        "tokens": [
            {"id": "0xa", "symbol": "USDC", "decimals": 6},
            {"id": "0xb", "symbol": "WETH", "decimals": 18},
        ],
        "pools": [
            {
                "id": "pair",
                "type": "constant_product",
                "tokens": ["0xa", "0xb"],
                "reserves": ["3000000000000", "1000000000000000000000"],
                "fee_ppm": 3000,
            }
        ],
    },
    "sell": "USDC",
    "buy": "WETH",
    "amount": "1500",
}


ONE_SIZE: list[JsonValue] = [
    {"required": [name], "properties": {name: {"type": "string"}}}
    for name in ("amount", "receive", "max_impact")
]
"""For the description: which of three fields says how much."""


class Trade(Document):
    """A trade to be quoted: exactly one of `amount`, `receive` and `max_impact`."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": EXAMPLE, "oneOf": ONE_SIZE}
    )

    state: dict[str, Any] = Field(description="document of format defimon.pools (docs/pools.md)")
    sell: Text = Field(description="token sold: its symbol or id")
    buy: Text | None = Field(None, description="token bought; may be left out if there is but one")
    pool: Text | None = Field(None, description="only this pool")
    amount: Text | None = Field(None, description="tokens sold, such as 1500 or 0.25")
    receive: Text | None = Field(None, description="tokens to be bought, exactly")
    max_impact: Text | None = Field(None, description="largest sale within this impact: 30bps, 0.3% or 0.003")


class PoolQuote(Document):
    """One pool's answer; without one `reason` tells why and the figures are null."""

    pool: str
    title: str
    reason: str
    partial: bool = Field(description="the pool fills only a part")
    sold: str | None = Field(description="tokens, with every digit")
    bought: str | None = Field(description="tokens, with every digit")
    fee: str | None = Field(description="tokens of `fee_token`")
    fee_token: str | None
    average_price: float | None = Field(description="bought per sold, fee included")
    price_before: float | None = Field(description="marginal price before the trade")
    price_after: float | None
    impact: float | None = Field(description="fall of the marginal price, a fraction")
    slippage: float | None = Field(description="average price below the marginal one before, a fraction")


class Quotes(Document):
    """Answers of the pools that trade the two tokens, as their contracts would give them."""

    chain_id: int
    block: int
    origin: str
    sell: str
    buy: str
    quotes: list[PoolQuote]


class CurvePoint(Document):
    """What selling `amount` tokens comes to."""

    pool: str
    amount: float
    impact: float
    slippage: float


class DepthPoint(Document):
    """How many tokens trade until the price has moved by `bps` (negative: it falls)."""

    pool: str
    bps: int
    amount: float


class ImpactCurve(Document):
    """Impact by size, up to three times the trade that was asked for."""

    origin: str
    sell: str
    buy: str
    curve: list[CurvePoint]
    depth: list[DepthPoint]


@router.post("", response_model=Quotes)
async def quote(request: Request, _caller: Reader, trade: Trade) -> Answer:
    """Amounts, prices, price impact and slippage, exact to the last unit."""
    told = await service_of(request).reckoning(quote_document, trade.state, **_asked(trade))
    return Answer(told)


@router.post("/curve", response_model=ImpactCurve)
async def impact_by_size(request: Request, _caller: Reader, trade: Trade) -> Answer:
    """Price impact and slippage by size, and the depth of each pool; of 20 pools at most."""
    told = await service_of(request).reckoning(curve_document, trade.state, **_asked(trade))
    return Answer(told)


def _asked(trade: Trade) -> dict[str, str | None]:
    return trade.model_dump(exclude={"state"})
