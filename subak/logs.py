"""Structured logs: one line per event to standard error, JSON unless a person is reading."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog
from structlog.tracebacks import ExceptionDictTransformer


def configure(level: int = logging.INFO) -> None:
    """Set up logging of this process.

    One line a change: whoever tries again says so once, not at every attempt.
    Stack traces show no local variables: a password may be one.
    """
    stamina.instrumentation.set_on_retry_hooks(())
    show: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if sys.stderr.isatty()
        else [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *show,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
