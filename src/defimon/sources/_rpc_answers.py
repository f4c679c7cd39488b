"""JSON-RPC answers paired with their questions: by id alone, and never wrongly.

Source: JSON-RPC 2.0, sections 5 and 6.
"""

import re
from collections.abc import Collection, Mapping

from defimon.core.errors import TryAgain
from defimon.sources._masking import scrubbed
from defimon.sources._rpc_refusals import RpcError

SHOWN_CHARACTERS = 200


class Unsound(TryAgain):
    """An answer that cannot be right, from a node that may do better, or worse than another."""


def matched(value: object, ids: Collection[int], url: str = "") -> dict[int, object | RpcError]:
    """Results and refusals of a batch by the id of their question; a question without an answer is absent.

    `url` is where it was asked: its secrets are taken out of what is said. Raises RpcError when one error
    stands for the whole batch, and Unsound for what is no answer to these questions: another shape, an
    unknown id, an id twice.
    """
    if isinstance(value, dict):
        value = [value]
        if isinstance(refusal := _outcome(value[0], url), RpcError) and question_of(value[0]) not in ids:
            raise refusal
    if not isinstance(value, list):
        raise Unsound(f"no JSON-RPC answer but {shown(value, url)}.")
    found: dict[int, object | RpcError] = {}
    nameless: RpcError | None = None
    for member in value:
        outcome = _outcome(member, url)
        number = question_of(member)
        if number is None and isinstance(outcome, RpcError):
            nameless = outcome  # it names no question; that question counts as unanswered
            continue
        if number is None or number not in ids:
            asked = shown(member.get("id"), url)
            raise Unsound(f"an answer to a question that was not asked (id {asked}).")
        if number in found:
            raise Unsound(f"two answers to one question (id {number}).")
        found[number] = outcome
    if nameless is not None and not found:
        raise nameless
    return found


def question_of(member: object) -> int | None:
    """The id that a member answers, None without a number; some servers send it back as text."""
    number = member.get("id") if isinstance(member, Mapping) else None
    if isinstance(number, str) and re.fullmatch(r"[0-9]{1,18}", number):
        return int(number)
    return number if type(number) is int else None


def _outcome(member: object, url: str) -> object | RpcError:
    if not isinstance(member, Mapping):
        raise Unsound(f"no JSON-RPC answer but {shown(member, url)}.")
    error = member.get("error")
    if error is not None:
        return refusal_of(error, url)
    if "result" not in member:
        raise Unsound(f"neither result nor error in {shown(member, url)}.")
    return without_secrets(member["result"], url)


def refusal_of(error: object, url: str) -> RpcError:
    """The refusal that an error object tells; providers send text or odd codes there as well."""
    if not isinstance(error, Mapping):
        return RpcError(0, scrubbed(repr(error), url)[:SHOWN_CHARACTERS])
    code, words = error.get("code"), error.get("message")
    data = error.get("data")
    told = words if isinstance(words, str) else repr(words)
    if isinstance(data, str) and data and not data.startswith("0x"):
        told = f"{told}: {data}"
    return RpcError(code if type(code) is int else 0, scrubbed(told, url)[:SHOWN_CHARACTERS], data)


def shown(value: object, url: str) -> str:
    """A value as an error may show it."""
    return scrubbed(repr(value), url)[:SHOWN_CHARACTERS]


def without_secrets(result: object, url: str) -> object:
    """A result as it came; words in its place hold no secret, since whoever reads them may show them."""
    if isinstance(result, str) and not result.startswith("0x"):
        return scrubbed(result, url)
    return result
