"""Reads the environment's variables: each has a rule, and an error names the variable."""
