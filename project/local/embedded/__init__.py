"""The embedded servers of `bin/up` and the tests: PostgreSQL and Valkey, from wheels.

`DataFolder` holds the files of a run, `PostgresServer` and `ValkeyServer` prepare, start and
check their server; `project.local.supervisor` keeps them alive. By hand:
`python -m project.local.embedded run -- COMMAND` runs a command with both, in a temporary folder.
"""
