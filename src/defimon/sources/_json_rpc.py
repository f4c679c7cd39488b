"""JSON-RPC over several nodes of one chain: the soundest is asked first, the next one when it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Literal, TypeVar

import structlog
from numpy.random import default_rng
from pydantic import SecretStr

from defimon.core.errors import BadData, TryAgain
from defimon.sources._endpoints import Endpoint, endpoints_of, in_order, manners_for
from defimon.sources._http import Http
from defimon.sources._masking import scrubbed
from defimon.sources._network import NoNetwork
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of
from defimon.sources._rpc_talk import STANDS, Ask, Keep, Talk

T = TypeVar("T")
Fault = BadData | TryAgain

ROUNDS_OF_REFUSALS = 2
"""How often nodes that all refuse are asked: a refusal that might pass seldom does, and each costs a wait."""

log = structlog.get_logger(__name__)


class JsonRpc:
    """Asks whichever node of a chain does best, and the next one when it fails.

    A refusal of the call itself is an RpcError. TryAgain means that no node could answer, after rounds with
    growing waits; Unsound (a TryAgain) that what they answered cannot be right.
    """

    def __init__(self, http: Http, urls: Sequence[SecretStr], *, variable: str = "DEFIMON_RPC") -> None:
        """`http` must be open when calls are made; `variable` is the setting that names the nodes.

        Raises FixSettings for what is no address of a node.
        """
        self.variable = variable
        self.endpoints = endpoints_of(urls, variable)
        self.talk = Talk(http)
        self._manners = http.manners
        self._random = default_rng(len(urls))
        for one in self.endpoints:
            url = one.url.get_secret_value()
            http.behave(url, manners_for(one.url, http.manners))
            one.go_on(http.memory.node(url))
        http.close_too(self._remember)

    async def call(
        self, method: str, params: Sequence[Any] = (), *, read: Callable[[Any], Any] | None = None
    ) -> Any:
        """The result of one call, passed through `read`, whose BadData sends the call to another node.

        Raises RpcError when the call itself is refused.
        """

        def check(outcomes: list[Any]) -> list[Any]:
            return [one if read is None or isinstance(one, RpcError) else read(one) for one in outcomes]

        return (await self.batch([(method, params)], check=check))[0]

    async def batch(
        self,
        calls: Sequence[Ask],
        *,
        errors: Literal["raise", "return"] = "raise",
        check: Callable[[list[Any]], list[Any]] | None = None,
        keep: Keep | None = None,
    ) -> list[Any]:
        """Results in the order asked; a refused member raises, or stands in its place, as RpcError.

        `check` is handed them all, and gives what is answered; its Unsound or BadData sends the whole batch
        to another node. `keep` is handed every answer as it came.
        """
        if not calls:
            return []
        done: dict[int, Any] = {}

        async def ask(endpoint: Endpoint) -> list[Any]:
            await self.talk.fill(endpoint, calls, done, keep)
            outcomes = [done[place] for place in range(len(calls))]
            refusal = next((one for one in outcomes if isinstance(one, RpcError)), None)
            if refusal is not None and errors == "raise":
                raise refusal
            try:
                return outcomes if check is None else check(outcomes)
            except (TryAgain, BadData):
                done.clear()
                raise

        return await self.somewhere(ask, {method for method, _ in calls})

    async def somewhere(self, ask: Callable[[Endpoint], Awaitable[T]], methods: set[str]) -> T:
        """What `ask` answers at the first node that can, in rounds over all of them with growing waits.

        Raises the RpcError of a call that is refused as such, and the last fault when all rounds have ended.
        """
        faults: dict[str, Fault] = {}
        for attempt in range(self._manners.attempts):
            if attempt:
                await asyncio.sleep(self._wait_s(attempt, list(faults.values())))
            for endpoint in in_order(self.endpoints, methods, asyncio.get_running_loop().time()):
                began = asyncio.get_running_loop().time()
                endpoint.forget(began)
                try:
                    found = await ask(endpoint)
                except (BadData, TryAgain) as fault:
                    _keep_secret(fault, endpoint.url.get_secret_value())
                    self._note(endpoint, fault)
                    faults[endpoint.shown] = fault
                else:
                    endpoint.answered(asyncio.get_running_loop().time() - began)
                    return found
            if _hopeless(list(faults.values()), attempt, self._manners.longest_wait_s):
                break
        raise _summary(faults, sorted(methods), self.variable)

    async def _remember(self) -> None:
        now = monotonic()  # the event loop's clock, and that of every other one in the process
        for one in self.endpoints:
            self.talk.http.memory.keep_node(one.url.get_secret_value(), one.found(), now)

    async def close(self) -> None:
        """Closes WebSockets that calls went over; HTTP connections belong to `http`."""
        await self.talk.close()

    def _note(self, endpoint: Endpoint, fault: Fault) -> None:
        """Marks what a node cannot do; raises a refusal that is the caller's own."""
        now = asyncio.get_running_loop().time()
        if isinstance(fault, RpcError):
            meaning = meaning_of(fault)
            if meaning in STANDS:
                raise fault
            if meaning is Meaning.NEVER_HERE and fault.method and endpoint.refused(fault.method, now):
                return
        endpoint.failed(now)
        log.info("asking elsewhere", node=endpoint.shown, why=str(fault))

    def _wait_s(self, attempt: int, faults: Sequence[Fault]) -> float:
        longest_s, first_s = self._manners.longest_wait_s, self._manners.first_wait_s
        asked = [one.after_seconds for one in faults if isinstance(one, TryAgain) and one.after_seconds]
        if asked and len(asked) == len(faults):
            return min(*asked, longest_s)
        return float(min(longest_s, first_s * 2 ** (attempt - 1)) + self._random.uniform(0, first_s))


