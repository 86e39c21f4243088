"""What several apps ask of PostgreSQL."""
