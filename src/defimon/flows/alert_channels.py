"""Channels of alerts: addresses of the settings, reached through apprise."""

import logging
import re
from types import ModuleType
from typing import Self

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings

VARIABLE = "DEFIMON_ALERT_CHANNELS"
STATUS = re.compile(r"\berror=(\d{3})\b")
"""How apprise notes what a service answered."""


def channel_names(settings: Settings) -> list[str]:
    """Names of the channels that there are; their addresses are secrets."""
    return sorted(settings.alert_channels)


def send(settings: Settings, channel: str, title: str, body: str) -> str:
    """Send one message; empty when the channel took it, else why it did not, without its address.

    Takes seconds. Raises FixSettings when there is no such channel, apprise does not know its kind of
    address, or is not installed.
    """
    address = settings.alert_channels.get(channel)
    if address is None:
        known = ", ".join(channel_names(settings)) or "none"
        raise FixSettings(f"There is no channel {channel!r}.", variable=VARIABLE, remedy=f"Known: {known}.")
    apprise = _apprise()
    told = apprise.Apprise(asset=apprise.AppriseAsset(app_id="defimon", app_desc="defimon", app_url=""))
    with _Faults() as faults:
        if not told.add(address.get_secret_value()):
            raise FixSettings(
                f"The address of channel {channel!r} is none that apprise knows.",
                variable=VARIABLE,
                remedy="https://github.com/caronc/apprise/wiki lists them.",
            )
        taken = told.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    if taken:
        return ""
    return f"the service answered {faults.status}" if faults.status else "the service did not take it"


def _apprise() -> ModuleType:
    try:
        import apprise
    except ImportError:
        raise FixSettings(
            "Alerts need one more package.", variable=VARIABLE, remedy="Install defimon[alerts]."
        ) from None
    module: ModuleType = apprise
    return module


class _Faults(logging.Handler):
    """Notes the status that a service answered; apprise's lines, which hold addresses, go nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.status = ""
        self._logger = logging.getLogger("apprise")

    def emit(self, record: logging.LogRecord) -> None:
        found = STATUS.search(record.getMessage())
        if found:
            self.status = found[1]

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