def _keep_secret(fault: Fault, url: str) -> None:
    """A node may say back what it was asked with, anywhere in its answer; an error shows parts of answers."""
    fault.message = scrubbed(fault.message, url)
    fault.args = tuple(scrubbed(str(one), url) for one in fault.args)


def _has_no_such(fault: Fault) -> bool:
    return isinstance(fault, RpcError) and meaning_of(fault) is Meaning.NEVER_HERE


def _hopeless(faults: Sequence[Fault], attempt: int, longest_wait_s: float) -> bool:
    """Whether a further round can only say the same."""
    if all(isinstance(fault, NoNetwork) for fault in faults):
        return True
    waits = [fault.after_seconds or 0.0 for fault in faults if isinstance(fault, TryAgain)]
    if len(waits) == len(faults) and min(waits) > longest_wait_s:
        return True
    refusals = [meaning_of(fault) for fault in faults if isinstance(fault, RpcError)]
    if len(refusals) < len(faults) or Meaning.SLOW_DOWN in refusals:
        return False
    return attempt + 1 >= ROUNDS_OF_REFUSALS or set(refusals) == {Meaning.NEVER_HERE}


def _summary(faults: dict[str, Fault], methods: Sequence[str], variable: str) -> Fault:
    """One error for what every node said; its kind is the last one's, a refusal for haste being TryAgain."""
    if not faults:
        return RpcError(-32601, f"no node has {', '.join(methods)}")
    last = list(faults.values())[-1]
    if isinstance(last, NoNetwork) and all(isinstance(fault, NoNetwork) for fault in faults.values()):
        remedy = f"Does the node run, and is its address in {variable} right?"
        return NoNetwork(last.host, last.why, remedy=remedy)
    told = "; ".join(f"{name}: {fault.message}" for name, fault in faults.items())
    if isinstance(last, RpcError) and meaning_of(last) is not Meaning.SLOW_DOWN:
        last.args = (f"{last} Asked: {', '.join(faults)}.",)
        last.unheard = not all(_has_no_such(fault) for fault in faults.values())
        return last
    if isinstance(last, Unsound):
        return Unsound(f"No sound answer to {', '.join(methods)}: {told}")
    if isinstance(last, BadData) and not isinstance(last, RpcError):
        return BadData(f"No answer to {', '.join(methods)}: {told}")
    waits = [one.after_seconds for one in faults.values() if isinstance(one, TryAgain) and one.after_seconds]
    return TryAgain(
        f"No node answers {', '.join(methods)}: {told}",
        after_seconds=min(waits, default=None),
        remedy="Try again in some minutes, or name further nodes.",
    )
