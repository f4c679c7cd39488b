"""Random changes of JSON texts, of their bytes and of their trees."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from numpy.random import Generator

WORDS = (
    b"NaN", b"-Infinity", b"1e999", b"1e5", b"0.5", b"-", b"-0", b"00", b"[" * 40, b"]", b"{", b"}", b",",
    b":", b'"', b"null", b"true", b"9" * 90, b"9" * 5_000, b'"\\ud800"', b"\xff", b"\xef\xbb\xbf",
    b'"\\u0000"', b"\xed\xa0\x80", b"\\", b"[" * 3_000, b'{"a":' * 3_000, b'"a":1,"a":2,',
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 255, 1_000_000, 10**18, 1 << 96, (1 << 112) - 1, 1 << 112, 1 << 128,
    (1 << 160) - 1, (1 << 255) - 1, 1 << 255, (1 << 256) - 1, 1 << 256, 10**79, "", "0", "-0", "01", "+1",
    "1_0", "1e3", " 1", "\u0663", "all", "x" * 300, [], {}, [[]], [0], [["0", "0", "0"]], 1.5, 1e300, "0/0",
    "1/3", "-887272", "887272", "4295128739", "\u202e", "constant_product", "concentrated", "stable_swap",
    "weighted",
)  # fmt: skip

Place = tuple[Any, Any]
"""A container and the key or index of one of its members."""


def mutate(corpus: list[bytes], rng: Generator) -> bytes:
    """One input of the corpus, changed in one to four places."""
    raw = corpus[int(rng.integers(len(corpus)))]
    changes = min(int(rng.geometric(0.6)), 4)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict | list) or rng.random() < 0.2:
        for _ in range(changes):
            raw = _bytes(raw, corpus, rng)
        return raw
    for _ in range(changes):
        _tree(document, corpus, rng)
    return json.dumps(document).encode()


def _bytes(raw: bytes, corpus: list[bytes], rng: Generator) -> bytes:
    start, end = sorted(int(place) for place in rng.integers(len(raw) + 1, size=2))
    end = min(end, start + int(rng.integers(1, 200)))
    change = int(rng.integers(6))
    if change == 0:
        return raw[:start] + WORDS[int(rng.integers(len(WORDS)))] + raw[start:]
    if change == 1:
        return raw[:start] + WORDS[int(rng.integers(len(WORDS)))] + raw[end:]
    if change == 2:
        return raw[:start] + raw[end:]
    if change == 3:
        return raw[:end] + raw[start:end] + raw[end:]
    if change == 4:
        return raw[:start] + rng.bytes(1) + raw[start + 1 :]
    other = corpus[int(rng.integers(len(corpus)))]
    return raw[:start] + other[start:]


def _places(value: Any) -> Iterator[Place]:
    """Every member of every container, without recursion."""
    level = [value]
    while level:
        one = level.pop()
        members = one.items() if isinstance(one, dict) else enumerate(one)
        for key, member in members:
            yield one, key
            if isinstance(member, dict | list):
                level.append(member)


def _pick(document: Any, rng: Generator) -> Place | None:
    """A member: half of the time one that stands high, since ticks and quotes outnumber what matters more."""
    places = list(_places(document))
    if not places:
        return None
    most = len(places) if rng.random() < 0.5 else min(len(places), 40)
    return places[int(rng.integers(most))]


def _tree(document: Any, corpus: list[bytes], rng: Generator) -> None:
    found = _pick(document, rng)
    if found is None:
        return
    holder, key = found
    change = int(rng.integers(8))
    if change == 0:
        holder.pop(key)
    elif change in {1, 2}:
        # A copy: the lists among them would otherwise come to hold each other, and themselves.
        holder[key] = deepcopy(VALUES[int(rng.integers(len(VALUES)))])
    elif change in {3, 4, 5}:
        holder[key] = _number_near(holder[key], rng)
    elif change == 6:
        other = _pick(document, rng) or found
        holder[key] = json.loads(json.dumps(other[0][other[1]]))
    elif isinstance(holder, list):
        holder.insert(int(rng.integers(len(holder) + 1)), json.loads(json.dumps(holder[key])))
    else:
        _graft(holder, key, corpus, rng)


def _number_near(value: Any, rng: Generator) -> Any:
    """A number a little or far away, as text where it was text; anything else wrapped into a list."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return [value]
    near = (
        number + int(rng.integers(-2, 3)), -number, number * 2, number // 2, number * 10**12, number // 10**6,
        number + int(rng.integers(-1000, 1000)), int(2 ** (rng.random() * 256)),
        number ^ 1 << int(rng.integers(200)),
    )  # fmt: skip
    chosen = near[int(rng.integers(len(near)))]
    return str(chosen) if isinstance(value, str) else chosen


def _graft(holder: dict[str, Any], key: str, corpus: list[bytes], rng: Generator) -> None:
    """A member of another input under the same name, else another name."""
    try:
        other = json.loads(corpus[int(rng.integers(len(corpus)))])
    except (ValueError, RecursionError):
        return
    for container, name in _places(other) if isinstance(other, dict | list) else ():
        if name == key:
            holder[key] = container[name]
            return
    holder[f"{key}_"] = holder.pop(key)
