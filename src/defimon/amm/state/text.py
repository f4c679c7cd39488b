"""JSON text into plain values, refusing what JSON leaves open and what no state needs."""

import json
import math
from typing import Any, NoReturn

from defimon.amm.pools._errors import BadState

MOST_BYTES = 32 * 1024 * 1024
"""A thousand pools of a hundred ticks need 10 MB; parsed, 32 MiB of JSON stay below 1 GB of memory."""

MOST_DEPTH = 16
"""A state is nested 6 deep, a recording 7."""

MOST_DIGITS = 80
"""Of one number: any uint256 has at most 78, and Python refuses to read integers of over 4,300."""


def parse(text: str | bytes, *, name: str = "state") -> Any:
    """Values of a JSON text. Raises BadState, which names the place, for text that is not strict JSON.

    Refused besides: a key that stands twice in one object, NaN and infinities, numbers of more than 80
    digits, nesting deeper than 16, half characters (lone surrogates), and more than 32 MiB.
    """
    if len(text) > MOST_BYTES:
        raise BadState(f"{name} has more than {MOST_BYTES >> 20} MiB.", remedy="Split it into several files.")
    try:
        plain = text if isinstance(text, str) else text.decode("utf-8-sig")
        value = json.loads(
            plain,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadState(
            f"{name} is not JSON: {error.msg} at {place}.", remedy="Mend the text there."
        ) from None
    except UnicodeDecodeError as error:
        raise BadState(
            f"{name} is not UTF-8 at byte {error.start}.", remedy="Save it as UTF-8 text."
        ) from None
    except RecursionError:
        raise _too_deep(name) from None
    except BadState as error:
        raise BadState(f"{name}: {error.message}", remedy=error.remedy) from None
    _sound(value, name)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadState(f"the key {twice[:60]!r} stands twice in one object.", remedy="Keep one of them.")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise BadState(f"{word} is no number of JSON.", remedy="Write a number, or leave the field out.")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise BadState(
            f"a number has {len(digits)} digits.", remedy=f"No number on chain has over {MOST_DIGITS}."
        )
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadState(f"the number {digits[:60]} is too large.", remedy="Write integers digit by digit.")
    return value


def _sound(value: object, name: str) -> None:
    """Walks without recursion, so that deep nesting is found before anything else stumbles over it."""
    level: list[object] = [value]
    for depth in range(MOST_DEPTH + 1):
        below: list[object] = []
        for one in level:
            if depth == MOST_DEPTH and isinstance(one, dict | list):
                raise _too_deep(name)
            if isinstance(one, dict):
                below.extend(one)
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
            elif isinstance(one, str) and not one.isascii():
                _whole_characters(one, name)
        level = below


def _whole_characters(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadState(
            f"{name} holds the text {ascii(text)[:60]}, which has half a character.",
            remedy="Write a surrogate pair whole, or the character itself.",
        ) from None


def _too_deep(name: str) -> BadState:
    return BadState(f"{name} is nested deeper than {MOST_DEPTH}.", remedy="docs/pools.md shows the shape.")
