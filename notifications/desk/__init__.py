"""Messages at the operator's desk: one module per page or part of a page."""
