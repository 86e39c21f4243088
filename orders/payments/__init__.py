"""Payments at providers: an attempt leads the customer to the provider's page, its report back."""
