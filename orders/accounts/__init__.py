"""Accounts: django-allauth at `/accounts/`, with the shop's own messages, pages and rules."""
