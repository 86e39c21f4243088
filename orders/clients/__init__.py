"""API clients: their keys, what a key may do, and how many requests a client may send."""
