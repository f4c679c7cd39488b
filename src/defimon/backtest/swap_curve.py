"""What a swap costs by its size: exact quotes at chosen sizes and straight lines between them."""

from bisect import insort
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from defimon.amm.pools._errors import LeavesState, Refused
from defimon.backtest.arrays import Floats
from defimon.backtest.swap_path import SwapPath
from defimon.core.errors import BadData
from defimon.core.units import BASIS_POINT

TOLERANCE = 0.1 * BASIS_POINT
"""Share of the amount by which a straight line may stand above the exact quote, beside rounding."""

SMALLEST_UNITS = 1_000
"""Base units of either token below which rounding down hides what a swap costs; a line to 0 stands in."""

ROUNDED = 2
"""Base units by which rounding may bend the curve: one at either end of a line."""

MOST_BITS = 256
"""No amount on chain is larger: uint256."""


@dataclass(frozen=True, slots=True)
class SwapCurve:
    """Cost of a swap one way, in USD, by the USD that the asset is worth at mid price.

    `usd` (k,) rises from 0 to the most that can be swapped at once; `cost` (k,) is what the exact quote loses
    there. Lines between stand above the true cost, which bends upwards, by at most TOLERANCE of the amount.
    """

    usd: Floats
    cost: Floats

    @property
    def most(self) -> float:
        """Largest USD that can be swapped at once."""
        return float(self.usd[-1])

    def at(self, usd: float) -> float:
        """Cost in USD of a size from 0 to `most`; what is above costs as `most`, so do not ask for it."""
        return float(np.interp(usd, self.usd, self.cost))


def swap_curve(path: SwapPath, *, into: bool, most_slippage: float) -> SwapCurve:
    """Curve of the swaps into the asset or out of it, up to where one loses `most_slippage` of what it gives.

    Raises BadData when not even the smallest swap can be done within that.
    """
    way = _Way(path, into=into, most_slippage=most_slippage)
    first = way.smallest()
    if not way.fits(first):
        raise BadData(
            f"No swap {' > '.join(path.tokens if into else path.tokens[::-1])} loses less than "
            f"{most_slippage:.2%}.",
            remedy="Give a deeper pool, or allow more slippage.",
        )
    last = _last_that_fits(way, first)
    sizes = [first]
    while sizes[-1] * 2 < last:
        sizes.append(sizes[-1] * 2)
    sizes = sorted({*sizes, last})
    points = {0: (0.0, 0.0), **dict(zip(sizes, way.points(sizes), strict=True))}
    known = sorted(points)
    doubtful = list(pairwise(known))
    while doubtful:
        middles = [(low + high) // 2 for low, high in doubtful]
        found = way.points(middles)
        spans, doubtful = doubtful, []
        for (low, high), middle, point in zip(spans, middles, found, strict=True):
            if way.bends(points[low], point, points[high]):
                points[middle] = point
                insort(known, middle)
                doubtful += [
                    span for span in ((low, middle), (middle, high)) if span[1] - span[0] > SMALLEST_UNITS
                ]
    usd, cost = np.array([points[size] for size in known]).T
    # Near its end a pool may give not one base unit more for a larger amount: the cheaper of the two stays.
    gains = np.concatenate([[True], np.diff(np.maximum.accumulate(usd)) > 0])
    return SwapCurve(usd[gains], cost[gains])


class _Way:
    """One direction of a path, in USD."""

    def __init__(self, path: SwapPath, *, into: bool, most_slippage: float) -> None:
        self.path, self.into, self.most_slippage = path, into, most_slippage
        self.mid = path.mid()
        self.scale = 10 ** path.decimals[0]
        self.rounding = ROUNDED * float(max(Fraction(1), self.mid) / self.scale)

    def smallest(self) -> int:
        """Base units of the token given: 1 USD, or enough that rounding does not hide the cost."""
        cash = max(self.scale, SMALLEST_UNITS, int(SMALLEST_UNITS * self.mid) + 1)
        return cash if self.into else int(cash / self.mid) + 1

    def points(self, amounts: list[int]) -> list[tuple[float, float]]:
        """USD that the asset is worth at mid price, and USD lost, for each of the amounts given."""
        out = []
        for given, back in zip(amounts, self.path.swapped(amounts, into=self.into), strict=True):
            worth = (back if self.into else given) * self.mid
            lost = given - worth if self.into else worth - back
            out.append((float(worth / self.scale), float(lost / self.scale)))
        return out

    def fits(self, amount: int) -> bool:
        """Whether the pools can do it within the slippage allowed, as far as their states tell."""
        try:
            ((usd, lost),) = self.points([amount])
        except (Refused, LeavesState):
            return False
        return usd > 0 and lost <= self.most_slippage * (usd + lost if self.into else usd)

    def bends(self, low: tuple[float, float], at: tuple[float, float], high: tuple[float, float]) -> bool:
        """Whether the line from `low` to `high` may stand too far from the curve, judged by a point between.

        Of a curve that bends one way the line stands nowhere farther off than twice what it does at the
        middle; next to 0 it is the share of the amount that counts, at most four times that of the middle.
        """
        if high[0] <= low[0]:
            return False
        line = low[1] + (high[1] - low[1]) * (at[0] - low[0]) / (high[0] - low[0])
        apart = abs(line - at[1])
        allowed = TOLERANCE * low[0] / 2 if low[0] else TOLERANCE * high[0] / 4
        return apart > allowed + self.rounding


def _last_that_fits(way: _Way, first: int) -> int:
    """Largest amount that fits, to about a millionth."""
    low, high = first, first * 2
    while way.fits(high) and not high >> MOST_BITS:
        low, high = high, high * 2
    while high - low > max(low >> 20, 1):
        middle = (low + high) // 2
        low, high = (middle, high) if way.fits(middle) else (low, middle)
    return low
