"""What nodes mean when they refuse: each provider has its own words and few codes that agree."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from defimon.core.errors import BadData


class RpcError(BadData):
    """A node's refusal of one call: `code` and `reason` as it gave them, `data` such as revert bytes.

    `method` is what was called, empty where the refusal is of a whole batch. `unheard` says that it stands
    for all nodes although some did not answer.
    """

    def __init__(self, code: int, reason: str, data: object = None, *, where: str = "") -> None:
        super().__init__(f"{where}{': ' if where else ''}{reason} (code {code}).")
        self.code = code
        self.reason = reason
        self.data = data
        self.method = ""
        self.unheard = False


class Meaning(Enum):
    """What to do about a refusal."""

    FINAL = auto()
    """The call itself is refused: every node will say so."""
    SLOW_DOWN = auto()
    """Fewer calls, then the same again."""
    SMALLER_BATCH = auto()
    SMALLER_RANGE = auto()
    """Logs of fewer blocks at once."""
    ELSEWHERE = auto()
    """This node cannot now; another may."""
    NEVER_HERE = auto()
    """This node has no such method."""


_RATE = re.compile(
    r"rate.?limit|too many requests|requests? per|per second|throttl|compute units|capacity|slow down|"
    r"daily request|credits|quota",
    re.IGNORECASE,
)
_BATCH = re.compile(
    r"batch.{0,40}(limit|large|size|big|exceed|too many|max)|(too many|large|max\w*).{0,30}batch|"
    r"(response|content|request|payload|body).{0,20}(too (large|big)|size)|entity too large|"
    r"batch\w* requests?.{0,20}(not supported|disabled)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"range|more than [\d,_]+ (results|logs)|too many (results|logs|blocks)|query returned|"
    r"(results?|logs?|blocks?)\b.{0,30}\b(limit|exceed|large|max)|(limit|exceed|max)\w*\b.{0,30}"
    r"\b(results?|logs?|blocks?)|response size|timed? ?out|10,?000",
    re.IGNORECASE,
)
_NO_RANGE = re.compile(r"invalid (block )?range", re.IGNORECASE)
"""The range itself makes no sense: it begins after its end."""
_ELSEWHERE = re.compile(
    r"header not found|unknown block|block not found|missing trie|not (yet )?(available|synced)|"
    r"timed? ?out|busy|overload|temporar|pruned|state.{0,30}not available|could not be found|unavailable|"
    r"historical state|try again|unknownblock|already discarded|state.{0,20}discarded",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"beyond (the )?(current |latest )?head|ahead of|in the future|greater than (the )?(latest|current)|"
    r"after last accepted|not yet (mined|reached)|exceeds? (the )?(latest|current|head)",
    re.IGNORECASE,
)
"""A range that the node has not come to."""
_NO_METHOD = re.compile(
    r"method.{0,80}(not (found|supported|available|exist|enabled|allowed|whitelisted)|does not exist)|"
    r"(unsupported|unknown|unrecognized) method|not supported on",
    re.IGNORECASE,
)

SLOW_DOWN_CODES = frozenset({429, -32005, -32007, -32029, -32090, -32097})
"""Too many calls: -32005 is EIP-1474's "limit exceeded", -32007 QuickNode's; -32029 Alchemy's and Infura's
neighbours; -32090 and -32097 Ankr's and others' for their public nodes."""


def meaning_of(error: RpcError) -> Meaning:
    """What a refusal means; of eth_getLogs the words decide: a limit of results has the code of haste."""
    words, code = error.reason, error.code
    of_logs = error.method == "eth_getLogs"
    if of_logs and _AHEAD.search(words):
        return Meaning.ELSEWHERE
    if of_logs and _RANGE.search(words) and not (_RATE.search(words) or _NO_RANGE.search(words)):
        return Meaning.SMALLER_RANGE
    if code == 3 or "revert" in words.lower():
        return Meaning.FINAL
    rules = (
        (code == -32601 or bool(_NO_METHOD.search(words)), Meaning.NEVER_HERE),
        (bool(_BATCH.search(words)), Meaning.SMALLER_BATCH),
        (code in SLOW_DOWN_CODES or bool(_RATE.search(words)), Meaning.SLOW_DOWN),
        (code in {-32603, -32002, -32001} or bool(_ELSEWHERE.search(words)), Meaning.ELSEWHERE),
    )
    return next((meaning for holds, meaning in rules if holds), Meaning.FINAL)


@dataclass(frozen=True, slots=True)
class RangeHint:
    """What a refusal of a log range says of the range that would do.

    `blocks` is a limit that holds for any query; `suggested` how many blocks would do for this one.
    """

    blocks: int | None = None
    suggested: int | None = None


_SUGGESTED = re.compile(r"\[?\s*(0x[0-9a-f]+|\d+)\s*(?:,|-|to|\.\.)\s*(0x[0-9a-f]+|\d+)\s*\]", re.IGNORECASE)
_NUMBER = r"(\d[\d,_]*)\s*(k\b)?"
_AT_MOST = r"(?:limited to|up to|max\w*|limit\w*|exceed\w*|over|larger than|greater than|more than|at most)"
_LIMIT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_AT_MOST}[^\d\[]{{0,40}}{_NUMBER}[ -]*(?:blocks?|range|$|[.,;)])",
        rf"{_NUMBER}[ -]*blocks?\b",
        rf"range\D{{0,30}}{_NUMBER}",
    )
)
_OF_RESULTS = re.compile(r"[\d,_]+\s*k?\s*(results|logs|events|entries)", re.IGNORECASE)


def range_hint(words: str) -> RangeHint:
    """The limit or the range that a refusal names; both None where it names neither."""
    if found := _SUGGESTED.search(words):
        first, last = (int(part, 0) for part in found.groups())
        return RangeHint(suggested=last - first + 1) if last >= first else RangeHint()
    rest = _OF_RESULTS.sub("", words)
    for pattern in _LIMIT:
        if found := pattern.search(rest):
            digits, thousands = found.groups()
            blocks = int(re.sub(r"\D", "", digits)) * (1_000 if thousands else 1)
            return RangeHint(blocks=blocks) if blocks > 0 else RangeHint()
    return RangeHint()
