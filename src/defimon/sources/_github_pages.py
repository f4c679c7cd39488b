"""GitHub's REST API page by page: answers of the documented shape, links followed, refusals told apart."""

import re
from collections.abc import AsyncGenerator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from pydantic import SecretStr

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.units import utc_now
from defimon.sources._addresses import plain_key
from defimon.sources._answer import Answer
from defimon.sources._http import Http, StatusRefused
from defimon.sources._retrying import Passing
from defimon.sources._series import Keep

VERSION = "2022-11-28"
"""Of the API, as its documents ask to name it in X-GitHub-Api-Version."""

PER_PAGE = 100
"""The most that a page may hold."""

MOST_PAGES = 2_000
"""Longest chain of links that is followed: 200,000 rows, over what any repository gains in a window."""

_LINK = re.compile(r'<([^<>]+)>\s*;[^,<]*?\brel="?(\w+)"?')

NO_CONTENT, CONFLICT = 204, 409
GONE = {404: "it does not exist, is private or was deleted", 451: "it is withheld for legal reasons"}
REMEDY = "Check the name in DEFIMON_REPOSITORIES; a private one needs a token that may read it."

Params = Mapping[str, str | int]


class GitHubPages:
    """Asks one GitHub; `http` must be open. Raises FixSettings for an address or a token that cannot be."""

    def __init__(self, http: Http, url: str, token: SecretStr | None, keep: Keep) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise FixSettings(
                "DEFIMON_GITHUB_URL is no http or https address.",
                variable="DEFIMON_GITHUB_URL",
                remedy="Leave it out to use https://api.github.com.",
            )
        secret = plain_key(token, "DEFIMON_GITHUB_TOKEN")
        self._http, self._keep = http, keep
        self._url, self._origin = url.rstrip("/"), (parts.scheme, parts.netloc)
        self._headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
        if secret:
            self._headers["Authorization"] = f"Bearer {secret}"

    async def repository(self, name: str) -> tuple[Mapping[str, Any], Answer]:
        """What is said of the repository now; a renamed one is followed to its new name.

        Raises BadData that says why where it is gone.
        """
        try:
            value, answer = await self._asked(f"{self._url}/repos/{name}")
        except StatusRefused as refused:
            if refused.status in GONE:
                raise BadData(f"{name} at GitHub: {GONE[refused.status]}.", remedy=REMEDY) from refused
            raise
        if not isinstance(value, Mapping):
            raise BadData(f"{answer.url}: found {type(value).__name__}, expected an object.")
        return value, answer

    async def rows(
        self, path: str, params: Params, *, remembered: bool = False
    ) -> AsyncGenerator[list[Mapping[str, Any]], None]:
        """Pages of a list in the server's order, one after the other along its links.

        A repository without a commit has none. `remembered` pages are asked for again only if they changed.
        Raises StatusRefused, TryAgain, BadData.
        """
        url = f"{self._url}{path}?{urlencode({'per_page': PER_PAGE, **params})}"
        for _ in range(MOST_PAGES):
            try:
                value, answer = await self._asked(url, remembered=remembered)
            except StatusRefused as refused:
                if refused.status in {NO_CONTENT, CONFLICT}:  # "Git Repository is empty."
                    return
                raise
            yield _list_of_objects(value, answer.url)
            if not (following := self._related(answer, "next")):
                return
            url = following
        raise BadData(f"{self._url}{path}: over {MOST_PAGES} pages.")

    async def count(self, path: str, params: Params) -> int | None:
        """How many rows a list has, from the number of its last page; None where GitHub will not say.

        It refuses to list the contributors of the largest repositories, with a bare 403.
        """
        url = f"{self._url}{path}?{urlencode({**params, 'per_page': 1})}"
        try:
            value, answer = await self._asked(url)
        except StatusRefused as refused:
            if refused.status in {NO_CONTENT, CONFLICT}:
                return 0
            raise
        except TryAgain as fault:
            cause = fault.__cause__
            if isinstance(cause, Passing) and str(cause) == "status 403" and cause.wait_s is None:
                return None
            raise
        if not (last := self._related(answer, "last")):
            return len(_list_of_objects(value, answer.url))
        pages = parse_qs(urlsplit(last).query).get("page", [""])[-1]
        if not pages.isdecimal():
            raise BadData(f"{answer.url}: the link to the last page names no page.")
        return int(pages)

    async def _asked(self, url: str, *, remembered: bool = True) -> tuple[object, Answer]:
        """With a token, an unchanged answer costs nothing of the hourly allowance."""
        cache = self._http.memory.answers if remembered else None
        value, answer = await self._http.get_json(url, self._headers, cache=cache)
        self._keep(answer)
        return value, answer

    def _related(self, answer: Answer, relation: str) -> str:
        """Address of a related page, or an empty text. The token goes to no other host than the one set."""
        links: dict[str, str] = {one[2]: one[1] for one in _LINK.finditer(answer.headers.get("link", ""))}
        if relation not in links:
            return ""
        url = urljoin(f"{self._url}/", links[relation])
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) != self._origin:
            raise BadData(f"{answer.url}: a link leads to another host, {parts.netloc[:80]!r}.")
        return url


def earlier_clock(answer: Answer) -> float:
    """Seconds since 1970 by the earlier of the server's clock and one's own: a day is over on both."""
    own = utc_now().timestamp()
    try:
        return min(own, parsedate_to_datetime(answer.headers.get("date", "")).timestamp())
    except (ValueError, TypeError):
        return own


def _list_of_objects(value: object, where: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise BadData(f"{where}: found {type(value).__name__}, expected a list of objects.")
    return value
