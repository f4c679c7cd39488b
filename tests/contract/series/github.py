"""A repository at a GitHub on loopback, with a token."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "sources"))  # so that the played service can be imported

from played_github import TODAY, PlayedGitHub, sample, show_its_date

SECRETS = ("ghp_0123456789abcdefABCDEF0123456789abcd",)
SINCE = TODAY.replace(year=TODAY.year - 1)


def serve(httpserver, monkeypatch):
    show_its_date(monkeypatch)
    httpserver.expect_request("").respond_with_handler(PlayedGitHub(sample(), token=SECRETS[0]))
    httpserver.handlers[-1].matcher.match = lambda _: True
    return {
        "repositories": ("acme/vault",),
        "github_url": httpserver.url_for("/"),
        "github_token": SECRETS[0],
    }
