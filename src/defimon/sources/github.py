"""GitHub: work on code repositories by UTC day.

Traps: commits are those of the default branch as it is now, so that a rewritten history changes days of the
past; the hourly allowance is 60 calls without a token and 5,000 with one; the statistics endpoints leave out
merges and are empty for large repositories, and search stops at 1,000 rows, so that neither is asked. Stars
and contributors are counts of this moment: the list of stargazers ends at 40,000 and lacks everyone who took
the star back, so that days of the past have none.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Self

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.core.tables import DEVELOPMENT_ACTIVITY
from defimon.core.units import EPOCH, start_of, utc_now
from defimon.sources._github_activity import DAY, Activity, Days
from defimon.sources._github_pages import GitHubPages, earlier_clock
from defimon.sources._http import Http
from defimon.sources._series import Batch, Cursor, Keep, Series, SeriesSource, Wanted

FIRST_DAYS = 30
"""Days that a new series goes back where nothing says how far."""

WINDOW_DAYS = 90
"""Days stored together: a busy repository's commits of a quarter are some tens of calls."""

MICROSECOND = timedelta(microseconds=1)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})/[a-z0-9._-]{1,100}", re.IGNORECASE)


class GitHub(SeriesSource):
    """Each repository in DEFIMON_REPOSITORIES; series `github:<owner/name>:activity`, a row a day.

    A day is written once it is over by GitHub's clock and by one's own. Stars and contributors stand only in
    the row of the last day that is over. Names are kept in lower case, since GitHub does not tell them apart.
    """

    name = "github"
    title = "GitHub"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = ("DEFIMON_REPOSITORIES",)

    def __init__(self, pages: GitHubPages, repositories: tuple[str, ...], every: timedelta) -> None:
        self._pages = pages
        self._every = every
        self._repositories = {f"{self.name}:{one}:activity": one for one in repositories}

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        for one in settings.repositories:
            if not _NAME.fullmatch(one) or one.partition("/")[2] in {".", ".."}:
                raise FixSettings(
                    f"{one[:80]!r} names no repository.",
                    variable="DEFIMON_REPOSITORIES",
                    remedy="Write owner/name, such as aave/aave-v3-core, separated by commas.",
                )
        pages = GitHubPages(http, settings.github_url, settings.github_token, keep)
        names = tuple(dict.fromkeys(one.lower() for one in settings.repositories))
        return cls(pages, names, timedelta(seconds=settings.development_every_s))

    def series(self) -> list[Series]:
        return [Series(name, self.name, self._every) for name in self._repositories]

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """Days after the cursor, or from `since`, or the last 30, to the last one that is over."""
        repository = self._repositories[series.name]
        about, answer = await self._pages.repository(repository)
        over = datetime.fromtimestamp(earlier_clock(answer), UTC).date()
        first, end = _asked_for(wanted, over)
        warnings = _renamed(about, repository)
        async with aclosing(Activity(self._pages, repository, first, about.get("has_issues"))) as activity:
            day = first
            while day < end:
                stop = min(day + WINDOW_DAYS * DAY, end)
                counts = await activity.days(day, stop)
                now = await self._now(about, repository) if stop == over else {}
                rows = _rows(repository, counts, day, stop, now)
                told = warnings + _not_counted(now, repository)
                yield Batch(
                    rows={"development_activity": rows},
                    cursor=_cursor(stop),
                    warnings=told,
                    done=(stop - first).days,
                    total=(end - first).days,
                )
                day, warnings = stop, ()

    async def _now(self, about: Mapping[str, Any], repository: str) -> dict[str, int | None]:
        """Counts of this moment."""
        stars = about.get("stargazers_count")
        if type(stars) is not int:
            raise BadData(f"{repository}: field stargazers_count: found {stars!r}, expected a count.")
        path = f"/repos/{repository}/contributors"
        return {"stars": stars, "contributors": await self._pages.count(path, {"anon": "true"})}


def _asked_for(wanted: Wanted, over: date) -> tuple[date, date]:
    """First day, and the day after the last; `over` is the day that is not over yet."""
    if wanted.cursor is not None:
        first = wanted.cursor.ts.astimezone(UTC).date()
    elif wanted.since is not None:
        first = wanted.since.astimezone(UTC).date()
    else:
        first = over - FIRST_DAYS * DAY
    if wanted.until is None:
        return first, over
    return first, min(over, (EPOCH + (wanted.until - 1) * MICROSECOND).date())


def _cursor(stop: date) -> Cursor:
    end = start_of(stop)
    return Cursor((end - EPOCH) // MICROSECOND, end)


def _rows(
    repository: str, counts: Days, first: date, stop: date, now: Mapping[str, int | None]
) -> pl.DataFrame:
    known_at = utc_now()
    days = [first + offset * DAY for offset in range((stop - first).days)]
    return DEVELOPMENT_ACTIVITY.rows(
        {
            "repository": repository,
            "ts": start_of(day + DAY),
            "commits": counts.commits[day],
            "authors": len(counts.authors.get(day, ())),
            "pull_requests": counts.pull_requests[day],
            "issues": None if counts.issues is None else counts.issues[day],
            "releases": counts.releases[day],
            "known_at": known_at,
            "source": GitHub.name,
            "origin": "observed",
            **(now if day + DAY == stop else {}),
        }
        for day in days
    )


def _renamed(about: Mapping[str, Any], repository: str) -> tuple[str, ...]:
    full = about.get("full_name")
    if isinstance(full, str) and full.lower() != repository:
        return (
            f"{repository} is called {full[:140]} at GitHub now; its rows keep the name in the settings.",
        )
    return ()


def _not_counted(now: Mapping[str, int | None], repository: str) -> tuple[str, ...]:
    if now and now["contributors"] is None:
        return (f"{repository}: GitHub does not list the contributors of so large a history.",)
    return ()
