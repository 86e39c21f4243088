"""The rows of demo orders, a file per kind: each takes lives and copies their rows."""
