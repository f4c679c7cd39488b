"""What nodes say of the tag `finalized`: some do not know it, each in its own words."""

import re
from typing import Any

from defimon.sources._evm_words import Header, header
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of

NO_METHOD = -32601
INVALID_PARAMS = -32602
"""JSON-RPC 2.0: what a node says that knows no such tag, if it says it by the book."""

TAG = "finalized"

_NO_TAG = re.compile(
    r"finali[sz]ed|tag|block|number|hex|invalid|argument|param|pars|support|unknown|unmarshal|not found",
    re.IGNORECASE,
)
"""What else nodes say of a tag that they do not know: none agrees with another."""


def knows_no_tag(refusal: RpcError) -> bool:
    """Whether a node refuses the tag `finalized` itself, rather than to answer for now."""
    meaning = meaning_of(refusal)
    return meaning is Meaning.NEVER_HERE or (
        meaning is Meaning.FINAL and (refusal.code == INVALID_PARAMS or bool(_NO_TAG.search(refusal.reason)))
    )


def final_header(outcomes: list[Any]) -> list[Header]:
    """What a node says of the tag `finalized`; one that does not know it, or has no such block, is asked no
    further, and another one is.
    """
    (told,) = outcomes
    if isinstance(told, RpcError) and not knows_no_tag(told):
        raise told
    if told is None or isinstance(told, RpcError):
        refusal = RpcError(NO_METHOD, "it has no final block" if told is None else told.reason)
        refusal.method = TAG  # no failure of a node that is well
        raise refusal
    return [header(told)]
