"""The demo shop: the products with which `manage.py demo` fills an empty shop."""

from orders.demo.shop import Filled, fill_empty_shop

__all__ = ["Filled", "fill_empty_shop"]
