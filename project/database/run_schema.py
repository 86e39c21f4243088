"""The schema of a performance run: tables of its own, apart from the shop's.

The connection `performance` (settings) has this schema as its whole search path. So what it writes
can never be a row of the shop: without the schema its statements find no table at all.
"""

SCHEMA = "performance_run"
ALIAS = "performance"
"""The connections whose tables are those of the run."""
