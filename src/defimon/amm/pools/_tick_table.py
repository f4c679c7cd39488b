"""The ticks of a Uniswap v3 pool at which liquidity comes and goes."""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Self

from defimon.amm.pools._errors import BadState, LeavesState
from defimon.amm.pools._fields import UINT128, Fields
from defimon.amm.pools._tick_price import MAX_TICK, MIN_TICK

if TYPE_CHECKING:
    from defimon.amm.pools._tick_ladder import TickLadder

MOST_SPACING = 16_384
"""UniswapV3Factory.enableFeeAmount: the spacing is below it."""

WORD_BITS = 8
"""TickBitmap: one word holds 2^8 ticks that are multiples of the spacing."""

Row = tuple[int, int, int]
"""Tick, gross liquidity that refers to it, net liquidity that comes when the price crosses it upwards."""


@dataclass(frozen=True, slots=True)
class TickTable:
    """Initialised ticks of a pool, ascending, and which of its bitmap words were recorded.

    `words` are the numbers of the known words (word w holds the ticks from 256 * w * spacing on), or None
    when all are known. Raises BadState for ticks out of range, off the spacing or not ascending, for
    liquidity that no sequence of deposits leaves, and for rows in unknown words. That nets sum to zero and
    never leave less than nothing is checked of a complete table only.
    """

    spacing: int
    rows: tuple[Row, ...]
    words: frozenset[int] | None = None
    ticks: tuple[int, ...] = field(init=False, repr=False, compare=False)
    nets: tuple[int, ...] = field(init=False, repr=False, compare=False)
    active: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """Sum of the nets up to and with each row."""
    ladders: dict[tuple[int, int, bool], "TickLadder"] = field(init=False, repr=False, compare=False)
    """Running totals of swap steps by fee, protocol share and direction, kept by the price paths."""

    def __post_init__(self) -> None:
        if not 0 < self.spacing < MOST_SPACING:
            raise BadState(f"The tick spacing is {self.spacing}.", remedy=f"From 1 to below {MOST_SPACING}.")
        for row in self.rows:
            self._check(row)
        object.__setattr__(self, "ticks", tuple(tick for tick, _, _ in self.rows))
        object.__setattr__(self, "nets", tuple(net for _, _, net in self.rows))
        object.__setattr__(self, "ladders", {})
        object.__setattr__(self, "active", tuple(accumulate(self.nets)))
        for before, tick in pairwise(self.ticks):
            if before >= tick:
                raise BadState(f"Tick {tick} follows {before}.", remedy="Sort the ticks, each once.")
        if self.words is None and self.rows:
            self._check_sums()

    def __reduce__(self) -> tuple[type[Self], tuple[int, tuple[Row, ...], frozenset[int] | None]]:
        """A copy, also one in another process, begins without ladders."""
        return type(self), (self.spacing, self.rows, self.words)

    @classmethod
    def from_state(cls, fields: Fields) -> Self:
        """From `tick_spacing`, `ticks` (rows of tick, gross, net) and `words` ("all", or the known ones)."""
        spacing = fields.integer("tick_spacing", low=1, below=MOST_SPACING)
        rows = fields.rows("ticks", 3, low=-UINT128, below=UINT128)
        words = None
        if fields.raw("words") != "all":
            words = frozenset(fields.integers("words", low=MIN_TICK, below=MAX_TICK))
        return cls(spacing, tuple((tick, gross, net) for tick, gross, net in rows), words)

    def to_state(self) -> dict[str, Any]:
        """The inverse of `from_state`."""
        return {
            "tick_spacing": str(self.spacing),
            "ticks": [[str(value) for value in row] for row in self.rows],
            "words": "all" if self.words is None else [str(word) for word in sorted(self.words)],
        }

    @property
    def complete(self) -> bool:
        """Whether every bitmap word is known."""
        return self.words is None

    def word(self, tick: int) -> int:
        """Number of the bitmap word that holds the greatest usable tick up to `tick`."""
        return tick // self.spacing >> WORD_BITS

    def knows(self, word: int) -> None:
        """Raises LeavesState when `word` was not recorded."""
        if self.words is not None and word not in self.words:
            raise LeavesState(
                f"The trade needs bitmap word {word} of the ticks, which was not recorded.",
                remedy="Record that word and its ticks, or trade less.",
            )

    def liquidity_at(self, tick: int) -> int:
        """Liquidity while the pool stands at `tick`: the sum of the nets up to it.

        Raises LeavesState when words are missing, since the sum is unknown then.
        """
        if self.words is not None:
            raise LeavesState("The ticks were recorded in part, so liquidity cannot be summed up.")
        place = bisect_right(self.ticks, tick)
        return self.active[place - 1] if place else 0

    def most_gross(self) -> int:
        """Most gross liquidity that the contract allows a tick: Tick.tickSpacingToMaxLiquidityPerTick."""
        return (UINT128 - 1) // (2 * (MAX_TICK // self.spacing) + 1)

    def _check(self, row: Row) -> None:
        tick, gross, net = row
        wrong = ""
        if not MIN_TICK <= tick <= MAX_TICK:
            wrong = f"is out of range ({MIN_TICK} to {MAX_TICK})"
        elif tick % self.spacing:
            wrong = f"is no multiple of the spacing {self.spacing}"
        elif not 0 < gross <= self.most_gross():
            wrong = f"has gross liquidity {gross}; from 1 to {self.most_gross()}"
        elif abs(net) > gross or (gross - net) % 2:
            # Gross is what begins plus what ends here, net the first less the second.
            wrong = f"has net liquidity {net}, which gross {gross} cannot hold"
        elif self.words is not None and self.word(tick) not in self.words:
            wrong = f"lies in bitmap word {self.word(tick)}, which is not among the known words"
        if wrong:
            raise BadState(f"Tick {tick} {wrong}.", remedy="Read the ticks of the pool again.")

    def _check_sums(self) -> None:
        if self.active[-1]:
            raise BadState(
                f"The net liquidity of all ticks sums to {self.active[-1]}, not to 0.",
                remedy="Ticks are missing: name the known words, or record all ticks.",
            )
        for tick, liquidity in zip(self.ticks, self.active, strict=True):
            if not 0 <= liquidity < UINT128:
                raise BadState(
                    f"The liquidity above tick {tick} sums to {liquidity}.",
                    remedy="Read the ticks of the pool again: liquidity is from 0 to below 2^128.",
                )
