"""Jobs: row, life cycle in SQL, handlers, attempts, and the publishing to the broker."""
