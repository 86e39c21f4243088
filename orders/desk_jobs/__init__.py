"""Desk jobs, the operator's background work: their kinds, their queue and their handler."""
