"""JSON-RPC answers paired with their questions: by id alone, and never wrongly.

Source: JSON-RPC 2.0, sections 5 and 6.
"""

from collections.abc import Collection, Mapping

from defimon.core.errors import TryAgain
from defimon.sources._rpc_refusals import RpcError

SHOWN_CHARACTERS = 200


class Unsound(TryAgain):
    """An answer that cannot be right, from a node that may do better, or worse than another."""


def matched(value: object, ids: Collection[int]) -> dict[int, object | RpcError]:
    """Results and refusals of a batch by the id of their question; a question without an answer is absent.

    Raises RpcError when one error stands for the whole batch, and Unsound for what is no answer to these
    questions: another shape, an unknown id, an id twice.
    """
    if isinstance(value, dict):
        value = [value]
        if isinstance(refusal := _outcome(value[0]), RpcError) and value[0].get("id") not in ids:
            raise refusal
    if not isinstance(value, list):
        raise Unsound(f"no JSON-RPC answer but {_shown(value)}.")
    found: dict[int, object | RpcError] = {}
    for member in value:
        outcome = _outcome(member)
        number = member["id"] if isinstance(member, dict) and "id" in member else None
        if number is None and isinstance(outcome, RpcError):
            if len(value) == 1:
                raise outcome
            continue  # it names no question; that question counts as unanswered
        if type(number) is not int or number not in ids:
            raise Unsound(f"an answer to a question that was not asked (id {_shown(number)}).")
        if number in found:
            raise Unsound(f"two answers to one question (id {number}).")
        found[number] = outcome
    return found


def _outcome(member: object) -> object | RpcError:
    if not isinstance(member, Mapping):
        raise Unsound(f"no JSON-RPC answer but {_shown(member)}.")
    error = member.get("error")
    if error is not None:
        return refusal_of(error)
    if "result" not in member:
        raise Unsound(f"neither result nor error in {_shown(member)}.")
    result: object = member["result"]
    return result


def refusal_of(error: object) -> RpcError:
    """The refusal that an error object tells; providers send text or odd codes there as well."""
    if not isinstance(error, Mapping):
        return RpcError(0, _shown(error))
    code, words = error.get("code"), error.get("message")
    data = error.get("data")
    shown = words if isinstance(words, str) else _shown(words)
    if isinstance(data, str) and data and not data.startswith("0x"):
        shown = f"{shown}: {data}"
    return RpcError(code if type(code) is int else 0, shown[:SHOWN_CHARACTERS], data)


def _shown(value: object) -> str:
    return repr(value)[:SHOWN_CHARACTERS]
