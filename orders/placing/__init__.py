"""Placing an order: request, offers, price, the two writers, and settle, which corrects sales."""
