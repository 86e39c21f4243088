"""What the shop tells by itself: announcements, low stock, samples for the preview."""
