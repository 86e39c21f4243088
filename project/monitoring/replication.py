"""How far PostgreSQL's standbys are behind, as the primary sees it."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

# A role that isn't in pg_monitor sees that there are standbys, and nothing about them: such rows
# have no state. One that replays nothing, such as pg_receivewal, has what is on its disk.
_STANDBYS = """
    SELECT application_name,
           max(coalesce(extract(epoch FROM coalesce(replay_lag, flush_lag)), 0))::float,
           max(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, flush_lsn)))::float
    FROM pg_stat_replication
    WHERE state IS NOT NULL
    GROUP BY application_name
    ORDER BY application_name
"""


def standbys(cursor: Any) -> list[tuple[str, float, float | None]]:
    """Return each standby's name, and its lag in seconds and bytes; of one name the greatest."""
    cursor.execute(_STANDBYS)
    rows: list[tuple[str, float, float | None]] = cursor.fetchall()
    return rows


def replication_figures() -> Iterator[Metric]:
    """Yield the lag of each standby."""
    seconds = GaugeMetricFamily(
        "tandem_replication_lag_seconds",
        "How long ago PostgreSQL wrote what the standby has last replayed",
        labels=["standby"],
    )
    behind = GaugeMetricFamily(
        "tandem_replication_lag_bytes", "WAL that the standby hasn't replayed", labels=["standby"]
    )
    with connection.cursor() as cursor:
        for name, lag, bytes_behind in standbys(cursor):
            seconds.add_metric([name], lag)
            behind.add_metric([name], bytes_behind or 0.0)
    yield seconds
    yield behind
