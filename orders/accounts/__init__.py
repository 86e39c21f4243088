"""Accounts: django-allauth behind `/accounts/`, with our messages, pages and rules."""
