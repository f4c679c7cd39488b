"""Baskets: pools under one name with the share of each, as their owners keep them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from defimon.core.errors import FixSettings
from defimon.core.tables import BASKETS
from defimon.core.units import utc_now
from defimon.flows.not_known import not_known
from defimon.store.database import Store

MOST_POOLS = 200
MOST_BASKETS = 200
"""Of one owner: more are lists made by a machine, which may ask for its pools by their ids."""


@dataclass(frozen=True, slots=True)
class Basket:
    """Shares, which add up to 1, by pool_id; `shared` lets others read it and ask forecasts of it."""

    owner: str
    name: str
    weights: Mapping[str, float]
    shared: bool
    saved_at: datetime


def visible_baskets(store: Store, owner: str | None, *, every: bool = False) -> list[Basket]:
    """Baskets of `owner` and those that others share, by name; all of them if `every`."""
    found = []
    for row in store.read(BASKETS.name).iter_rows(named=True):
        if row["weights"] is not None and (every or row["owner"] == owner or row["shared"]):
            weights = {str(pool): float(share) for pool, share in json.loads(row["weights"]).items()}
            found.append(Basket(row["owner"], row["name"], weights, bool(row["shared"]), row["ts"]))
    return sorted(found, key=lambda one: (one.name, one.owner != owner, one.owner))


def find_basket(store: Store, owner: str | None, name: str, *, every: bool = False) -> Basket:
    """The basket of that name, the owner's own before a shared one. Raises NotKnown with near matches."""
    seen = visible_baskets(store, owner, every=every)
    for basket in seen:
        if basket.name == name:
            return basket
    raise not_known("basket", name, [one.name for one in seen], variable="name")


def save_basket(store: Store, owner: str, name: str, pools: Mapping[str, float], *, shared: bool) -> Basket:
    """Keep the shares, scaled to add up to 1, in place of what the owner kept under this name.

    Raises FixSettings for shares that are not above 0, or too many pools or baskets.
    """
    if not 0 < len(pools) <= MOST_POOLS:
        raise FixSettings(
            f"A basket of {len(pools)} pools.", variable="pools", remedy=f"Name 1 to {MOST_POOLS} pools."
        )
    total = sum(pools.values())
    if min(pools.values()) <= 0 or not total < float("inf"):
        raise FixSettings(
            "A share is not above 0, or too large.", variable="pools", remedy="Give shares above 0."
        )
    own = [one for one in visible_baskets(store, owner) if one.owner == owner]
    if len(own) >= MOST_BASKETS and name not in {one.name for one in own}:
        raise FixSettings(
            f"{owner} has {len(own)} baskets.", variable="name", remedy="Remove one that is not needed."
        )
    basket = Basket(owner, name, {pool: share / total for pool, share in pools.items()}, shared, utc_now())
    _write(store, basket, json.dumps(dict(basket.weights), sort_keys=True))
    return basket


def remove_basket(store: Store, owner: str, name: str, *, every: bool = False) -> None:
    """Take the basket away; what it was stays in the store. Raises NotKnown for another's."""
    seen = visible_baskets(store, owner, every=every)
    own = [one for one in seen if one.name == name and (every or one.owner == owner)]
    if not own:
        mine = [one.name for one in seen if one.owner == owner]
        raise not_known("basket", name, mine, variable="name")
    _write(store, own[0], None)


def _write(store: Store, basket: Basket, weights: str | None) -> None:
    now = utc_now()
    row = {
        "owner": basket.owner,
        "name": basket.name,
        "ts": now,
        "weights": weights,
        "shared": basket.shared,
        "known_at": now,
        "source": "api",
        "origin": "observed",
    }
    store.write(BASKETS.name, BASKETS.rows([row]))
