"""What a shopper has chosen, until it is ordered."""
