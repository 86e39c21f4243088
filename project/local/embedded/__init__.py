"""The servers that `bin/up` and the tests bring along: PostgreSQL and Valkey, from wheels.

`DataFolder` holds what a run leaves behind, `PostgresServer` and `ValkeyServer` know how their
server is prepared, started and asked; `project.local.supervisor` keeps them alive. By hand:
`python -m project.local.embedded run -- COMMAND` runs a command with both, in a temporary folder.
"""
