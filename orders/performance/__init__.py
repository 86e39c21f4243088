"""The performance run: synthetic orders through the public API, measured, and taken away again."""
