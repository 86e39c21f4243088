"""gunicorn's settings with spans that are sent by the thread that made them: the control."""

from opentelemetry.sdk.trace import export

export.BatchSpanProcessor = export.SimpleSpanProcessor  # type: ignore[assignment]

from project.gunicorn import *  # noqa: E402, F403
