"""Log lines on standard error: for a person, or as JSON; never with a secret in them."""

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson
from pydantic import SecretStr

from defimon.core.settings import Settings

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that is being answered: stands in every line that is written meanwhile."""

KEY = re.compile(r"dfm_[0-9a-f]{12}_[0-9a-f]{64}")
"""A key of the API, as its first part tells."""

PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
"""What stands between name and host in an address."""

Line = MutableMapping[str, Any]

SHORTEST = 6
"""Characters of a secret below which hiding it would hide common words too."""


def configure_logs(settings: Settings) -> None:
    """Send log lines of `log_level` and above to standard error, as JSON if `log_json`.

    Secrets of the settings, keys of the API and passwords in addresses are masked.
    """
    import structlog

    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    renderer = structlog.processors.JSONRenderer(_as_json) if settings.log_json else console
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            Masking(secrets_of(settings)),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def secrets_of(settings: Settings) -> set[str]:
    """Every secret value of the settings."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        found.update(_secrets(getattr(settings, name)))
    return {text for text in found if len(text) >= SHORTEST}


def _secrets(value: object) -> Iterable[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value().strip()  # as keys are sent
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from _secrets(one)


class Masking:
    """Processor that hides secrets in every text of a line."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one may be a part of another.
        self._secrets = sorted(secrets, key=len, reverse=True)

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        for name, value in line.items():
            if not isinstance(value, int | float | None):
                line[name] = self._masked(value)
        return line

    def _masked(self, value: object) -> object:
        if isinstance(value, list | tuple):
            return [self._masked(one) for one in value]
        if isinstance(value, dict):
            return {name: self._masked(one) for name, one in value.items()}
        if isinstance(value, int | float | None):
            return value
        text = str(value)
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, "***")
        if "dfm_" in text:
            text = KEY.sub("dfm_***", text)
        return PASSWORD.sub(r"\1***@", text) if "://" in text else text


@contextmanager
def lines_of(*names: str) -> Iterator[None]:
    """Meanwhile warnings of libraries go where our own lines go, and nowhere else."""
    bridge = _Bridge(logging.WARNING)
    loggers = [(logger := logging.getLogger(name), logger.propagate) for name in names]
    for logger, _ in loggers:
        logger.addHandler(bridge)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagated in loggers:
            logger.removeHandler(bridge)
            logger.propagate = propagated


class _Bridge(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        import structlog

        fault = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        structlog.get_logger().log(record.levelno, record.getMessage(), of=record.name, fault=fault)


def _with_request(_logger: object, _method: str, line: Line) -> Line:
    request = REQUEST_ID.get()
    if request:
        line.setdefault("request_id", request)
    return line


def _as_json(line: object, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()
