"""The shop's pages: catalogue, cart, checkout, and the order's page with live progress."""
