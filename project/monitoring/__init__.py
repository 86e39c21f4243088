"""How the shop is: health, metrics, audits, logs."""
