"""A recording: pool states, and what the contracts answered on them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeVar

from defimon.amm.pools._base import Exact, Pool
from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import Fields
from defimon.amm.state.document import State
from defimon.amm.trading.arbitrage import Edge, Funding

Kind = Literal["quoted", "executed"]

Fact = int | tuple[int, ...]

Made = TypeVar("Made", bound=Pool)

LOCAL_CHAIN = 31_337
"""Chain id of a local anvil node unless it is told another; recordings from it name none."""

RATIO = re.compile(r"([0-9]{1,30})/([1-9][0-9]{0,30})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contract answered to one trade on a pool's recorded state.

    `where` is the place in the file. `expected` maps attributes of the Quote to their values ("amount_out",
    "after.reserves"); None says that the contract reverted. `limit` is a price limit (sqrtPriceLimitX96).
    An executed trade was sent as a transaction, a quoted one only asked for; each found the recorded state.
    """

    where: str
    pool: str
    kind: Kind
    sell: str
    buy: str
    exact: Exact
    amount: int
    expected: Mapping[str, Fact] | None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Gain:
    """What a cycle of trades on the recorded state left of `size` after repaying the loan, in base units.

    `best` says that the recorder found no size that gains more.
    """

    where: str
    cycle: tuple[Edge, ...]
    funding: Funding
    size: int
    expected: int
    best: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """Answers of contracts, and the state on which they were given."""

    name: str
    state: State
    answers: tuple[Answer, ...]
    gains: tuple[Gain, ...] = ()


def objects(fields: Fields, name: str) -> Iterator[Fields]:
    """The objects of a list, each with its path."""
    for place, value in enumerate(fields.items(name)):
        yield Fields(value, f"{fields.path}.{name}[{place}]")


def new_id(fields: Fields, name: str, known: Iterable[str]) -> str:
    """The id of a pool that did not come before. Raises BadState."""
    pool_id = fields.text(name)
    if pool_id in known:
        raise BadState(f"{fields.path}.{name} is {pool_id[:60]!r} again.", remedy="Keep one of them.")
    return pool_id


def flag(fields: Fields, name: str) -> bool:
    value = fields.raw(name)
    if not isinstance(value, bool):
        raise BadState(f"{fields.path}.{name} is {value!r:.60}.", remedy="It must be true or false.")
    return value


def parts_of(fields: Fields, name: str, whole: int) -> int:
    """A ratio such as "3/1000" in parts of `whole`. Raises BadState unless it is a whole number of them."""
    text = fields.text(name)
    found = RATIO.fullmatch(text)
    parts = Fraction(int(found[1]), int(found[2])) * whole if found else Fraction(1, 2)
    if parts.denominator != 1:
        raise BadState(
            f"{fields.path}.{name} is {text[:60]!r}.", remedy=f"It must be a ratio in parts of {whole}."
        )
    return int(parts)


def integers_by_key(fields: Fields, name: str) -> dict[int, object]:
    """An object whose keys are integers."""
    inner = fields.raw(name)
    path = f"{fields.path}.{name}"
    if not isinstance(inner, Mapping):
        raise BadState(f"{path} is {inner!r:.60}.", remedy="It must be a JSON object.")
    keys = Fields({"keys": list(inner)}, path).integers("keys", low=-(1 << 31), below=1 << 31)
    return dict(zip(keys, inner.values(), strict=True))


def different(sell: str, buy: str, path: str) -> tuple[str, str]:
    """The two tokens. Raises BadState when they are one."""
    if sell == buy:
        raise BadState(f"{path} sells and buys {sell[:60]!r}.", remedy="Name two tokens of the pool.")
    return sell, buy


def built(path: str, make: Callable[[], Made]) -> Made:
    """The pool that `make` makes; a BadState says the path."""
    try:
        return make()
    except BadState as error:
        raise BadState(f"{path}: {error.message}", remedy=error.remedy) from None
