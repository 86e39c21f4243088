"""The shop's audit: what it walks over (`subjects`), its invariants, a file for each subject, and
their corrections. `manage.py audit` checks them in this order.

Each table is read by an index for THESE keys, whatever the planner expects: no condition is left
to a join.
"""

# isort: off
from orders.audits import stock
from orders.audits import orders
from orders.audits import vouchers
from orders.audits import sales
from orders.audits import refunds
from orders.audits import invoices
from orders.audits import accounts

__all__ = ["accounts", "invoices", "orders", "refunds", "sales", "stock", "vouchers"]
