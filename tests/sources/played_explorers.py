"""Etherscan V2 and Blockscout on loopback: hand-made answers in the shapes that their documents give."""

import json

from werkzeug import Request, Response

VAULT = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
LOGIC = "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359"
CREATOR = "0x52908400098527886e0f7030069857d2e4169ee7"
CREATION = "0x" + "Ab" * 32
CREATED_AT = 1_700_000_000
ABI = [{"type": "function", "name": "totalSupply", "inputs": [], "outputs": [{"type": "uint256"}]}]
SUPPLY = 25_000_000 * 10**6


def word(number):
    return "0x" + number.to_bytes(32, "big").hex()


def abi_text(text):
    raw = text.encode()
    padded = raw + bytes(-len(raw) % 32)
    return "0x" + (32).to_bytes(32, "big").hex() + len(raw).to_bytes(32, "big").hex() + padded.hex()


def etherscan_source(**changes):
    """One row of Etherscan's getsourcecode."""
    return {
        "SourceCode": "contract Vault {}",
        "ABI": json.dumps(ABI),
        "ContractName": "Vault",
        "CompilerVersion": "v0.8.20+commit.a1b79de6",
        "OptimizationUsed": "1",
        "Runs": "200",
        "ConstructorArguments": "",
        "EVMVersion": "Default",
        "Library": "",
        "LicenseType": "MIT",
        "Proxy": "1",
        "Implementation": LOGIC,
        "SwarmSource": "",
        **changes,
    }


def blockscout_source(**changes):
    """One row of Blockscout's getsourcecode."""
    return {
        "Address": VAULT,
        "SourceCode": "contract Vault {}",
        "ABI": json.dumps(ABI, indent=2),
        "ContractName": "Vault",
        "CompilerVersion": "v0.8.20+commit.a1b79de6",
        "OptimizationUsed": "true",
        "FileName": "Vault.sol",
        "IsProxy": "true",
        "ImplementationAddress": LOGIC,
        "AdditionalSources": [{"Filename": "Logic.sol", "SourceCode": "contract Logic {}"}],
        **changes,
    }


def creation(**changes):
    return {
        "contractAddress": VAULT,
        "contractCreator": CREATOR.upper().replace("0X", "0x"),
        "txHash": CREATION,
        "blockNumber": "18570000",
        "timestamp": str(CREATED_AT),
        "contractFactory": "",
        "creationBytecode": "0x6080",
        **changes,
    }


def ok(result):
    return {"status": "1", "message": "OK", "result": result}


def notok(words):
    return {"status": "0", "message": "NOTOK", "result": words}


class PlayedExplorer:
    """Answers by action; `faults` are played first, one a request. Values may be changed while it runs."""

    def __init__(self, answers):
        self.answers = answers
        self.faults = []
        self.requests = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self.faults:
            value = self.faults.pop(0)
        elif request.path.startswith("/api/v2/"):
            value = self.answers.get("page", 404)
        else:
            value = self.answers[self.action_of(request)]
        if isinstance(value, int):
            return Response('{"message": "Not found"}', value, content_type="application/json")
        return Response(json.dumps(value), content_type="application/json")

    @staticmethod
    def action_of(request):
        action = request.args["action"]
        return action if action != "eth_call" else request.args["data"]

    def asked(self):
        return [one.args.get("action", one.path) for one in self.requests]


def call(result):
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def played_etherscan():
    """A verified proxy that is a token, on a free plan: holders are not told."""
    return PlayedExplorer(
        {
            "getsourcecode": ok([etherscan_source()]),
            "getcontractcreation": ok([creation()]),
            "0x95d89b41": call(abi_text("vUSD")),
            "0x313ce567": call(word(6)),
            "0x18160ddd": call(word(SUPPLY)),
            "tokenholdercount": notok(
                "Sorry, it looks like you are trying to access an API Pro endpoint. Contact us to upgrade."
            ),
        }
    )


def played_blockscout():
    """The same contract at Blockscout, which tells holders."""
    return PlayedExplorer(
        {
            "getsourcecode": ok([blockscout_source()]),
            "getcontractcreation": ok([creation()]),
            "page": {
                "address_hash": VAULT,
                "symbol": "vUSD",
                "decimals": "6",
                "total_supply": str(SUPPLY),
                "holders_count": "4321",
                "type": "ERC-20",
            },
        }
    )
