"""Block explorers that speak Etherscan's dialect: what they answer with status 200 and mean otherwise."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.sources._addresses import plain_key
from defimon.sources._endpoints import LOOPBACK
from defimon.sources._http import Http
from defimon.sources._masking import scrubbed
from defimon.sources._series import Keep

ETHERSCAN_GAP_S = 0.35
"""Free keys may call three times a second (docs.etherscan.io, rate limits); refusals widen the gap."""

SHOWN_CHARACTERS = 160

_KEY = re.compile(r"invalid api ?key|missing.{0,20}api ?key", re.IGNORECASE)
_DAILY = re.compile(r"(daily|per day).{0,40}limit|limit.{0,40}(daily|per day)", re.IGNORECASE)
_SLOW = re.compile(
    r"rate limit|too many requests|max calls|temporarily|time-?out|too busy|try again", re.IGNORECASE
)
_NOT_SERVED = re.compile(
    r"api pro|upgrade|paid plan|free api access|unsupported chain|chain.{0,20}not supported|"
    r"unknown (action|module)|missing.{0,20}action|deprecated",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"not verified|no (data|record|transaction|contract|token)s?( was| were)? found|not found|no such",
    re.IGNORECASE,
)


class NotServed(BadData):
    """The explorer does not serve this chain or call, or not on this plan; another one may."""


class Explorer:
    """One explorer; `http` must be open. `host` is how warnings call it."""

    def __init__(
        self,
        http: Http,
        url: str,
        variable: str,
        keep: Keep,
        *,
        dialect: str = "",
        key: SecretStr | None = None,
    ) -> None:
        """`dialect` is the path of Etherscan's dialect. Raises FixSettings, naming `variable`."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise FixSettings(
                f"{variable} is no http or https address.", variable=variable, remedy="Leave it out."
            )
        self._http, self._keep, self._key = http, keep, plain_key(key, "DEFIMON_ETHERSCAN_KEY")
        self._url, self._dialect, self.host = url.rstrip("/"), dialect, parts.hostname
        if parts.hostname not in LOOPBACK:
            gap_s = max(http.manners.gap_s, ETHERSCAN_GAP_S)
            http.behave(url, replace(http.manners, gap_s=gap_s))

    async def ask(self, params: Mapping[str, str | int]) -> Any:
        """The field `result` of an answer; None where the explorer has nothing.

        Raises NotServed, FixSettings for a key that is none, TryAgain, and BadData for other refusals.
        """
        asked = {**params, **({"apikey": self._key} if self._key else {})}
        url, what = f"{self._url}{self._dialect}?{urlencode(asked)}", params["action"]
        manners, said = self._http.manners, ""
        for attempt in range(manners.attempts):
            value, answer = await self._http.get_json(url)
            self._keep(answer)
            if not isinstance(value, Mapping):
                raise BadData(f"{answer.url}: found {type(value).__name__}, expected an object.")
            if "jsonrpc" in value or str(value.get("status")) == "1":
                return value.get("result")
            said = _said(value, url)
            if not self._slow(said, str(what)):
                return None
            self._http.slow_down(url, min(manners.longest_wait_s, manners.first_wait_s * 2**attempt))
        raise TryAgain(f"{self.host} {what}: {said}", remedy="Try again in some minutes.")

    async def ask_page(self, path: str) -> object:
        """A whole answer of Blockscout's own REST dialect. Raises StatusRefused for another status."""
        value, answer = await self._http.get_json(f"{self._url}{path}")
        self._keep(answer)
        return value

    def _slow(self, said: str, what: str) -> bool:
        """Whether the explorer asks for patience; False where it has nothing. Raises what else it says."""
        if _KEY.search(said):
            raise FixSettings(
                f"{self.host} refuses the key: {said}",
                variable="DEFIMON_ETHERSCAN_KEY",
                remedy="Use a key of etherscan.io (keys of other explorers are not taken), or leave it out.",
            )
        if _DAILY.search(said):
            raise TryAgain(f"{self.host} {what}: {said}", remedy="The day's calls are spent.")
        if _SLOW.search(said):
            return True
        if _NOT_SERVED.search(said):
            raise NotServed(f"{self.host} {what}: {said}.")
        if _NOTHING.search(said):
            return False
        raise BadData(f"{self.host} {what}: {said or 'refused without a word'}.")


def _said(value: Mapping[str, Any], url: str) -> str:
    """What a refusal says, without the key in `url`: Etherscan in `result`, Blockscout in `message`."""
    parts = [value.get("message"), value.get("result"), value.get("error")]
    words = [str(one) for one in parts if isinstance(one, str) and one and one != "NOTOK"]
    return scrubbed(": ".join(words), url)[:SHOWN_CHARACTERS].rstrip(". ")
