"""Work on one repository counted by UTC day, in rising order, from lists that are read once."""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from defimon.core.errors import BadData, TryAgain
from defimon.core.units import start_of
from defimon.sources._github_pages import GitHubPages
from defimon.sources._http import StatusRefused

DAY = timedelta(days=1)
ISSUES_ARE_OFF = 410
"""What GitHub answers for the list of issues where a repository has them disabled."""

Item = Mapping[str, Any]


@dataclass(slots=True)
class Days:
    """Counts by day. `authors` are distinct ones; `issues` is None where the repository has none to count."""

    commits: Counter[date] = field(default_factory=Counter)
    authors: dict[date, set[str]] = field(default_factory=lambda: defaultdict(set))
    pull_requests: Counter[date] = field(default_factory=Counter)
    issues: Counter[date] | None = field(default_factory=Counter)
    releases: Counter[date] = field(default_factory=Counter)


class Activity:
    """Reads what happened from the day `start` on; windows are asked for in rising order, once each.

    Commits count on the day of their committer, as GitHub filters them, on the default branch. Issues and
    pull requests count on the day they were opened, releases on the day they were published.
    """

    def __init__(self, pages: GitHubPages, repository: str, start: date, has_issues: object = None) -> None:
        """`has_issues` is what GitHub says of the repository, where it says so."""
        self._pages, self._path, self._start = pages, f"/repos/{repository}", start
        self._has_issues = has_issues
        self._opened = self._items()
        self._ahead: list[tuple[date, bool]] = []
        self._issues_are_off = False
        self._releases: Counter[date] | None = None

    async def days(self, first: date, end: date) -> Days:
        """Counts of the days `first` to before `end`."""
        found = Days()
        await self._count_commits(found, first, end)
        await self._count_opened(found, end)
        if self._releases is None:
            self._releases = await self._published()
        found.releases = self._releases
        return found

    async def aclose(self) -> None:
        """Lets go of a list that was not read to its end."""
        await self._opened.aclose()

    async def _count_commits(self, found: Days, first: date, end: date) -> None:
        last = start_of(end) - timedelta(seconds=1)
        params = {"since": _stamp(start_of(first)), "until": _stamp(last)}
        seen: set[object] = set()
        async for page in self._pages.rows(f"{self._path}/commits", params):
            for one in _unseen(page, "sha", seen):
                commit = _part(one, "commit")
                day = _moment(_part(commit, "committer"), "date").date()
                if first <= day < end:
                    found.commits[day] += 1
                    found.authors[day].add(_author(one, commit))

    async def _count_opened(self, found: Days, end: date) -> None:
        """Takes what was opened before `end`; what comes after it stays for the next window."""
        ahead, self._ahead = self._ahead, []
        while True:
            for place, (day, is_pull_request) in enumerate(ahead):
                if day >= end:
                    self._ahead = ahead[place:]
                    break
                if is_pull_request:
                    found.pull_requests[day] += 1
                elif found.issues is not None:
                    found.issues[day] += 1
            if self._ahead:
                break
            try:
                ahead = await anext(self._opened)
            except StopAsyncIteration:
                break
        if self._issues_are_off:
            found.issues = None

    async def _items(self) -> AsyncGenerator[list[tuple[date, bool]], None]:
        """Days of opening in rising order, and whether of a pull request.

        `since` filters by the last change, so that everything opened since then is among the rows.
        """
        params = {"state": "all", "sort": "created", "since": _stamp(start_of(self._start))}
        seen: set[object] = set()
        try:
            rows = self._pages.rows(f"{self._path}/issues", {**params, "direction": "asc"})
            async with aclosing(rows) as pages:
                async for page in pages:
                    opened = map(_opened, _unseen(page, "number", seen))
                    yield [item for item in opened if item[0] >= self._start]
        except StatusRefused as refused:
            if refused.status != ISSUES_ARE_OFF:
                raise
            if self._has_issues is True:  # gone for a moment: believed, the days would never be counted
                raise TryAgain(
                    f"GitHub: {self._path} has issues, and their list is said to be gone."
                ) from refused
            self._issues_are_off = True
            yield await self._pull_requests()

    async def _pull_requests(self) -> list[tuple[date, bool]]:
        """As `_items` where issues are disabled: this list knows no `since` and is read newest first."""
        days: list[date] = []
        seen: set[object] = set()
        params = {"state": "all", "sort": "created", "direction": "desc"}
        async with aclosing(self._pages.rows(f"{self._path}/pulls", params)) as pages:
            async for page in pages:
                days += [_moment(one, "created_at").date() for one in _unseen(page, "number", seen)]
                if days and days[-1] < self._start:
                    break
        return [(day, True) for day in sorted(days) if day >= self._start]

    async def _published(self) -> Counter[date]:
        """Releases by day of publication: their list has its own order, so that it is read whole."""
        found: Counter[date] = Counter()
        seen: set[object] = set()
        async for page in self._pages.rows(f"{self._path}/releases", {}, remembered=True):
            published = filter(_is_published, _unseen(page, "id", seen))
            found.update(_moment(one, "published_at").date() for one in published)
        return found


def _unseen(page: Iterable[Item], name: str, seen: set[object]) -> list[Item]:
    """Rows of a page that came on none before, told apart by the field `name`; adds them to `seen`.

    A list that grows while it is read begins its next page with rows of the last one.
    """
    found = []
    for row in page:
        known = row.get(name)
        if not isinstance(known, int | str):
            raise BadData(f"GitHub: field {name}: found {repr(known)[:80]}, expected what tells rows apart.")
        if known not in seen:
            seen.add(known)
            found.append(row)
    return found


def _author(row: Item, commit: Item) -> str:
    """Who wrote a commit: the account, else the address or name in the commit."""
    account = row.get("author")
    if isinstance(account, Mapping) and account.get("login"):
        return f"@{account['login']}"
    written = _part(commit, "author")
    return str(written.get("email") or written.get("name") or "").lower()


def _opened(row: Item) -> tuple[date, bool]:
    return _moment(row, "created_at").date(), "pull_request" in row


def _is_published(release: Item) -> bool:
    """False for a draft, whose time is null."""
    if "published_at" not in release:
        raise BadData("GitHub: field published_at: absent, expected a time or null.")
    return release["published_at"] is not None


def _part(row: Item, name: str) -> Item:
    found = row.get(name)
    if not isinstance(found, Mapping):
        raise BadData(f"GitHub: field {name}: found {repr(found)[:80]}, expected an object.")
    return found


def _moment(row: Item, name: str) -> datetime:
    found = row.get(name)
    try:
        moment = datetime.fromisoformat(str(found))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadData(f"GitHub: field {name}: found {repr(found)[:80]}, expected such as 2011-04-22T13:33:48Z.")


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
