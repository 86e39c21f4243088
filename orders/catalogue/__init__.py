"""What is sold: products and their stock, how shoppers see them, changes at a set time."""
