"""An order after it was placed: paid, packed, shipped, cancelled, refunded, expired."""
