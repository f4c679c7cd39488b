"""Log lines on standard error: for a person, or as JSON."""

import logging
import sys

from defimon.core.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Send log lines of `log_level` and above to standard error, as JSON if `log_json`."""
    import structlog

    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    renderer = structlog.processors.JSONRenderer() if settings.log_json else console
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
