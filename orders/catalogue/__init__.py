"""The catalogue: products, their stock, the shopper's view of them, and scheduled changes."""
