"""Benchmarks of the whole shop, as `manage.py up` starts it: `bench orders`, `bench memory`."""
