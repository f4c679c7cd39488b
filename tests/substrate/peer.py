"""A chopsticks in a process of its own: a real Substrate runtime, offline, from the genesis of Rococo Asset
Hub. It is no node of a network: it makes blocks when told to, all of them final at once, leaves state roots
empty and takes a fixed text for a signature of anyone's. Events, weights and storage are the runtime's own.
"""

import json
import os
import socket
import subprocess
from pathlib import Path
from time import monotonic, sleep

HERE = Path(__file__).resolve().parent
CHOPSTICKS = HERE / "node_modules" / "@acala-network" / "chopsticks" / "chopsticks.cjs"
METADATA = HERE / "node_modules" / "@polkadot" / "types-support" / "metadata" / "v14"
CONTRACTS_NODE = METADATA / "substrate-contracts-node-hex.js"
"""Metadata of a runtime with fees and contracts, as hexadecimal text in a module."""

PATIENCE_S = 90
"""For the runtime to be compiled and its first block made: some seconds on a machine that is free."""


class Chopsticks:
    """Started on a free loopback port, with its files in `folder`."""

    def __init__(self, folder):
        specification = folder / "genesis.json"
        node("genesis.mjs", specification)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = folder / "chopsticks.json"
        settings.write_text(
            json.dumps(
                {
                    "genesis": str(specification),
                    "port": self.port,
                    "host": "127.0.0.1",
                    "mock-signature-host": True,
                    "build-block-mode": "Manual",
                }
            )
        )
        self._log = folder / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                ["node", str(CHOPSTICKS), "-c", str(settings)],
                cwd=folder, stdout=log, stderr=log, env=_quiet(),
            )  # fmt: skip
        end = monotonic() + PATIENCE_S
        while "listening" not in self._log.read_text():
            if self._process.poll() is not None or monotonic() > end:
                self.stop()
                raise RuntimeError(f"chopsticks did not start: {self._log.read_text()[-500:]}")
            sleep(0.1)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def drive(self, blocks):
        """Makes so many blocks with transfers; what polkadot.js reads of all blocks."""
        return json.loads(node("drive.mjs", f"ws://127.0.0.1:{self.port}", blocks))

    def stop(self):
        self._process.kill()
        self._process.wait()


def node(script, *arguments):
    """What a script of this folder prints."""
    done = subprocess.run(
        ["node", str(HERE / script), *map(str, arguments)],
        cwd=HERE, capture_output=True, text=True, timeout=PATIENCE_S, env=_quiet(), check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{script} failed: {done.stderr[-500:]}")
    return done.stdout


def _quiet():
    """Packages that stand in several versions beside each other are no news here."""
    return {**os.environ, "POLKADOTJS_DISABLE_ESM_CJS_WARNING": "1"}
