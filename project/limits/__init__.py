"""Who is counted, and by which address."""
