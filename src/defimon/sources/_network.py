"""Is there a network at all? Told within seconds, before any patience is spent on retries."""

import asyncio
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from defimon.core.errors import TryAgain

ALTERNATIVES = (
    "Check the network, or work without one: `defimon run --panel FILE` and `defimon import FILE` read a"
    " file, `defimon run --offline-fallback` the recorded data sets."
)


class NoNetwork(TryAgain):
    """The service's host cannot be found or reached from here."""

    def __init__(self, host: str, why: str, *, remedy: str = ALTERNATIVES) -> None:
        super().__init__(f"No network: {host} cannot be reached ({why}).", remedy=remedy)
        self.host, self.why = host, why


def first_hop(url: str) -> str:
    """Host that this machine itself must find for `url`: the environment's proxy, or the service."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = {} if proxy_bypass(host) else getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").hostname or host if proxy else host


async def find_host(host: str, seconds: float) -> None:
    """Looks `host` up; raises NoNetwork when it has no address or none is told within `seconds`.

    The look-up runs in a thread of its own that dies with the process: a resolver that hangs for half a
    minute would otherwise keep the event loop from closing.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()

    def settle(error: OSError | None) -> None:
        if found.done():
            return
        if error is None:
            found.set_result(None)
        else:
            found.set_exception(error)

    def look_up() -> None:
        outcome: OSError | None = None
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            outcome = error
        except UnicodeError as error:
            outcome = OSError(str(error))
        with suppress(RuntimeError):  # the loop closed meanwhile: nobody waits for the answer
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    try:
        await asyncio.wait_for(found, seconds)
    except TimeoutError:
        raise NoNetwork(host, f"its name was not found within {seconds:g} s") from None
    except OSError as error:
        raise NoNetwork(host, error.strerror or str(error)) from None
