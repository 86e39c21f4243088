"""The life of a placed order: paid, packed, shipped, delivered, cancelled, refunded, expired."""
