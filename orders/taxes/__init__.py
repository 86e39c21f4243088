"""The tax that prices include: its rates, and how an amount is split by them."""
