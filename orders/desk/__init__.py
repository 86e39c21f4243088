"""The operator's desk: the shop's part of the admin. `orders.admin` registers its pages."""
