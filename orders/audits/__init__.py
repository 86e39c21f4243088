"""The shop's audit: what it walks over, the invariants, and their corrections."""

from orders.audits import invariants

__all__ = ["invariants"]
