"""What is collected piece by piece: series, where they stand, and the batches that they come in."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar, Self

import polars as pl

from defimon.core.settings import Settings
from defimon.core.tables import BLOCKS
from defimon.sources._base import LiveSource
from defimon.sources._http import Answer, Http

NOTHING: Mapping[str, pl.DataFrame] = MappingProxyType({})

Keep = Callable[[Answer], object]
"""Handed every whole answer as it came, before its shape is looked at."""


IN_GAP = "in_gap"
"""Column of stored blocks that are handed to a source: those inside a gap are from before it, perhaps of a
fork that was left while its blocks there could not be had. They tell that a chain changed, never that it did
not."""

NO_BLOCKS = BLOCKS.empty().with_columns(pl.lit(value=False).alias(IN_GAP))

Deeper = Callable[[int, int], Awaitable[pl.DataFrame]]
"""Stored rows of the series' blocks, newest versions, with `IN_GAP`, from a height to before another."""


async def nothing_deeper(start: int, end: int) -> pl.DataFrame:
    """No blocks, whatever the heights: for a series without, and where none but the known ones are stored."""
    _ = start, end
    return NO_BLOCKS


@dataclass(frozen=True, slots=True)
class Series:
    """One stream of rows of a source: blocks of a chain, prices of a coin, commits of a repository.

    `name` is stable and unique, parts joined by colons: `evm_rpc:astar:blocks`. `every` is its own pace.
    `chain` is the chain's name where it belongs to one. `announced` says that its service tells by
    itself when it has moved (`SeriesSource.news`), `rarely` that it moves only when there is something new.
    `judged` is the table of those of its rows that may be doubted or set apart, empty without such; `pools` a
    pattern of what they are of, pools or assets, where the source has other series of that table.
    """

    name: str
    source: str
    every: timedelta
    chain: str = ""
    judged: str = ""
    pools: str = ""
    announced: bool = False
    rarely: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a series has come: every position up to and including `number` is stored.

    `number` is a block's height, or microseconds since 1970; `ts` its time; `detail` what the source needs
    besides, such as the block's hash.
    """

    number: int
    ts: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Positions from `start` to before `end` that could not be had, and why; `lost`: never will be."""

    start: int
    end: int
    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to be stored together with the position that they reach.

    `rows` holds a frame for each table of `core.tables`, in that table's contract; `panel` rows of the
    standard yield panel, which pass the quality rules before they are stored as yields. Rows that a source
    cannot use are its rows of `quarantine`. `cursor` is None
    where a batch does not move the series. `repairs` is true when the cursor may go back: a reorganisation
    below what counted as final. `gaps` are positions left out. `done` and `total` are positions, for
    progress. `now_only`: the panel is one snapshot of a service that tells only of now, of which a pool that
    says the same as within the hour before need not be stored again.
    """

    rows: Mapping[str, pl.DataFrame] = field(default_factory=lambda: NOTHING)
    panel: pl.DataFrame | None = None
    cursor: Cursor | None = None
    repairs: bool = False
    gaps: tuple[Gap, ...] = ()
    warnings: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    now_only: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to collect of a series: on from `cursor`, or from `since` when there is none yet.

    `until` ends a back-fill of a gap: positions before it. `known` gives rows of the series that are stored
    already, newest versions, where a source has to compare (recent blocks for reorganisations, with
    `IN_GAP`); `deeper` tells of blocks further down, for a fork that goes below those.
    """

    cursor: Cursor | None = None
    since: datetime | None = None
    until: int | None = None
    known: Mapping[str, pl.DataFrame] = field(default_factory=lambda: NOTHING)
    deeper: Deeper = nothing_deeper


class SeriesSource(LiveSource):
    """A service whose series are collected batch by batch, each batch stored before the next is asked for.

    The same `Wanted` against the same service gives the same rows, so that a batch whose writing was
    interrupted can simply be asked for again. Errors: TryAgain when the service fails for now, BadData for
    answers of another shape than documented, FixSettings for settings that are missing.

    `configured_by` are the variables that give it series, each enough by itself; <CHAIN> stands for a
    chain's name. `remembers` says that the service itself keeps its past and cannot edit it, as a chain does:
    its raw answers need not be kept for good.
    """

    configured_by: ClassVar[tuple[str, ...]] = ()
    remembers: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        """The source as the settings configure it; `http` must be open. Raises FixSettings."""

    def compares(self, series: Series) -> tuple[str, ...]:
        """Tables of which `Wanted.known` holds this source's rows, the newest version of each.

        Blocks of a chain are handed over without being named.
        """
        _ = series
        return ()

    @abstractmethod
    def series(self) -> list[Series]:
        """What the settings ask to follow; empty when the source is not configured."""

    def news(self, series: Series) -> AsyncGenerator[object, None]:
        """Something each time the service says that an announced series has moved; ends only by a fault.

        What is said is no row: it tells when to ask for batches.
        """
        raise NotImplementedError(series.name)

    @abstractmethod
    def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """Batches in rising order of position until the series is up to date."""
