"""The walk-forward itself: every model fitted and asked fold by fold, in parallel, resumable."""

import shutil
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from pathlib import Path

import polars as pl

from defimon.core.provenance import code_version, text_hash
from defimon.evaluation.splits import Fold
from defimon.flows.prepare import Prepared
from defimon.flows.train import RAW_QUANTILES, ModelSpec, forecast_fold
from defimon.models._base import FAMILY as MODELS
from defimon.models._base import Fitting

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


def silent(_what: str, _done: int, _all: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fit and the forecasts that follow from it."""

    target: str
    spec: ModelSpec
    fold: Fold

    def path(self, folder: Path) -> Path:
        model = str(self.spec).replace(":", "-")
        return folder / f"{self.target}.{model}.{self.fold.first}.{self.fold.last}.parquet"


def raw_forecasts(
    prepared: Mapping[str, Prepared],
    specs: Sequence[ModelSpec],
    folds: Sequence[Fold],
    *,
    fitting: Fitting,
    processes: int,
    folder: Path,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Forecasts of every target, model and fold, before intervals are calibrated.

    Columns `target, model, refit_at, scored, row, point, volatility`, RAW_QUANTILES, `fell_back`;
    `row` is the place in that target's prepared table. Each step is kept in `folder` (one per data, settings,
    code and libraries, see `run_folder`), so that an interrupted walk goes on where it was. `processes` does
    not change the result. What `progress` raises ends the walk, and the processes that took its steps.
    """
    steps = [
        Step(name, spec, fold)
        for fold in folds
        for name in prepared
        for spec in specs
        if prepared[name].target.kind in spec.learns()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [step for step in steps if not step.path(folder).exists()]
    progress("fitting", len(steps) - len(waiting), len(steps))
    with closing(_in_parallel(prepared, waiting, fitting, processes, folder)) as taken:
        for done, _ in enumerate(taken, start=1):
            progress("fitting", len(steps) - len(waiting) + done, len(steps))
    return pl.concat([_labelled(step, folder) for step in steps]).sort("target", "model", "refit_at", "row")


def run_folder(root: Path, prepared: Mapping[str, Prepared], *settings: object) -> Path:
    """Folder of the steps that share what models are given, settings, code and libraries; a change of any is
    another folder. Features and targets of plug-ins count by what they gave, models by their version.
    """
    given = [one.fingerprint() for one in prepared.values()]
    return root / RUNS / text_hash(code_version(), *_libraries(), *given, *settings)[:16]


def forget_old_runs(root: Path, now: float) -> int:
    """Remove the steps of walks into which nothing was written for KEPT_DAYS before `now` (seconds since
    1970); how many walks that were. They are made again when somebody asks.
    """
    old = [
        run
        for run in (root / RUNS).glob("*")
        if run.is_dir() and not run.is_symlink() and run.stat().st_mtime < now - KEPT_DAYS * 86_400
    ]
    for run in old:
        shutil.rmtree(run, ignore_errors=True)
    return len(old)


RUNS = "evaluations"
KEPT_DAYS = 30
"""Each day's forecasts leave a hundred files; nobody waits a month to take a walk up again."""

LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost", "xgboost-cpu", "torch")
"""Distributions whose version can change what a fit gives."""


def _libraries() -> list[str]:
    """Name and version of the libraries that fit, and of every distribution with a model."""
    names = {*LIBRARIES, *(point.dist.name for point in entry_points(group=MODELS.package) if point.dist)}
    versions = {dist.name: dist.version for dist in map(_distribution, sorted(names)) if dist is not None}
    return [f"{name} {version}" for name, version in versions.items()]


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _in_parallel(
    prepared: Mapping[str, Prepared],
    steps: Sequence[Step],
    fitting: Fitting,
    processes: int,
    folder: Path,
) -> Generator[None]:
    from joblib import Parallel, delayed

    workers = min(processes, len(steps)) or 1
    tasks = (delayed(_take)(prepared[step.target], step, fitting, folder) for step in steps)
    taken = Parallel(
        n_jobs=workers, backend="loky", return_as="generator_unordered", pre_dispatch=2 * workers
    )(tasks)
    try:
        for one in taken:  # noqa: UP028 - so that what is raised at the yield comes here first
            yield one
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # joblib tells of steps that are given up
            taken.close()


def _take(prepared: Prepared, step: Step, fitting: Fitting, folder: Path) -> None:
    """Do one step and keep its forecasts; the rename makes the file appear whole or not at all."""
    path = step.path(folder)
    partial = path.with_suffix(".partial")
    forecast_fold(prepared, step.spec, step.fold, fitting).write_parquet(partial)
    partial.replace(path)


def _labelled(step: Step, folder: Path) -> pl.DataFrame:
    return pl.read_parquet(step.path(folder)).select(
        pl.lit(step.target).alias("target"),
        pl.lit(str(step.spec)).alias("model"),
        pl.lit(step.fold.first).alias("refit_at"),
        pl.lit(step.fold.scored).alias("scored"),
        "row",
        "point",
        "volatility",
        *RAW_QUANTILES,
        "fell_back",
    )
