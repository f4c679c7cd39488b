"""What the list of pools is asked for."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import Field

from defimon.apps.api.questions import no_such_page, place_of
from defimon.flows.pool_search import Place, Sort, Wanted

FIGURE = (int, float, str, type(None))
Words = Annotated[list[Annotated[str, Field(max_length=60)]], Query(max_length=20)]
"""Four of them fit into an address of 64 KiB, the most that the server reads, however they are written."""
YesNo = Literal["true", "false"]
Rate = Annotated[float | None, Query(allow_inf_nan=False, description="fraction a year")]
Text = Annotated[str, Query(max_length=200, description="words to look for in id, protocol, chain, symbol")]


def wanted_pools(
    q: Text = "",
    protocol: Words = [],  # noqa: B006 - the framework copies it
    chain: Words = [],  # noqa: B006
    symbol: Words = [],  # noqa: B006
    kind: Words = [],  # noqa: B006
    stablecoin: YesNo | None = None,
    listed: YesNo | None = None,
    min_tvl_usd: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None,
    min_apy: Rate = None,
    max_apy: Rate = None,
    with_forecast: YesNo | None = None,
) -> Wanted:
    """Dependency of a route: the filters of its query."""
    flags = _flag(stablecoin), _flag(listed)
    return Wanted(
        q, protocol, chain, symbol, kind, *flags, min_tvl_usd, min_apy, max_apy, _flag(with_forecast)
    )


Chosen = Annotated[Wanted, Depends(wanted_pools)]


def place_in(cursor: str, sort: Sort, order: str) -> Place:
    """Where the page before ended. Raises NotKnown for a cursor of another listing."""
    shown, direction, value, pool_id = place_of(cursor, (str, str, FIGURE, str))
    by_name = isinstance(value, str)
    if (shown, direction) != (sort, order) or (value is not None and by_name != (sort == "symbol")):
        raise no_such_page()
    return value if value is None or by_name else float(value), pool_id


def _flag(value: YesNo | None) -> bool | None:
    return None if value is None else value == "true"
