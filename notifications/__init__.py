"""Messages to shoppers and staff: events, channels, delivery, receipts."""
