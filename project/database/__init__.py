"""PostgreSQL features that several apps use: advisory locks, array literals, the clock."""
