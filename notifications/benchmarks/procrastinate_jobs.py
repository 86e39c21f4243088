"""procrastinate's job that does nothing, for `bench jobs`: nothing else needs the package."""

import os
from typing import Any

from procrastinate import App, PsycopgConnector

QUEUE = "no_op"

app = App(
    connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"], min_size=1, max_size=10),
    import_paths=["notifications.benchmarks.procrastinate_jobs"],
)


@app.task(name="no_op", queue=QUEUE)
async def no_op(job_id: str) -> dict[str, Any]:
    """Do nothing."""
    return {}
