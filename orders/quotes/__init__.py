"""What delivery costs: carriers are asked for quotes, and an order freezes the chosen one."""
