"""What a job makes: one file with what its rendition's row will say of it."""

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
    """How long a video or an animation lasts."""
