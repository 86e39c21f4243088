"""The client address by which rate limits and lockouts count requests."""
