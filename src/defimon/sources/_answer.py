"""What a service answered, and the place where an answer may be kept for the next time it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: the address with secrets masked, the decoded body, and when it had arrived (UTC).

    `headers` have names in lower case. `unchanged` says that the server called the kept body still true.
    """

    url: str
    body: bytes
    content_type: str
    fetched_at: datetime
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unchanged: bool = False


class AnswerCache(Protocol):
    """Keeps answers by a name that holds no secret, so that a server need not send them again."""

    def get(self, name: str, /) -> Answer | None:
        """The answer kept under `name`."""

    def __setitem__(self, name: str, answer: Answer, /) -> None:
        """Keeps an answer whose headers hold an ETag or Last-Modified."""
