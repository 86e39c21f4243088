"""The people at the desk."""

from tests.desk import clerk, clerk_client, passwords_are_cheap

__all__ = ["clerk", "clerk_client", "passwords_are_cheap"]
