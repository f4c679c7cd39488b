"""A seeded GitHub: commits, issues, pull requests and releases of one repository, page by page."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit
from zlib import crc32

import orjson
from numpy.random import default_rng
from seeded_faults import FAULTS
from seeded_server import Reply
from seeded_web import WebService

NAME = "owner/code"
KINDS = (*FAULTS, "computing", "no_list", "no_field", "spent_limit")
BEFORE = timedelta(days=6)


class GitHubService(WebService):
    """`most` rows a page, however many are asked for; an ETag by content, honoured."""

    source = "github"
    places = ("github",)
    kinds = KINDS

    def __init__(self, seed, rng, start):
        super().__init__(seed, rng, start)
        self.most = int(rng.choice([2, 5, 100]))
        self.has_issues = rng.random() < 0.8
        dice = default_rng([seed, 31])
        self.events = sorted(
            (start - BEFORE + timedelta(seconds=int(dice.integers(0, 8 * 86_400))), int(dice.integers(0, 4)))
            for _ in range(int(rng.integers(0, 25)))
        )

    def environment(self, server, rng=None):
        return {"DEFIMON_GITHUB_URL": self.url(server, "github", rng), "DEFIMON_REPOSITORIES": NAME}

    def true_answer(self, asked, _, fault):
        parts = urlsplit(asked.target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        what = parts.path.removeprefix(f"/repos/{NAME}").strip("/")
        if fault == "computing":
            return Reply(b"{}", 202)
        if fault == "spent_limit":
            reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(self.now.timestamp()) + 1)}
            return Reply(b'{"message": "API rate limit exceeded"}', 403, reset)
        if not what:
            told = {"full_name": NAME, "stargazers_count": 12, "has_issues": self.has_issues}
            return _tagged(asked, told)
        if what == "issues" and not self.has_issues:
            return Reply(b'{"message": "Issues are disabled for this repo"}', 410)
        rows = self.rows(what, query)
        if fault == "no_list":
            return _tagged(asked, {"message": "Server Error"})
        if fault == "no_field":
            rows = [{"id": 1} for _ in rows]
        return self.page(asked, parts, query, rows)

    def page(self, asked, parts, query, rows):
        size = min(int(query.get("per_page", 30)), self.most)
        number, last = int(query.get("page", 1)), max(1, -(-len(rows) // size))
        links = [("next", number + 1), ("last", last)] if number < last else []
        address = f"http://{asked.headers['host']}{parts.path}"
        told = ", ".join(
            f'<{address}?{urlencode({**query, "page": page})}>; rel="{name}"' for name, page in links
        )
        return _tagged(asked, rows[(number - 1) * size : number * size], {"Link": told} if told else {})

    def rows(self, what, query):
        happened = [(at, kind, number) for number, (at, kind) in enumerate(self.events) if at <= self.now]
        since = datetime.fromisoformat(query["since"]) if "since" in query else None
        until = datetime.fromisoformat(query["until"]) if "until" in query else None
        kinds = {"commits": {0}, "issues": {1, 2}, "pulls": {2}, "releases": {3}, "contributors": {0}}[what]
        inside = [
            one for one in happened
            if one[1] in kinds and (not since or one[0] >= since) and (not until or one[0] <= until)
        ]  # fmt: skip
        rows = [_row(what, *one) for one in inside]
        return rows if query.get("direction") == "asc" else rows[::-1]


def _row(what, at, kind, number):
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if what == "commits":
        who = {"name": "Ada", "email": f"{at.day % 3}@example.org", "date": stamp}
        return {"sha": f"{number:040x}", "commit": {"author": who, "committer": who}, "author": None}
    if what == "releases":
        return {"id": number, "published_at": stamp}
    return {"number": number, "created_at": stamp, **({"pull_request": {}} if kind == 2 else {})}


def _tagged(asked, value, headers=None):
    body = orjson.dumps(value)
    tag = f'"{crc32(body)}"'
    if asked.headers.get("if-none-match") == tag:
        return Reply(b"", 304, {"ETag": tag, **(headers or {})})
    return Reply(body, headers={"ETag": tag, **(headers or {})})
