"""Baskets: pools under one name, kept by whoever has a key that may run things."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, ConfigDict, Field

from defimon.apps.api.access import Caller, CheckedFirst, Reader, Runner
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.questions import Name
from defimon.apps.api.service import service_of
from defimon.flows.baskets import find_basket, remove_basket, save_basket, visible_baskets
from defimon.flows.not_known import NotKnown, all_near

router = APIRouter(prefix="/v1/baskets", tags=["baskets"], route_class=CheckedFirst)

BasketName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


class BasketIn(Document):
    """Pools with their shares, in any unit: they are scaled to add up to 1."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": {"pools": {"aave-v3:ethereum:USDC": 2, "lido:stETH": 1}}},
    )

    pools: dict[Name, Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]] = Field(
        min_length=1, max_length=200
    )
    shared: bool = Field(default=False, description="others may read it and ask forecasts of it")


class Basket(Document):
    """A saved basket."""

    owner: str
    name: str
    weights: dict[str, float] = Field(description="share by pool_id; they add up to 1")
    shared: bool
    saved_at: AwareDatetime


class Baskets(Document):
    """Baskets that the caller may see."""

    baskets: list[Basket]


@router.get("", response_model=Baskets)
async def list_baskets(request: Request, caller: Reader) -> Answer:
    """Your own and shared ones; all of them with an admin's key."""
    seen = await service_of(request).reading(visible_baskets, caller.name, every=caller.admin)
    return Answer({"baskets": [asdict(one) for one in seen]})


@router.get("/{name}", response_model=Basket)
async def one_basket(request: Request, caller: Reader, name: BasketName) -> Answer:
    """One basket. Another's that is not shared is as unknown as one that is not there."""
    found = await service_of(request).reading(find_basket, caller.name, name, every=caller.admin)
    return Answer(asdict(found))


@router.put("/{name}", response_model=Basket)
async def put_basket(request: Request, caller: Runner, name: BasketName, given: BasketIn) -> Answer:
    """Save it under your name, in place of one that you saved before."""
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    pools: dict[str, float] = {}
    for pool, share in given.pools.items():
        # A pool may stand there by its id and by ones that it had before.
        own = catalogue.old_ids.get(pool, pool)
        pools[own] = pools.get(own, 0.0) + share
    strange = [pool for pool in pools if pool not in catalogue.rows]
    if strange:
        unknown = await service.working(all_near, strange, catalogue.rows)
        raise NotKnown(f"{len(strange)} of the pools are unknown.", variable="pools", unknown=unknown)
    saved = await service.reading(save_basket, _owner(caller), name, pools, shared=given.shared)
    return Answer(asdict(saved))


@router.delete("/{name}", status_code=204, response_model=None)
async def delete_basket(request: Request, caller: Runner, name: BasketName) -> Response:
    """Remove one of yours; an admin's key removes anybody's."""
    await service_of(request).reading(remove_basket, _owner(caller), name, every=caller.admin)
    return Response(status_code=204)


def _owner(caller: Caller) -> str:
    """The name on the key; a rotated key has the name of the one before it."""
    return caller.name or ""
