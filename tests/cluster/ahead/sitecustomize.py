"""Python's clock an hour ahead: for each process that has this folder in its PYTHONPATH.

The time of day moves, and no wait becomes longer. libfaketime, which does it for any program, makes
`time.sleep` fail or hang since Python 3.11, and a time namespace moves no time of day.
"""

from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True).start()
