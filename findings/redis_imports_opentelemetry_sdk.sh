#!/bin/sh
# `import redis` loads OpenTelemetry's metrics SDK wherever that is installed, used or not.
#
# Expected: a client library asks for OpenTelemetry once somebody turns its instrumentation on, and
#   imports at most the API (opentelemetry-api), which is made for that.
# Seen (redis 8.1.0, opentelemetry-sdk 1.45.2): the plain `import redis` imports
#   opentelemetry.sdk.metrics with all that it needs, in each process, though nothing is configured.
#   So an optional package for traces costs every worker its memory and time of start.
#
# Runs without any other project: two imports, no server.
# Exits 0 while redis does this, 1 once it does not.
set -eu
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "redis==8.1.0"
count='import sys, redis; print(len([m for m in sys.modules if m.startswith("opentelemetry")]), len(sys.modules))'
cd "$folder"
echo "without the SDK: $("$folder/venv/bin/python" -c "$count") modules (OpenTelemetry's, all)"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "opentelemetry-sdk==1.45.2"
echo "with it: $("$folder/venv/bin/python" -c "$count")"
"$folder/venv/bin/python" -c 'import sys, redis; sys.exit("opentelemetry.sdk.metrics" not in sys.modules)'
