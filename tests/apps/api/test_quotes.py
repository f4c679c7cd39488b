"""Quotes of a posted state: what is asked in a wrong way, and what asks for too much."""

import copy
import json

import pytest

from defimon.apps.api.routes.quotes import EXAMPLE


def changed(place, value):
    """The example with another value at a place such as pools.0.id of its state."""
    asked = copy.deepcopy(EXAMPLE)
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    inner = asked["state"]
    for part in way:
        inner = inner[part]
    inner[last] = value
    return asked


def posted(client, path, asked):
    """As any program may write it: half characters as JSON's own escapes."""
    body = json.dumps(asked).encode()
    return client.post(path, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/quotes/curve"])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("chain_id", 1 << 64), ("pools.0.id", "\ud800"), ("tokens.0.symbol", "\ud800"),
        ("tokens.0.id", "\ud800"), ("pools.0.tokens.1", "\udfff"),
    ],
)  # fmt: skip
def test_a_state_that_no_answer_could_repeat_is_refused_by_its_field(client, path, place, value):
    answer = posted(client, path, changed(place, value))
    assert answer.status_code == 422
    words = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in place.split("."))
    assert f"state{words}" in answer.json()["detail"]


def test_the_largest_chain_id_is_repeated(client):
    most = (1 << 64) - 1
    assert posted(client, "/v1/quotes", changed("chain_id", most)).json()["chain_id"] == most
