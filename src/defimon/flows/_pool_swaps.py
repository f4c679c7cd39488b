"""Swaps of a Uniswap pool, from its logs in the order in which the contract wrote them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isqrt, log
from typing import Any

from defimon.amm.pools._tick_price import MAX_SQRT_PRICE, MIN_SQRT_PRICE

SWAP_V3 = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
"""Swap(address,address,int256,int256,uint160,uint128,int24), IUniswapV3PoolEvents.sol."""

SWAP_V2 = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
"""Swap(address,uint256,uint256,uint256,uint256,address), IUniswapV2Pair.sol."""

SYNC_V2 = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
"""Sync(uint112,uint112), IUniswapV2Pair.sol: reserves, written whenever they change, before the Swap."""

Q96 = 1 << 96
WORD = 64
"""Hexadecimal digits of a word of 256 bits."""

WORDS = {SWAP_V3: 5, SWAP_V2: 4, SYNC_V2: 2}
"""How many words the data of each kind of log holds."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the pool stood once a log was written.

    `log_price` is the natural log of base units of token 1 per base unit of token 0. `liquidity` is that at
    `tick`; of a v2 pair it is the root of the reserves' product, the same at every price, and `tick` is 0.
    """

    number: int
    ts: datetime
    log_price: float
    liquidity: int
    tick: int = 0


@dataclass(frozen=True, slots=True)
class Swap:
    """One swap in base units: `sold` is the place of the token that came in. `before` is None where no log
    tells where the pool stood.
    """

    sold: int
    amount_in: int
    amount_out: int
    before: Stand | None
    after: Stand


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A log of a kind that tells something, with data that no such log has."""

    number: int


def read_logs(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stand | Swap | Unreadable]:
    """What the logs of one pool tell, rows of the table `events` in order: each change of where it stands, a
    swap where it was one. Swaps that were paid in both tokens, or that paid out nothing, change it alone.
    After a log that cannot be read nobody knows where the pool stands, up to the next one.
    """
    before: Stand | None = None
    last: Stand | None = None
    for row in rows:
        kind = (row["topics"] or "").partition(",")[0]
        if kind not in WORDS:
            continue
        words = _words(row["data"] or "")
        if len(words) < WORDS[kind] or (kind == SWAP_V3 and not MIN_SQRT_PRICE <= words[2] < MAX_SQRT_PRICE):
            before = last = None
            yield Unreadable(row["number"])
        elif kind == SYNC_V2:
            before, last = last, _stand_v2(row, words)
            yield last
        elif kind == SWAP_V2 and last is not None:
            paid, got = words[0:2], words[2:4]
            yield from _swap(paid, got, before, last)
        elif kind == SWAP_V3:
            net = [_signed(word) for word in words[0:2]]
            before, last = last, _stand_v3(row, words)
            yield last
            yield from _swap([max(one, 0) for one in net], [max(-one, 0) for one in net], before, last)


def _swap(paid: list[int], got: list[int], before: Stand | None, after: Stand) -> Iterator[Swap]:
    sold = 0 if paid[0] else 1
    if paid[sold] and got[1 - sold] and not paid[1 - sold] and not got[sold]:
        yield Swap(sold, paid[sold], got[1 - sold], before, after)


def _stand_v2(row: Mapping[str, Any], words: list[int]) -> Stand:
    first, second = (max(one, 1) for one in words[:2])
    return Stand(row["number"], row["ts"], log(second) - log(first), isqrt(first * second))


def _stand_v3(row: Mapping[str, Any], words: list[int]) -> Stand:
    return Stand(row["number"], row["ts"], 2.0 * log(words[2] / Q96), words[3], _signed(words[4]))


def _words(data: str) -> list[int]:
    """Whole words of the data; none where it is not hexadecimal."""
    text = data.removeprefix("0x")
    try:
        return [int(text[end - WORD : end], 16) for end in range(WORD, len(text) + 1, WORD)]
    except ValueError:
        return []


def _signed(word: int) -> int:
    return word - (1 << 256) if word >> 255 else word
