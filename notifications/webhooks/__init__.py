"""Webhooks: signed reports of the shop's events to other systems (docs/webhooks.md)."""
