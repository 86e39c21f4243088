"""The output of a job: one file with the fields of its rendition's row."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Output:
    name: str
    format: str
    width: int
    height: int
    content: bytes | Path
    seconds: float | None = None
    """The duration of a video or an animation."""
