"""The highest point of a curve that is concave but for the steps of integer rounding."""

from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW = 512
"""Steps that are looked at on either side of the point that the search by thirds ends at."""

LAST_FEW = 2
"""Width at which the search by thirds looks at every point."""

Step = Callable[[int], int | None]
"""A function of whole amounts; None where the trade is not possible."""


@dataclass(frozen=True, slots=True)
class Peak:
    """Where the curve is highest, how high, and whether no higher point can exist anywhere in the range."""

    at: int
    height: int
    proven: bool


@dataclass(frozen=True, slots=True)
class Sawtooth:
    """`worth(x) - cost(x)`: worth rises in steps, cost rises with every unit.

    `noise` bounds from above by how much rounding puts the curve, at the first x of a step, below the
    concave curve that it rounds; None when no bound is known.
    """

    worth: Step
    cost: Callable[[int], int]
    noise: int | None = None
    known: dict[int, int | None] = field(default_factory=dict, repr=False)

    def worth_at(self, at: int) -> int | None:
        """`worth`, asked once for each amount."""
        if at not in self.known:
            self.known[at] = self.worth(at)
        return self.known[at]

    def height(self, at: int) -> int | None:
        worth = self.worth_at(at)
        return None if worth is None else worth - self.cost(at)

    def by_thirds(self, low: int, high: int) -> int:
        """Ternary search over whole numbers: leaves the middle third's losing side, keeps the lower on a tie.

        Rounding may lead it astray where the curve is flat to within the noise, so that its end lies lower
        than the peak by the noise at most.
        """
        while high - low > LAST_FEW:
            third = (high - low) // 3
            left, right = low + third, high - third
            if _less(self.height(left), self.height(right)):
                low = left
            else:
                high = right
        best, height = low, self.height(low)
        for at in range(low + 1, high + 1):
            here = self.height(at)
            if _less(height, here):
                best, height = at, here
        return best

    def peak(self, low: int, high: int, window: int = WINDOW) -> Peak | None:
        """Highest point from `low` to `high`, the lowest x of equals among those looked at.

        Only the first x of a step can be a peak. From the end of the search by thirds on, steps are looked
        at on both sides, until the curve lies below the best by the noise (then concavity excludes all that
        lies beyond: proven) or `window` steps are done. With a window of 0 the end of the search by thirds
        is the answer. None when no point is possible.
        """
        start = self.by_thirds(low, high)
        height = self.height(start)
        if height is None:
            return None
        if window < 1:
            return Peak(start, height, proven=False)
        start = self._first(start, low)
        here = Peak(start, self._sure(start), proven=False)
        above = self._climbed(here, low, high, window, down=False)
        below = self._climbed(Peak(start, above.height, proven=False), low, high, window, down=True)
        return Peak(
            above.at if below.at == start else below.at, below.height, proven=above.proven and below.proven
        )

    def _climbed(self, best: Peak, low: int, high: int, window: int, *, down: bool) -> Peak:
        """The best of up to `window` steps to one side of `best`; proven when nothing beyond can be better.

        Downwards an equal height wins, upwards it does not.
        """
        at, height = best.at, best.height
        for _ in range(window):
            following = self._before(at, low) if down else self._next(at, high)
            if following is None:
                return Peak(best.at, height, proven=True)
            at, here = following, self._sure(following)
            if here > height or (down and here == height):
                best, height = Peak(at, here, proven=False), here
            elif self.noise is not None and here <= height - self.noise:
                return Peak(best.at, height, proven=True)
        return Peak(best.at, height, proven=False)

    def _before(self, at: int, low: int) -> int | None:
        """First x of the step below; None when there is none from `low` on, or it is not possible."""
        return None if at <= low or self.worth_at(at - 1) is None else self._first(at - 1, low)

    def _sure(self, at: int) -> int:
        height = self.height(at)
        if height is None:
            raise ValueError(f"{at} was possible a moment ago.")
        return height

    def _first(self, at: int, low: int) -> int:
        """First x of the step on which `at` lies."""
        worth, step = self.worth_at(at), 1
        while at - step >= low and self.worth_at(at - step) == worth:
            at, step = at - step, step * 2
        below = max(at - step, low - 1)
        while at - below > 1:
            middle = (at + below) // 2
            at, below = (middle, below) if self.worth_at(middle) == worth else (at, middle)
        return at

    def _next(self, at: int, high: int) -> int | None:
        """First x of the next step; None when there is none up to `high`, or it is not possible."""
        worth, below, step = self.worth_at(at), at, 1
        while below + step <= high and self.worth_at(below + step) == worth:
            below, step = below + step, step * 2
        above = min(below + step, high + 1)
        while above - below > 1:
            middle = (above + below) // 2
            above, below = (above, middle) if self.worth_at(middle) == worth else (middle, below)
        return None if above > high or self.worth_at(above) is None else above


def _less(one: int | None, other: int | None) -> bool:
    if other is None:
        return False
    return one is None or one < other
