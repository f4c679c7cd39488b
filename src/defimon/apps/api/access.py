"""Who asks, and whether they may: keys, scopes, open reading, and how often."""

import ipaddress
import time
from collections.abc import Callable, Coroutine, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from defimon.apps.api.problems import Refusal
from defimon.apps.api.rates import Rates
from defimon.apps.api.service import Service, service_of
from defimon.core.units import utc_now
from defimon.flows.keys import Key, find_key, is_of, key_id_of

REMEMBERED_S = 2.0
"""How long a key is known without another look into the store: a revoked one is refused by then."""

MOST_REMEMBERED = 4_096

PROXIED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
"""Headers that a proxy adds: whoever is behind one is not on this machine."""

LOCAL_HOSTS = (b"localhost", b"127.0.0.1", b"[::1]")
"""Names of this machine; a page of another site that points its own name here (DNS rebinding) has none."""

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key made by `defimon keys create`: `Authorization: Bearer dfm_…`. Routes that can do "
    "without one answer callers on the server's own machine, or everybody, as DEFIMON_API_OPEN says.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the name on the key, its scope and end; without a key nobody, who may read."""

    name: str | None
    scope: str
    identity: str
    ends_at: datetime | None = None

    @property
    def admin(self) -> bool:
        return self.scope == "admin"


class Keys:
    """Keys of the store, remembered for a moment."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: dict[str, tuple[float, Key | None]] = {}

    async def of(self, text: str) -> Key:
        """The valid key of that text. Raises Refusal."""
        key_id = key_id_of(text)
        key = None if key_id is None else await self._find(key_id)
        if not is_of(text, key) or key is None or not key.holds(utc_now()):
            raise Refusal(
                401,
                "The key is unknown, revoked or has run out.",
                remedy="`defimon keys create` makes one.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        return key

    async def _find(self, key_id: str) -> Key | None:
        now = time.monotonic()
        seen = self._seen.get(key_id)
        if seen is not None and now - seen[0] < REMEMBERED_S:
            return seen[1]
        found = await self._service.reading(find_key, key_id)
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[key_id] = now, found
        return found


class Needs:
    """Dependency of a route: the caller, who has the scope and has not asked too often. Raises Refusal."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(
        self,
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Caller:
        """The caller as `CheckedFirst` found it."""
        checked: Caller | None = getattr(request.state, "checked", None)
        return await self.check(request, given) if checked is None else checked

    async def check(self, request: Request, given: HTTPAuthorizationCredentials | None) -> Caller:
        """The caller, counted once a request however often it is checked. Raises Refusal."""
        service = service_of(request)
        rates: Rates = request.app.state.rates
        client = request.client.host if request.client else "unknown"
        if given is None:
            _count(request, rates, f"address {client}")
            return self._without_key(request, service, client)
        try:
            key = await request.app.state.keys.of(given.credentials)
        except Refusal:
            # A wrong key gives no more turns than none.
            _count(request, rates, f"address {client}")
            raise
        _count(request, rates, f"key {key.key_id}")
        if not key.allows(self.scope):
            raise Refusal(
                403,
                f"The key is for {key.scope}; this needs {self.scope}.",
                remedy="Ask for a key of that scope.",
                headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
            )
        request.state.caller = key.key_id
        return Caller(key.name, key.scope, key.key_id, key.ends_at)

    def _without_key(self, request: Request, service: Service, client: str) -> Caller:
        opened = service.settings.api_open
        may_read = opened == "always" or (opened == "loopback" and _is_local(request, client))
        if self.scope == "read" and may_read:
            return Caller(None, "read", client)
        raise Refusal(
            401,
            "This needs a key." if self.scope != "read" else "Reading needs a key from where you are.",
            remedy="Send Authorization: Bearer with a key that `defimon keys create` made.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class CheckedFirst(APIRoute):
    """Who asks is checked, and counted, before the body is read: the framework itself reads it first, and one
    that is no JSON would be answered without either.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        needs = [one.call for one in self.dependant.dependencies if isinstance(one.call, Needs)]

        async def checked(request: Request) -> Response:
            for need in needs:
                request.state.checked = await need.check(request, await BEARER(request))
            return await answer(request)

        return checked


def _count(request: Request, rates: Rates, identity: str) -> None:
    """Raises the Refusal of the first time again."""
    known: dict[str, Refusal | None] = request.scope["state"].setdefault("counted", {})
    if identity not in known:
        try:
            rates.count(request, identity)
        except Refusal as refusal:
            known[identity] = refusal
            raise
        known[identity] = None
    elif (refused := known[identity]) is not None:
        raise refused


@lru_cache(maxsize=1_024)
def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def _is_local(request: Request, client: str) -> bool:
    """Whether the request was made on this machine, to this machine, with nothing in between."""
    given = dict(request.scope["headers"])
    host = given.get(b"host", b"")
    name = host if host.endswith(b"]") else host.rpartition(b":")[0] or host
    return _is_loopback(client) and name in LOCAL_HOSTS and PROXIED.isdisjoint(given)


READ, RUN, ADMIN = Needs("read"), Needs("run"), Needs("admin")
Reader = Annotated[Caller, Depends(READ)]
Runner = Annotated[Caller, Depends(RUN)]
Admin = Annotated[Caller, Depends(ADMIN)]


def is_for_readers(route: object) -> bool:
    """Whether everybody who may read may ask this route."""
    return isinstance(route, APIRoute) and any(one.call is READ for one in route.dependant.dependencies)


def paths_for_readers(routers: Sequence[APIRouter]) -> set[tuple[str, str]]:
    """Path and method (in small letters) of every route that whoever may read may ask."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {
        (route.path_format, method.lower())
        for route in routes
        for method in route.methods or ()
        if is_for_readers(route)
    }


def with_open_reading(document: dict[str, Any], free: AbstractSet[tuple[str, str]]) -> dict[str, Any]:
    """The OpenAPI document, where routes in `free` need no key: the framework says that all do."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if (path, method) in free and {} not in operation["security"]:
                operation["security"] = [{}, *operation["security"]]
    return document
