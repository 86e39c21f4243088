"""Django's admin discovery imports this module; it registers the pages of `orders.desk`."""

from orders.desk import (
    announcements,
    clients,
    desk_jobs,
    holds,
    orders,
    payment_attempts,
    products,
    refunds,
    returns,
    stock,
    taxes,
    users,
    vouchers,
    waiting_lists,
)

__all__ = [
    "announcements",
    "clients",
    "desk_jobs",
    "holds",
    "orders",
    "payment_attempts",
    "products",
    "refunds",
    "returns",
    "stock",
    "taxes",
    "users",
    "vouchers",
    "waiting_lists",
]
