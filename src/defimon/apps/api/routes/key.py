"""What a caller's own key is: nothing of any other."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, ConfigDict, Field

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document

router = APIRouter(prefix="/v1/key", tags=["keys"], route_class=CheckedFirst)

EXAMPLE: dict[str, Any] = {
    "name": "my bot",
    "scope": "run",
    "key_id": "3f9c0e1a2b4d",
    "ends_at": "2026-06-30T00:00:00Z",
}


class OwnKey(Document):
    """The key that came with the request."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})

    name: str | None = Field(description="name on the key; null without one")
    scope: Literal["read", "run", "admin"] = Field(description="what it allows")
    key_id: str | None = Field(description="its public id, by which it is rotated and revoked")
    ends_at: AwareDatetime | None = Field(description="when it runs out; null if never")


@router.get("", response_model=OwnKey)
async def own_key(caller: Reader) -> Answer:
    """Name, scope and end of the key that you send; without one, what you may do as nobody."""
    key_id = None if caller.name is None else caller.identity
    return Answer({"name": caller.name, "scope": caller.scope, "key_id": key_id, "ends_at": caller.ends_at})
