"""One message's way out: words, doubt, gateway, breaker, limits, and the log of attempts."""
