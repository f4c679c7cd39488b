"""A GitHub on loopback: hand-made repositories in the shapes that its REST documents give."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler

TODAY = datetime(2026, 3, 20, tzinfo=UTC)
"""What day it is at this GitHub."""


def show_its_date(monkeypatch, today=TODAY):
    """The loopback server tells this GitHub's time in its Date headers."""
    now = format_datetime(today + timedelta(hours=1), usegmt=True)
    monkeypatch.setattr(WSGIRequestHandler, "date_time_string", lambda *_: now)


def stamp(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def ago(days, hours=12):
    """A moment on the day so many days before today."""
    return TODAY - timedelta(days=days) + timedelta(hours=hours)


class Repository:
    """What one repository holds; each list in the order in which GitHub gives it."""

    def __init__(self, name):
        self.name = name
        self.full_name = name
        self.commits, self.items, self.releases, self.contributors = [], [], [], []
        self.stars = 0
        self.issues_are_off = False

    def commit(self, moment, login=None, email="dev@example.org"):
        self.commits.append(
            {
                "sha": f"{len(self.commits):040x}",
                "commit": {
                    "author": {"name": "Dev", "email": email, "date": stamp(moment - timedelta(days=3))},
                    "committer": {"name": "Dev", "email": email, "date": stamp(moment)},
                },
                "author": None if login is None else {"login": login, "id": 1},
            }
        )

    def issue(self, moment, *, updated=None, pull_request=False):
        self.items.append(
            {
                "number": len(self.items) + 1,
                "created_at": stamp(moment),
                "updated_at": stamp(updated or moment),
                **({"pull_request": {"merged_at": None}} if pull_request else {}),
            }
        )

    def release(self, moment):
        published = None if moment is None else stamp(moment)
        number = len(self.releases)
        self.releases.append({"id": number + 1, "tag_name": f"v{number}", "published_at": published})


def sample(name="acme/vault"):
    """A repository with work on some of its last days, and older work that was touched lately."""
    made = Repository(name)
    made.stars, made.contributors = 321, [{"login": f"c{place}"} for place in range(7)]
    for day, login in ((40, "ann"), (3, "ann"), (3, "bob"), (3, None), (2, None), (1, "ann"), (0, "ann")):
        made.commit(ago(day), login)
    made.commit(ago(2, hours=23), None, email="Other@example.org")
    made.issue(ago(400), updated=ago(1))
    made.issue(ago(3))
    made.issue(ago(3, hours=13), pull_request=True)
    made.issue(ago(1), updated=ago(0))
    made.issue(ago(0))
    made.release(ago(200))
    made.release(ago(2))
    made.release(None)
    return made


class PlayedGitHub:
    """Answers like GitHub, `per_page` rows at most; `faults` are played first, one a request."""

    def __init__(self, *repositories, token=None, per_page=2):
        self.repositories = {one.name: one for one in repositories}
        self.moved = {}
        self.token = token
        self.per_page = per_page
        self.faults = []
        self.requests = []
        self.calls_left = 10_000

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self.faults:
            return self.faults.pop(0)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return self.refusal(401, "Bad credentials")
        self.calls_left -= 1
        response = self.answer(request)
        response.headers["x-ratelimit-remaining"] = str(self.calls_left)
        return response

    @staticmethod
    def refusal(status, message, **headers):
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(json.dumps({"message": message}), status, shown, content_type="application/json")

    def asked(self):
        return [f"{one.path}?{one.query_string.decode()}" for one in self.requests]

    def answer(self, request):
        _, _, owner, name, *rest = request.path.split("/")
        full = f"{owner}/{name}"
        if full in self.moved:
            target = request.full_path.replace(full, self.moved[full], 1)
            return Response(status=301, headers={"Location": target})
        repository = self.repositories.get(full)
        if repository is None:
            return self.refusal(404, "Not Found")
        if not rest:
            about = {"full_name": repository.full_name, "stargazers_count": repository.stars}
            about["has_issues"] = not repository.issues_are_off
            return self.whole(request, about)
        return getattr(self, rest[0])(request, repository)

    def commits(self, request, repository):
        if not repository.commits:
            return self.refusal(409, "Git Repository is empty.")
        since, until = request.args["since"], request.args["until"]
        dated = [(one["commit"]["committer"]["date"], one) for one in repository.commits]
        chosen = [one for date, one in dated if since <= date <= until]
        return self.page(request, sorted(chosen, key=_committed, reverse=True))

    def issues(self, request, repository):
        if repository.issues_are_off:
            return self.refusal(410, "Issues are disabled for this repo")
        chosen = [one for one in repository.items if one["updated_at"] >= request.args["since"]]
        assert request.args["state"] == "all"
        return self.page(request, _in_order(chosen, request))

    def pulls(self, request, repository):
        return self.page(
            request, _in_order([one for one in repository.items if "pull_request" in one], request)
        )

    def releases(self, request, repository):
        return self.page(request, repository.releases)

    def contributors(self, request, repository):
        if not repository.contributors:
            return Response(status=204)
        return self.page(request, repository.contributors)

    def page(self, request, rows):
        size = min(int(request.args["per_page"]), self.per_page)
        place, last = int(request.args.get("page", 1)), max(1, -(-len(rows) // size))
        response = self.whole(request, rows[(place - 1) * size : place * size])
        links = {"next": place + 1, "last": last} if place < last else {"prev": place - 1, "first": 1}
        shown = {name: {**request.args.to_dict(), "page": page} for name, page in links.items()}
        response.headers["Link"] = ", ".join(
            f'<{request.base_url}?{urlencode(query)}>; rel="{name}"' for name, query in shown.items()
        )
        return response

    @staticmethod
    def whole(request, value):
        response = Response(json.dumps(value), 200, content_type="application/json; charset=utf-8")
        response.add_etag()
        return response.make_conditional(request)


def _committed(row):
    return row["commit"]["committer"]["date"]


def _in_order(rows, request):
    assert request.args["sort"] == "created"
    reverse = request.args["direction"] == "desc"
    return sorted(rows, key=lambda row: row["created_at"], reverse=reverse)
