"""PostgreSQL's settings that depend on the machine's memory, in three sizes.

The shop's other processes want memory too, so PostgreSQL's own share is at most an eighth. A larger
`max_wal_size` makes checkpoints rarer: the first change of a page after one writes the whole page
to the WAL (docs/keys-and-wal.md). After a crash, up to half of it is read again.
"""

GIB = 1024**3

SMALL = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "4MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
}
MEDIUM = {
    "shared_buffers": "512MB",
    "effective_cache_size": "3GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
}
LARGE = {
    "shared_buffers": "2GB",
    "effective_cache_size": "10GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
}


def settings_for(memory: int) -> dict[str, str]:
    """Return the settings for a machine with so many bytes of memory."""
    if memory < 4 * GIB:
        return SMALL
    return MEDIUM if memory < 15.5 * GIB else LARGE  # a machine of 16 GB reports a little less
