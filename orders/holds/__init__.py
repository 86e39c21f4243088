"""Holds: units that are set aside while somebody pays. See docs/holds.md."""
