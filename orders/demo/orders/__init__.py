"""Demo orders: two years of a shop's history, by COPY. `manage.py demo --orders` calls it."""

from orders.demo.orders.fill import AlreadyFilled, FilledOrders, InUse, fill_orders
from orders.demo.orders.removal import remove_orders

__all__ = ["AlreadyFilled", "FilledOrders", "InUse", "fill_orders", "remove_orders"]
