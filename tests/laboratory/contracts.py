"""Contracts as npm packages ship them: bytecode to deploy, an ABI to speak to them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Self

from eth_abi import decode, encode
from eth_hash.auto import keccak
from laboratory.chain import HERE, Chain, Reverted

NO_LIBRARIES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Function:
    """One function of an ABI, able to write its calls and read its answers."""

    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Self:
        inputs, outputs = (tuple(map(type_of, entry[side])) for side in ("inputs", "outputs"))
        return cls(keccak(f"{entry['name']}({','.join(inputs)})".encode())[:4], inputs, outputs)

    def data(self, *values: Any) -> bytes:
        return self.selector + encode(self.inputs, values)

    def read(self, answer: bytes) -> Any:
        """The one value returned, or a tuple of several."""
        values = decode(self.outputs, answer)
        return values[0] if len(values) == 1 else values


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its creation code in hexadecimal and what one can ask it.

    `gaps` says by library where its address, 40 digits, is missing in the code.
    """

    code: str
    gaps: dict[str, list[int]]
    constructor: tuple[str, ...]
    functions: dict[str, Function]

    def creation(self, *values: Any, libraries: Mapping[str, str] = NO_LIBRARIES) -> bytes:
        code = self.code
        for library, places in self.gaps.items():
            address = libraries[library].removeprefix("0x")
            for place in places:
                code = code[:place] + address + code[place + len(address) :]
        return bytes.fromhex(code) + encode(self.constructor, values)


@dataclass(frozen=True)
class Contract:
    """A deployed contract. Addresses are lower-case text."""

    chain: Chain
    address: str
    functions: dict[str, Function]

    def data(self, name: str, *values: Any) -> tuple[str, bytes]:
        """A call ready for `Chain.call_many` and `Chain.send`."""
        return self.address, self.functions[name].data(*values)

    def call(self, name: str, *values: Any) -> Any:
        """What the function returns, without a transaction. Raises Reverted."""
        return self.functions[name].read(self.chain.call(*self.data(name, *values)))

    def call_many(self, name: str, many: Iterable[tuple[Any, ...]]) -> list[Any]:
        """As `call` for many lists of values; a refusal stands in its place as a Reverted."""
        answers = self.chain.call_many([self.data(name, *values) for values in many])
        read = self.functions[name].read
        return [answer if isinstance(answer, Reverted) else read(answer) for answer in answers]

    def ask(self, *names: str) -> list[Any]:
        """What several functions without arguments return, asked in one batch. Raises Reverted."""
        answers = self.chain.call_many([self.data(name) for name in names])
        for answer in answers:
            if isinstance(answer, Reverted):
                raise answer
        return [self.functions[name].read(answer) for name, answer in zip(names, answers, strict=True)]

    def send(self, name: str, *values: Any) -> dict[str, Any]:
        """Mine a block with this one transaction; its receipt. Raises Reverted."""
        return self.chain.send([self.data(name, *values)])[0]


@cache
def artifact(path: str) -> Artifact:
    """A contract's build file under node_modules, with functions by name; of overloads the last counts."""
    built = json.loads((HERE / "node_modules" / path).read_text())
    entries = built["abi"]
    links = {
        name: [2 * place["start"] for place in places]
        for libraries in built.get("linkReferences", {}).values()
        for name, places in libraries.items()
    }
    return Artifact(
        built["bytecode"].removeprefix("0x"),
        links,
        next((tuple(map(type_of, e["inputs"])) for e in entries if e["type"] == "constructor"), ()),
        {e["name"]: Function.of(e) for e in entries if e["type"] == "function"},
    )


def at(chain: Chain, path: str, address: str) -> Contract:
    """A contract that another contract has deployed."""
    return Contract(chain, address.lower(), artifact(path).functions)


def deploy(chain: Chain, path: str, *values: Any, libraries: Mapping[str, str] = NO_LIBRARIES) -> Contract:
    """Deploy the build file with these constructor values, and the addresses of its libraries by name."""
    receipt = chain.send([(None, artifact(path).creation(*values, libraries=libraries))])[0]
    return at(chain, path, receipt["contractAddress"])


def type_of(parameter: dict[str, Any]) -> str:
    """An ABI parameter's canonical type: tuples as their members in brackets."""
    if not parameter["type"].startswith("tuple"):
        return parameter["type"]
    members = ",".join(map(type_of, parameter["components"]))
    return f"({members}){parameter['type'].removeprefix('tuple')}"
