"""Placing an order: the request, the two writers, the one correction (settle)."""
