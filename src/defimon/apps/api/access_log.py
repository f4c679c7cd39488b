"""A line in the log for every request."""

import logging
import sys
from datetime import UTC, datetime

import orjson
import structlog

from defimon.core.logs import KEY
from defimon.core.settings import Settings

QUIET = ("/health", "/ready", "/metrics")
"""Paths that machines ask every few seconds: a line for each would say nothing."""


class AccessLog:
    """Lines as those of `core.logs`, written by hand: to make one there takes half as long as an answer from
    memory.
    """

    def __init__(self, settings: Settings) -> None:
        self._json, self._every = settings.log_json, settings.api_log
        self._shown: dict[int, bool] = {}

    def write(self, method: str, path: str, status: int, seconds: float, *, key: str, request: str) -> None:
        """One line: INFO for a request that was answered, WARNING for one that failed by our fault."""
        level = self._level(path, status)
        shown = self._shown.get(level)
        if shown is None:
            shown = self._shown[level] = structlog.get_logger().is_enabled_for(level)
        if not shown:
            return
        line = {
            "event": "request",
            "method": method,
            "path": KEY.sub("dfm_***", path) if "dfm_" in path else path,
            "status": status,
            "ms": round(seconds * 1_000, 1),
            "key": key,
            "request_id": request,
            "level": logging.getLevelName(level).lower(),
            "timestamp": datetime.now(UTC).isoformat(),
        }
        text = orjson.dumps(line).decode() if self._json else _plain(line)
        sys.stderr.write(f"{text}\n")

    def _level(self, path: str, status: int) -> int:
        if status >= 500:
            return logging.WARNING
        quiet = not self._every or path in QUIET
        return logging.DEBUG if quiet and status < 400 else logging.INFO


def _plain(line: dict[str, object]) -> str:
    """For a person; what a caller sent is quoted, lest it steer the terminal."""
    told = ("method", "path", "status", "ms", "key", "request_id")
    words = " ".join(f"{name}={orjson.dumps(line[name]).decode()}" for name in told)
    return f"{line['timestamp']} [{line['level']}] request {words}"
