"""The desk's page on which an operator makes an order for a customer, by phone or mail."""
