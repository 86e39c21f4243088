"""Reading the environment: each variable by its rule, refused with its name."""
