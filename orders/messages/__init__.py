"""Messages that no order or account triggers: announcements and low stock; and preview samples."""
