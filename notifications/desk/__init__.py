"""Admin pages of messages: one module per page or part of a page."""
