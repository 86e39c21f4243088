"""Jobs: the row, its life in SQL, the handler that does the work, and what the relay publishes."""
