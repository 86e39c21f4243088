"""Django's admin discovery imports this module; it registers the pages of `orders.desk`."""

from orders.desk import (
    announcements,
    desk_jobs,
    orders,
    payment_attempts,
    products,
    refunds,
    returns,
    stock,
    taxes,
    users,
    waiting_lists,
)

__all__ = [
    "announcements",
    "desk_jobs",
    "orders",
    "payment_attempts",
    "products",
    "refunds",
    "returns",
    "stock",
    "taxes",
    "users",
    "waiting_lists",
]
