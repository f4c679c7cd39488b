"""Other programs that read blocks of a node, each in a process of its own and timed after its imports."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

WEB3 = """
import sys, time, json
from web3 import Web3
url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
began, busy = time.perf_counter(), time.process_time()
web3 = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": 600}))
blocks = transactions = 0
for start in range(first, last + 1, 100):
    with web3.batch_requests() as batch:
        for number in range(start, min(last + 1, start + 100)):
            batch.add(web3.eth.get_block(number, full_transactions=True))
        for block in batch.execute():
            blocks, transactions = blocks + 1, transactions + len(block["transactions"])
took, worked = time.perf_counter() - began, time.process_time() - busy
print(json.dumps({"seconds": took, "cpu_s": worked, "blocks": blocks, "transactions": transactions}))
"""

CRYO = """
import sys, time, json, glob
import cryo, polars, pandas
url, first, last, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
began, busy = time.perf_counter(), time.process_time()
cryo.freeze("transactions", start_block=first, end_block=last + 1, rpc=url, output_dir=folder, verbose=False,
            exclude_columns=["gas_used", "success"])
took, worked = time.perf_counter() - began, time.process_time() - busy
found = polars.read_parquet(folder + "/*.parquet", columns=["block_number"])["block_number"]
print(json.dumps({"seconds": took, "cpu_s": worked, "blocks": found.n_unique(), "transactions": len(found)}))
"""

ETL = """
import sys, time, json, csv, inspect, warnings
warnings.simplefilter("ignore")
inspect.getargspec = inspect.getfullargspec  # a library of theirs still asks for what Python 3.11 dropped
from ethereumetl.cli import cli
url, first, last, folder = sys.argv[1:]
began, busy = time.perf_counter(), time.process_time()
try:
    cli(["export_blocks_and_transactions", "-s", first, "-e", last, "-p", url, "--blocks-output",
         folder + "/blocks.csv", "--transactions-output", folder + "/transactions.csv"])
except SystemExit as ended:
    assert not ended.code, ended.code
took, worked = time.perf_counter() - began, time.process_time() - busy
rows = [len(list(csv.reader(open(folder + "/" + name)))) - 1 for name in ("blocks.csv", "transactions.csv")]
print(json.dumps({"seconds": took, "cpu_s": worked, "blocks": rows[0], "transactions": rows[1]}))
"""

PEERS = {
    "web3.py, batches of 100, kept nowhere": ("web3", WEB3),
    "cryo, transactions without gas used, to Parquet": ("cryo", CRYO),
    "ethereum-etl, blocks and transactions, to CSV": ("ethereumetl", ETL),
}
"""Module that tells whether an interpreter has it, and what to run. cryo asks for receipts as well where gas
used is wanted: it is left out in its favour."""

MOST_S = 1_800


def interpreter_for(name: str, pythons: Sequence[str]) -> tuple[str, str]:
    """The first interpreter that has the peer, and why the others have not."""
    module, script = PEERS[name]
    imports = "\n".join(
        line for line in script.splitlines() if line.startswith(("import", "from", "inspect"))
    )
    why = "no --peer-python was given"
    for python in pythons:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", f"{imports}\nimport {module}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return python, ""
        why = (done.stderr.strip().splitlines() or ["it could not be imported"])[-1]
    return "", why


def peer(name: str, python: str, url: str, first: int, last: int) -> dict[str, float]:
    """What the peer took for blocks `first` to and with `last`. Raises SystemExit where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        return told([python, "-W", "ignore", "-c", PEERS[name][1], url, str(first), str(last), folder], name)


def ours(url: str, chain: str) -> dict[str, float]:
    """What our collection of all blocks took."""
    return told([sys.executable, str(Path(__file__).with_name("_collect_ours.py")), url, chain], "defimon")


def told(words: list[str], name: str) -> dict[str, float]:
    environment = {one: value for one, value in os.environ.items() if not one.startswith("DEFIMON_")}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=MOST_S, env=environment)
    if done.returncode:
        raise SystemExit(f"{name}: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
