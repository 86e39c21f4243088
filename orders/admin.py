"""Where Django looks for the desk's pages."""

from orders.desk import announcements, desk_jobs, orders, people, products, stock

__all__ = ["announcements", "desk_jobs", "orders", "people", "products", "stock"]
