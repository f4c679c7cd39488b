"""What readers of the API are told of faults of a worker."""

import pytest

from defimon.flows.shown_faults import MOST, shown_fault, shown_warnings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/defimon/models/v3/manifest.json: no JSON", "…/manifest.json: no JSON"),
        ("[Errno 2] No such file: '/home/u/trials.jsonl'", "[Errno 2] No such file: '…/trials.jsonl'"),
        ("folder=/srv/data/models, (/var/lib/x)", "folder=…/models, (…/x)"),
        ("sqlite:////srv/data/defimon.sqlite is locked", "sqlite://…/defimon.sqlite is locked"),
        ("https://api.llama.fi/v2/chains/x answered 500", "https://api.llama.fi/v2/chains/x answered 500"),
        ("pool young/one/two of 3/4, and/or 1 / 2 / 3", "pool young/one/two of 3/4, and/or 1 / 2 / 3"),
        ("first\n  /srv/a/second", "first"),
        ("given up, the last host-7:4711", "given up, the last a worker"),
        (
            "a mistake in the code: KeyError('/srv/x\\nsecret')",
            "a mistake in the code: KeyError; the worker's log tells more",
        ),
        ("", ""),
    ],
)
def test_a_fault_is_told_without_what_is_the_servers_own(text, shown):
    assert shown_fault(text, "host-7:4711") == shown


def test_a_fault_is_told_short():
    assert len(shown_fault("x" * 5_000)) == MOST + 1


def test_every_warning_is_told_without_folders():
    assert shown_warnings("v1: /srv/models/v1 is gone\nv2: fine") == "v1: …/v1 is gone\nv2: fine"


def test_a_fault_without_an_owner_is_told_as_it_is():
    assert shown_fault("it rained") == "it rained"
