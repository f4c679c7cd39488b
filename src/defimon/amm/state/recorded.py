"""Recorded answers of contracts: the format is known by what stands in it."""

from collections.abc import Mapping

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import Fields
from defimon.amm.state.document import State, read_state
from defimon.amm.state.recorded_arbitrage import read_arbitrage
from defimon.amm.state.recorded_mainnet import read_balancer_pool, read_quotes, read_uniswap_pool
from defimon.amm.state.recorded_stable import read_stable
from defimon.amm.state.recorded_v2 import read_v2
from defimon.amm.state.recorded_v3 import read_v3
from defimon.amm.state.recording import Recording

BY_PROTOCOL = {"uniswap_v2": read_v2, "uniswap_v3": read_v3, "curve_stableswap_ng": read_stable}

KNOWN = (
    "Known are defimon.pools documents, recordings with a protocol among "
    f"{', '.join(BY_PROTOCOL)}, arbitrage, and mainnet pools and quotes; docs/pools.md shows them."
)


def read_recording(document: object, name: str, pools: Mapping[str, State] | None = None) -> Recording:
    """The states and answers in a document of any known format.

    `pools` are states by pool address in lower case, for formats whose quotes stand in a file of their own.
    A document that holds states alone gives a recording without answers. Raises BadState.
    """
    fields = Fields(document, "recording")
    if fields.has("protocol"):
        read = BY_PROTOCOL[fields.text("protocol", among=tuple(BY_PROTOCOL))]
        return read(fields, name)
    if fields.has("v3_state"):
        return read_arbitrage(fields, name)
    if fields.has("entries"):
        return read_quotes(fields, name, pools or {})
    return Recording(name, read_pools(document), ())


def read_pools(document: object) -> State:
    """The state in a document of any known format. Raises BadState."""
    fields = Fields(document, "state")
    if fields.has("format"):
        return read_state(document)
    if fields.has("protocol") or fields.has("v3_state"):
        return read_recording(document, "").state
    if fields.has("tick_data"):
        return read_uniswap_pool(fields)
    if fields.has("pow_version"):
        return read_balancer_pool(fields)
    raise BadState("This JSON is no state and no recording that is known.", remedy=KNOWN)


def holds_questions_only(document: object) -> bool:
    """Whether the document asks pools whose states stand elsewhere."""
    return isinstance(document, Mapping) and "entries" in document
