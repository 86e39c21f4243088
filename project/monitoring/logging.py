"""The logging of every process: plain lines in local mode, JSON in production (structlog)."""

import logging
from typing import Any

import structlog

from project.trail import TRAIL


class NotBusy(logging.Filter):
    """Drops Django's error line for each 503: "busy" and "starting" are answers, not errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != 503


class Brief(logging.Filter):
    """Takes the traceback off what Django refuses with 400: a scanner's junk is no error of ours.

    Django logs a SuspiciousOperation as an error, under `django.security.` and its class's name.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


def logging_config(*, json: bool) -> dict[str, Any]:
    """Return a `logging.config.dictConfig` dictionary; `json` chooses JSON over plain lines."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S", utc=json),
    ]
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if json
        # The supervisor colours; plain lines stay readable in a file. Plain tracebacks, because
        # those with local variables show customers' data, and delay a writer by 0.1 s and more.
        else [
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *last,
                ],
            },
        },
        "filters": {
            "unbusy": {"()": "project.monitoring.logging.NotBusy"},
            "brief": {"()": "project.monitoring.logging.Brief"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "filters": ["unbusy", "brief"],
            },
            "none": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"level": "INFO"},
            # A request log belongs to the web server; 4xx are answers, not warnings.
            "django.request": {"level": "ERROR"},
            # A scanner's invalid Host is answered with 400; it isn't our error.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # Its lines contain phone numbers and texts, and go to the message's own row: see
            # notifications/channels/apprise_sms.py.
            "apprise": {"level": "DEBUG", "handlers": ["none"], "propagate": False},
            "axes": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "pyvips": {"level": "WARNING"},
            # Some lines an order: for a log that is searched, not for a terminal.
            TRAIL: {"level": "INFO" if json else "WARNING"},
        },
    }
