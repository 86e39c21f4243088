"""Monitoring: health, metrics, audits, logs."""
