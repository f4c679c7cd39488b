"""What pools look like in answers, whole or in part."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field, create_model

from defimon.apps.api.documents import Document, row_model
from defimon.core.tables import POOLS, YIELDS
from defimon.flows.catalogue import ATTRIBUTES, COLUMNS, FACTS
from defimon.flows.not_known import NotKnown, all_near

MOST_VALUES = 1_000
"""Of one attribute: more than anybody chooses from."""

Attributes = row_model("PoolAttributes", "What a pool is.", POOLS, ("pool_id", *ATTRIBUTES))
Figures = row_model(
    "PoolFigures", "What it pays.", YIELDS, ("ts", *FACTS, "flags", "source", "origin", "known_at")
)


class Pool(Attributes, Figures):  # type: ignore[misc, valid-type]
    """A pool as it stands, with the forecast of its mean APY over the next 7 days."""

    forecast: float | None = Field(
        description="forecast of the mean APY of the next 7 days (fraction a year)"
    )
    forecast_low: float | None = Field(description="5 % quantile (fraction a year)")
    forecast_high: float | None = Field(description="95 % quantile (fraction a year)")
    forecast_model: str | None = Field(description="model that answered")


def _described(schema: dict[str, Any]) -> None:
    """A field that was not asked for is left out, it is not null."""
    for field in schema["properties"].values():
        field.pop("default", None)


_PART = {
    name: (field.annotation, Field(None, description=field.description))
    for name, field in Pool.model_fields.items()
    if name != "pool_id"
}
PoolPart = create_model(
    "PoolPart",
    __doc__="As much of a pool as `fields` asked for, beside its id.",
    __config__=ConfigDict(extra="forbid", json_schema_extra=_described),
    pool_id=(str, Field(description="id of the pool")),
    **_PART,  # type: ignore[call-overload]
)

Fields = Annotated[
    list[Annotated[str, Field(max_length=200, json_schema_extra={"enum": list(COLUMNS)})]],
    Query(max_length=60, description="only these fields of each pool, beside its id; all unless given"),
]


class PoolPage(Document):
    """Pools in the order that was asked for."""

    pools: list[Pool | PoolPart]  # type: ignore[valid-type]
    total: int = Field(description="pools that fit, on all pages")
    next: str | None = Field(description="cursor of the next page; null on the last one")


class ValueCount(Document):
    """A value, and how many pools have it."""

    value: str
    pools: int


class PoolValues(Document):
    """Values of the attributes that pools are chosen by, most pools first; at most 1,000 of each."""

    protocol: list[ValueCount]
    chain: list[ValueCount]
    kind: list[ValueCount]


def shown_fields(fields: list[str]) -> tuple[str, ...]:
    """The columns that were asked for, in the order of the columns, `pool_id` always; names may come one by
    one or with commas between. Raises NotKnown, with near matches.
    """
    asked = [name.strip() for given in fields for name in given.split(",")]
    strange = [name for name in dict.fromkeys(asked) if name not in COLUMNS]
    if strange:
        told = all_near(strange, COLUMNS)
        words = f"A pool has no field {strange[0][:60]!r}; it has {', '.join(COLUMNS)}."
        raise NotKnown(words, variable="fields", unknown=told)
    return tuple(name for name in COLUMNS if not asked or name in asked or name == "pool_id")
