"""The shop's pages: catalogue, cart, checkout, and the order that is followed live."""
