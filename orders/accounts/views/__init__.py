"""The pages of an account. Each view parses, makes one call, and answers."""
