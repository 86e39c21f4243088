#!/bin/sh
# stamina sleeps as long as a server asks, whatever its timeout, and then calls it once more.
#
# Expected: `timeout`, "maximum total time for all retries" (45 seconds unless one says otherwise),
#   bounds a wait that a backoff hook takes from a Retry-After header, which the documentation names
#   as what such hooks are for: a wait that ends after the timeout isn't begun, the error is raised.
# Seen (stamina 26.1.0): before a sleep stamina checks the time that has passed, without the sleep.
#   One error with `Retry-After: 3600` in the first 45 seconds, say of a payment service, holds the
#   thread for an hour; then the service is called again, and only that failure is raised. Its own
#   backoff goes past the timeout, too, but by `wait_max` at most (5 seconds), which doesn't
#   apply to a hook's wait. So the hook itself has to say False to what is too long.
#
# Runs without any other project, and no server: the hook says 2 seconds, the timeout is 0.5.
# Exits 0 while stamina does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "stamina==26.1.0"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import sys
import time
from importlib.metadata import version

import stamina

logging.disable(logging.CRITICAL)
RETRY_AFTER, TIMEOUT, WAIT_MAX = 2.0, 0.5, 0.1


class TooManyRequests(Exception):
    retry_after = RETRY_AFTER


def calls(on):
    """Return when the service was called, in seconds since the first call."""
    began, at = time.monotonic(), []

    @stamina.retry(on=on, attempts=50, timeout=TIMEOUT, wait_initial=0.1, wait_max=WAIT_MAX)
    def pay():
        at.append(round(time.monotonic() - began, 1))
        raise TooManyRequests

    try:
        pay()
    except TooManyRequests:
        pass
    return at


print("stamina", version("stamina"), f"· timeout={TIMEOUT}, wait_max={WAIT_MAX}")
own = calls(TooManyRequests)
print("called, with its own backoff, after seconds:", *own)
asked = calls(lambda error: error.retry_after)
print(f"called, with a hook that says {RETRY_AFTER}:", *asked)
is_bounded = len(own) > 2 and own[-1] < RETRY_AFTER
sys.exit(0 if is_bounded and len(asked) == 2 and asked[1] >= RETRY_AFTER else 1)
PYTHON
