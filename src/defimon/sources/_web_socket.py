"""JSON over a WebSocket: questions and their answers one after the other, or a subscription's messages."""

import asyncio
from collections.abc import Collection

import orjson
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode

from defimon.core.errors import BadData, TryAgain
from defimon.core.units import utc_now
from defimon.sources._answer import Answer
from defimon.sources._exchange import USER_AGENT, TooLarge
from defimon.sources._manners import MEBIBYTE, Manners
from defimon.sources._masking import masked
from defimon.sources._retrying import Passing
from defimon.sources._rpc_answers import question_of


class WebSocket:
    """One connection to one node, made when first needed and again after it broke."""

    def __init__(self, url: SecretStr, manners: Manners) -> None:
        self.shown = masked(url.get_secret_value())
        self._url = url
        self._manners = manners
        self._turn = asyncio.Lock()
        self._connection: ClientConnection | None = None

    async def ask(self, question: object, ids: Collection[int], label: str = "") -> tuple[object, Answer]:
        """The parsed message that answers these ids, and as it came; other messages are passed over.

        `label` is added to the address that the answer shows. Raises TryAgain, TooLarge, and BadData for no
        JSON.
        """
        async with self._turn:
            await self.send(question)
            end = asyncio.get_running_loop().time() + self._manners.read_s
            while True:
                body = await self._received(max(0.0, end - asyncio.get_running_loop().time()))
                message = await self._parsed(body)
                if _answers(message, ids):
                    return message, Answer(f"{self.shown} {label}".strip(), body, "", utc_now())

    async def send(self, question: object) -> None:
        """Sends one message, connecting first where needed. Raises TryAgain."""
        try:
            async with asyncio.timeout(self._manners.connect_s):
                if self._connection is None:
                    self._connection = await connect(
                        self._url.get_secret_value(),
                        user_agent_header=USER_AGENT,
                        max_size=self._manners.largest_bytes,
                        open_timeout=self._manners.connect_s,
                        close_timeout=self._manners.connect_s,
                    )
                await self._connection.send(orjson.dumps(question).decode())
        except (OSError, WebSocketException, TimeoutError) as error:
            await self.close()
            raise TryAgain(f"{self.shown}: no connection ({type(error).__name__}).") from None

    async def next(self, patience_s: float) -> object:
        """The next message. Raises TryAgain when none comes in time or the connection breaks."""
        return await self._parsed(await self._received(patience_s))

    async def close(self) -> None:
        """Lets go of the connection, whatever state it is in; the next question makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _received(self, patience_s: float) -> bytes:
        if self._connection is None:
            raise TryAgain(f"{self.shown}: not connected.")
        try:
            async with asyncio.timeout(patience_s):
                return await self._connection.recv(decode=False)
        except TimeoutError:
            await self.close()
            why = Passing(f"silent for {patience_s:g} s", slow=True)
            raise TryAgain(f"{self.shown}: {why}.") from why
        except (OSError, WebSocketException) as error:
            await self.close()
            closed = error.sent if isinstance(error, ConnectionClosed) else None
            if closed is not None and closed.code == CloseCode.MESSAGE_TOO_BIG:
                limit = self._manners.largest_bytes / MEBIBYTE
                raise TooLarge(f"{self.shown} answers with more than {limit:g} MiB.") from None
            raise TryAgain(f"{self.shown}: the connection broke off ({type(error).__name__}).") from None

    async def _parsed(self, body: bytes) -> object:
        try:
            return orjson.loads(body)
        except ValueError:
            await self.close()
            raise BadData(f"{self.shown}: a message is no JSON.") from None


def _answers(message: object, ids: Collection[int]) -> bool:
    """Whether a message answers one of the ids, or is an error that names none."""
    members = message if isinstance(message, list) else [message]
    return any(
        question_of(one) in ids or (isinstance(one, dict) and "error" in one and one.get("id") is None)
        for one in members
    )
