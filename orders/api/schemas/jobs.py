"""Jobs for API clients: a list over all kinds."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from orders.api.schemas.clients import Next, Pages
from orders.api.schemas.fields import text
from orders.api.schemas.order import JobOut


class JobFilters(Pages):
    app: Literal["notification", "webhook", "media", "desk", "schedule"] | None = None
    status: Literal["queued", "running", "done", "failed", "unknown", "cancelled"] | None = None
    order: Annotated[
        str,
        text(max_length=40, required=False),
        Field(description="An order's number or id.", json_schema_extra={"maxLength": 40}),
    ] = ""


class ListedJobOut(JobOut):
    order: Annotated[str | None, Field(description="The order's number.")]
    order_id: Annotated[UUID | None, Field(description="null without `customers:read`.")]
    created_at: datetime


class JobPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": "01a22760-82ee-7fc2-b6ca-fd265d0972b0",
                            "app": "notification",
                            "kind": "order_shipped.email",
                            "status": "done",
                            "attempts": 1,
                            "progress": 100,
                            "error": "",
                            "finished_at": "2026-05-04T09:12:42Z",
                            "order": "T1001",
                            "order_id": None,
                            "created_at": "2026-05-04T09:12:41Z",
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    items: list[ListedJobOut]
    """The newest first."""
    next: Next
