"""The people at the desk."""

from tests.desk import clerk, clerk_client

__all__ = ["clerk", "clerk_client"]
