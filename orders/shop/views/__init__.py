"""One module per page: parse, make one call, answer."""
