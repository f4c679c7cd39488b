"""What routes take: moments, pages, names."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field

from defimon.flows.not_known import NotKnown

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Nothing is known of other times; they are read as these."""


def _moment(value: object) -> object:
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        message = "a time as RFC 3339 has it, with a zone: 2026-01-31T00:00:00Z"
        raise ValueError(message)
    return value


def whole(value: object) -> object:
    """JSON has one kind of number: 7.0 is 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _within(moment: datetime) -> datetime:
    return min(max(moment, EARLIEST), LATEST)


Moment = Annotated[datetime, BeforeValidator(_moment)]
WRITABLE = r"^[^\x00]*$"
"""For text that is kept as it is: PostgreSQL has no null character."""

Name = Annotated[str, Field(min_length=1, max_length=300)]
Horizon = Annotated[int, Field(ge=1, le=30, description="days ahead"), BeforeValidator(whole)]


def clamped(moment: datetime | None) -> datetime | None:
    """The moment, or the edge of time that it lies beyond."""
    return None if moment is None else _within(moment)


def page_size(limit: int | None, most: int, usual: int = 100) -> int:
    """Rows of a page: as asked, at most what the settings allow."""
    return min(usual if limit is None else limit, most)


def cursor_of(place: Sequence[Any]) -> str:
    """A place in a listing as opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps(list(place))).decode().rstrip("=")


def place_of(cursor: str, kinds: Sequence[type | tuple[type, ...]]) -> list[Any]:
    """The place that a cursor means. Raises NotKnown for text that is no cursor of this listing."""
    try:
        place = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, UnicodeEncodeError):
        place = None
    fits = isinstance(place, list) and len(place) == len(kinds)
    if not fits or not all(isinstance(one, kind) for one, kind in zip(place, kinds, strict=True)):
        raise no_such_page()
    return list(place)


def no_such_page() -> NotKnown:
    """The error for a cursor of another listing, or of none."""
    return NotKnown(
        "There is no such page: the cursor is not one of this listing.", variable="cursor", unknown={}
    )
