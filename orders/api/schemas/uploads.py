"""A shopper's file, and what the check of it says."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class UploadOut(BaseModel):
    token: UUID
    kind: Literal["picture", "video"]
    name: str
    content_type: str
    size: int
    """Bytes."""
    state: Literal["checking", "late", "usable", "refused"]
    """An order can be placed with it once it is usable."""
    reason: str
    """Why it was refused, for the shopper."""
