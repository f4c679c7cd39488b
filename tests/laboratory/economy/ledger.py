"""Transactions of many accounts, collected into a block and mined at a chosen second."""

from dataclasses import dataclass, field

from laboratory.chain import Chain

CallData = tuple[str, bytes]


@dataclass
class Block:
    """The block that is being filled: transactions go to the node as they are sent, in that order."""

    chain: Chain
    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Transactions that the contracts refused: nobody knows what others do before."""
    mined: int = 0

    def send(self, account: str, call: CallData) -> None:
        to, data = call
        message = {**self.chain.message(to, data), "from": account}
        if account == self.chain.account:  # whose transactions the chain counts itself
            message["nonce"] = hex(self.chain.nonce)
            self.chain.nonce += 1
        self.sent.append(self.chain.rpc("eth_sendTransaction", message))

    def mine(self, seconds: int) -> None:
        """Mine what was sent at this second since 1970, and note what failed."""
        self.chain.rpc("evm_setNextBlockTimestamp", seconds)
        self.chain.rpc("evm_mine")
        receipts = self.chain.rpc("eth_getBlockReceipts", "latest")
        if len(receipts) != len(self.sent):
            raise RuntimeError(f"{len(self.sent)} transactions were sent, {len(receipts)} were mined")
        self.failed += [one["transactionHash"] for one in receipts if one["status"] != "0x1"]
        self.mined += len(receipts)
        self.sent.clear()

    def now(self) -> int:
        """Time of the last block, seconds since 1970."""
        return int(self.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
