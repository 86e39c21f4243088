"""Messages to shoppers and staff: what is said, to whom, by which channel."""
