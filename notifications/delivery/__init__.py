"""Delivery of a message: text, in-doubt rule, gateway, breaker, limits, log of attempts."""
