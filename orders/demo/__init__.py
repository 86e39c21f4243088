"""The demo shop: what `manage.py demo` fills an empty shop with."""

from orders.demo.shop import Filled, fill_empty_shop

__all__ = ["Filled", "fill_empty_shop"]
